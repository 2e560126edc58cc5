"""Asks every check, sets severities as the newsletter wants them, and counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from pipeline.check.material import Material
from pipeline.check.rules import CHECKS
from pipeline.errors import SettingsError
from pipeline.model import Finding, LeftOut, Severity


@dataclass(frozen=True, slots=True)
class Report:
    """All that the checks had to say of one issue."""

    #: None if nothing is new.
    issue: int | None
    #: By path, then line; errors first within a line.
    findings: tuple[Finding, ...]
    #: Checks that found nothing.
    passed: int

    def count(self, severity: Severity) -> int:
        """Count the findings of one severity."""
        return sum(finding.severity is severity for finding in self.findings)

    def fails(self, *, strict: bool = False) -> bool:
        """Tell whether the issue must not go out; `strict` lets warnings stop it too."""
        return bool(self.count(Severity.ERROR) or (strict and self.count(Severity.WARNING)))


def run(material: Material, severities: Mapping[str, str], reading: Sequence[Finding] = ()) -> Report:
    """Run all checks over a rendered issue.

    `severities` maps a check's id to what the newsletter makes of it (`[checks]`
    in newsletter.toml). `reading` is what collecting the posts had to say.
    """
    known = {check.__name__.replace("_", "-") for check in CHECKS} | READING
    unknown = sorted(set(severities) - known)
    if unknown:
        raise SettingsError(
            f"checks.{unknown[0]}: there is no such check; there are: {', '.join(sorted(known))}",
            path="newsletter.toml",
        )
    order = list(Severity)
    findings: list[Finding] = []
    silent = 0
    for check in CHECKS:
        found = list(check(material))
        silent += not found
        findings += found
    findings += reading
    heard = [
        replace(finding, severity=Severity(severities.get(finding.id, finding.severity)))
        for finding in findings
    ]
    heard = [finding for finding in heard if finding.severity is not Severity.OFF]
    heard.sort(key=lambda f: (f.path, f.line or 0, order.index(f.severity), f.id, f.message))
    return Report(material.rendered.issue.number, tuple(dict.fromkeys(heard)), silent)


def unreadable(left_out: Sequence[LeftOut]) -> tuple[Finding, ...]:
    """Return a finding for every file that cannot be read and so stops the issue."""
    return tuple(
        Finding("unreadable", Severity.ERROR, item.why, item.path, item.line, "mend the file, or exclude it")
        for item in left_out
        if item.stops
    )


#: Ids of findings made while posts are read (collect/), so that settings may name them.
READING = frozenset({"front-matter-key", "excerpt-derived", "unreadable"})
