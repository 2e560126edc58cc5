"""What the checks had to say, as the page lists it: errors first, what is said of many places once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.model import Severity
from pipeline.preview.templating import sentence

if TYPE_CHECKING:
    from pipeline.check.run import Report
    from pipeline.model import Finding
    from pipeline.preview.places import Places

#: Signs and words of severities, so that colour is never the only one.
_SIGNS = {Severity.ERROR: ("✕", "Error"), Severity.WARNING: ("!", "Warning"), Severity.NOTE: ("i", "Note")}
#: So many places of one finding are shown at once; the others wait in a disclosure.
SHOWN = 3


@dataclass(frozen=True, slots=True)
class Place:
    """Where a finding is: "posts/snow.md:3", and the page that shows it."""

    text: str
    href: str


@dataclass(frozen=True, slots=True)
class Row:
    """One finding, or several that say the same of different places."""

    #: "error", "warning" or "note".
    severity: str
    sign: str
    word: str
    id: str
    message: str
    fix: str
    places: tuple[Place, ...]
    more: tuple[Place, ...] = ()


@dataclass(frozen=True, slots=True)
class Checks:
    """All that the checks had to say."""

    #: "1 error, 2 warnings, 3 ignored, 21 passed".
    summary: str
    #: Errors first.
    rows: tuple[Row, ...]
    #: What each passed check demands.
    passed: tuple[str, ...]
    passed_count: int
    #: Findings that ignore comments keep silent.
    ignored: int


def checks(report: Report, places: Places) -> Checks:
    """Return a report as the page shows it."""
    from pipeline.check.catalogue import title

    order = list(Severity)
    groups: dict[tuple[Severity, str, str, str], list[Finding]] = {}
    for found in sorted(report.findings, key=lambda finding: order.index(finding.severity)):
        groups.setdefault((found.severity, found.id, found.message, found.fix), []).append(found)
    counts = [
        f"{number} {word.lower()}{'s' if number != 1 else ''}"
        for severity, (_, word) in _SIGNS.items()
        if (number := report.count(severity))
    ]
    ignored = [f"{report.ignored} ignored"] if report.ignored else []
    return Checks(
        ", ".join([*counts, *ignored, f"{report.passed} passed"]),
        tuple(_row(group, places) for group in groups.values()),
        tuple(sentence(title(check)) for check in report.passed_ids),
        report.passed,
        report.ignored,
    )


def _row(group: list[Finding], places: Places) -> Row:
    first = group[0]
    where = [
        Place(f"{each.path}:{each.line}" if each.line else each.path, places.source(each.path, each.line))
        for each in group
        if each.path
    ]
    # One more that is hidden would take as much room as the word that it is.
    cut = SHOWN if len(where) > SHOWN + 1 else len(where)
    return Row(
        str(first.severity),
        *_SIGNS[first.severity],
        first.id,
        sentence(first.message),
        sentence(first.fix),
        tuple(where[:cut]),
        tuple(where[cut:]),
    )
