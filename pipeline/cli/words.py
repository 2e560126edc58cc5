"""How the command line writes numbers, moments and results for people."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING

from pipeline.model import IssueState

if TYPE_CHECKING:
    from pipeline.model import IssueRecord, RunRecord


def counted(number: int, noun: str) -> str:
    """Return "1 reader", "1,204 readers", "2 copies"."""
    several = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
    return f"{number:,} {noun if number == 1 else several}"


def moment(value: datetime, zone: tzinfo) -> str:
    """Return "Sun 15 Nov 2026 08:00"."""
    return f"{value.astimezone(zone):%a %-d %b %Y %H:%M}"


def size(count: int) -> str:
    """Return "11.9 kB" (of 1,000 bytes, as mail providers count)."""
    return f"{count / 1000:.1f} kB"


def short_hash(value: str) -> str:
    """Return "9f2c41…a0e1": enough of a hash for people to compare."""
    return f"{value[:6]}…{value[-4:]}"


def duration(seconds: float) -> str:
    """Return "0:28", "1:02:03"."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def rate(per_second: float) -> str:
    """Return "1,204/s", "1.4/s", "12/min"."""
    if per_second >= 10:
        return f"{per_second:,.0f}/s"
    if per_second >= 1:
        return f"{per_second:.1f}/s"
    return f"{per_second * 60:.{0 if per_second * 60 >= 10 else 1}f}/min"


def due(moment: datetime, now: datetime) -> str:
    """Return when something is tried next: "now", "09:00", "Mon 09:00"."""
    here = now.astimezone(moment.tzinfo)
    if moment <= here:
        return "now"
    return f"{moment:%H:%M}" if moment.date() == here.date() else f"{moment:%a %H:%M}"


def have(record: IssueRecord) -> str:
    """Say who has an issue and who does not."""
    one, other = record.counts.accepted, record.counts.open
    return f"{one:,} {'has' if one == 1 else 'have'} it, {other:,} {'does' if other == 1 else 'do'} not."


def at_work(run: RunRecord) -> str:
    """Say who is at work on an issue."""
    return f"A run is at work on it since {run.since:%H:%M:%S} (process {run.process} on {run.host})"


def sentence(record: IssueRecord) -> str:
    """Say in a line what became of an issue, and why it is held back where a relay was the reason."""
    counts = record.counts
    over = record.state is IssueState.CANCELLED
    parts = [f"{counts.accepted:,} accepted"]
    rests = f" (next try {due(record.due, datetime.now(UTC))})" if record.due else ""
    for word, count, more in (
        ("refused", counts.refused, ""),
        ("deferred", counts.deferred, rests),
        ("under way" if over else "not yet handed over", counts.queued, ""),
        ("in doubt", counts.in_doubt, ""),
        ("withdrawn", counts.withdrawn, ""),
        ("expired", counts.expired, ""),
        ("cancelled", counts.cancelled, ""),
    ):
        if count:
            parts.append(f"{count:,} {word}{more}")
    standing = {
        IssueState.PAUSED: f"is paused ({record.why})" if record.why else "is paused",
        IssueState.CANCELLED: "was called off",
    }.get(record.state, "is not out yet" if counts.open else "is out")
    return f"Issue {record.number} {standing}: {', '.join(parts)}."
