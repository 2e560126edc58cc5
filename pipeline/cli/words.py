"""How the command line writes numbers, moments and results for people."""

from __future__ import annotations

from datetime import datetime, tzinfo
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipeline.model import IssueRecord


def counted(number: int, noun: str) -> str:
    """Return "1 reader", "1,204 readers"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def moment(value: datetime, zone: tzinfo) -> str:
    """Return "Sun 15 Nov 2026 08:00"."""
    return f"{value.astimezone(zone):%a %-d %b %Y %H:%M}"


def size(count: int) -> str:
    """Return "11.9 kB" (of 1,000 bytes, as mail providers count)."""
    return f"{count / 1000:.1f} kB"


def outcome(record: IssueRecord, *, stopped: bool = False) -> dict[str, Any]:
    """Return what `send --json`, `resume --json` and `report --json` have in common (CONTRACT)."""
    counts = record.counts
    return {
        "issue": record.number,
        "state": str(record.state),
        "readers": counts.readers,
        "queued": counts.queued,
        "accepted": counts.accepted,
        "refused": counts.refused,
        "deferred": counts.deferred,
        "in_doubt": counts.in_doubt,
        "withdrawn": counts.withdrawn,
        "expired": counts.expired,
        "cancelled": counts.cancelled,
        "exit": exit_code(record, stopped=stopped),
    }


def exit_code(record: IssueRecord, *, stopped: bool = False) -> int:
    """0 all is final; 5 something is left to do or to settle; 130 stopped by Ctrl-C before the end."""
    if record.counts.open or record.counts.in_doubt:
        return 130 if stopped else 5
    return 0


def sentence(record: IssueRecord) -> str:
    """Say in a line or two what became of an issue, and the next command."""
    counts = record.counts
    parts = [f"{counts.accepted:,} accepted"]
    for word, count in (
        ("refused", counts.refused),
        ("deferred", counts.deferred),
        ("not yet handed over", counts.queued),
        ("in doubt", counts.in_doubt),
        ("withdrawn", counts.withdrawn),
        ("expired", counts.expired),
        ("cancelled", counts.cancelled),
    ):
        if count:
            parts.append(f"{count:,} {word}")
    out = "is out" if not counts.open else "is not out yet"
    return f"Issue {record.number} {out}: {', '.join(parts)}."
