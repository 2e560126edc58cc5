"""Asks every check, sets severities as the newsletter wants them, and counts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from pipeline.check.catalogue import CHECKS, id_of, texts
from pipeline.check.ignore import comments, ignore_unknown, silenced
from pipeline.check.material import SETTINGS, Material
from pipeline.check.online import ONLINE, Answers
from pipeline.check.variants import variant_findings
from pipeline.errors import SettingsError
from pipeline.model import Finding, LeftOut, Severity


@dataclass(frozen=True, slots=True)
class Report:
    """All that the checks had to say of one issue."""

    #: None if nothing is new.
    issue: int | None
    #: By path, then line; errors first within a line.
    findings: tuple[Finding, ...]
    #: How many checks found nothing.
    passed: int
    #: Their ids, in the catalogue's order.
    passed_ids: tuple[str, ...] = ()
    #: Findings that ignore comments keep silent.
    ignored: int = 0

    def count(self, severity: Severity) -> int:
        """Count the findings of one severity."""
        return sum(finding.severity is severity for finding in self.findings)

    def fails(self, *, strict: bool = False) -> bool:
        """Tell whether the issue must not go out; `strict` lets warnings stop it too."""
        return bool(self.count(Severity.ERROR) or (strict and self.count(Severity.WARNING)))


def run(
    material: Material,
    severities: Mapping[str, str],
    reading: Sequence[Finding] = (),
    answers: Answers | None = None,
    variants: Iterable[tuple[str, Material]] = (),
) -> Report:
    """Run all checks over a rendered issue.

    `severities` maps a check's id to what the newsletter makes of it (`[checks]`
    in newsletter.toml). `reading` is what collecting the posts had to say,
    `answers` what the sites said that links lead to, if they were asked,
    `variants` what is known of each, after whom it is for.
    """
    known = texts()
    _demand_known(severities, known)
    passed: list[str] = []
    findings: list[Finding] = list(reading)
    for name, check in _asked(material, answers):
        if severities.get(name) == Severity.OFF:
            continue
        found = list(check())
        findings += found
        passed += [] if found else [name]
    beside = list(variant_findings(variants, findings))
    findings += beside
    passed = [name for name in passed if name not in {finding.id for finding in beside}]
    remarks = list(comments(material))
    findings += ignore_unknown(remarks, known)
    heard = list(_heard(findings, severities))
    kept_silent = silenced(remarks)
    spoken = [f for f in heard if f.line is None or f.id not in kept_silent.get((f.path, f.line), ())]
    return Report(
        material.rendered.issue.number, tuple(spoken), len(passed), tuple(passed), len(heard) - len(spoken)
    )


def _asked(
    material: Material, answers: Answers | None
) -> Iterator[tuple[str, Callable[[], Iterator[Finding]]]]:
    """Yield id and check of all that there is to ask; those of answers stand in for the offline one of their name."""
    online = (
        {id_of(check): partial(check, material, answers) for check in ONLINE} if answers is not None else {}
    )
    for check in CHECKS:
        if id_of(check) not in online:
            yield id_of(check), partial(check, material)
    yield from online.items()


def unreadable(left_out: Sequence[LeftOut]) -> tuple[Finding, ...]:
    """Return a finding for every file that cannot be read and so stops the issue."""
    return tuple(
        Finding("unreadable", Severity.ERROR, item.why, item.path, item.line, "mend the file, or exclude it")
        for item in left_out
        if item.stops
    )


def _demand_known(severities: Mapping[str, str], known: Mapping[str, str]) -> None:
    unknown = sorted(set(severities) - set(known))
    if unknown:
        raise SettingsError(
            f"checks.{unknown[0]}: there is no such check; there are: {', '.join(sorted(known))}",
            path=SETTINGS,
        )


def _heard(findings: Sequence[Finding], severities: Mapping[str, str]) -> Iterator[Finding]:
    """Yield each finding once, with the severity it has here, in order of place; those that are off not at all."""
    order = list(Severity)
    # A file that cannot be read stops `send`, whatever settings say.
    softer = {name: level for name, level in severities.items() if name != "unreadable"}
    weighed = [
        replace(finding, severity=Severity(softer.get(finding.id, finding.severity))) for finding in findings
    ]
    weighed.sort(key=lambda f: (f.path, f.line or 0, order.index(f.severity), f.id, f.message))
    yield from (finding for finding in dict.fromkeys(weighed) if finding.severity is not Severity.OFF)
