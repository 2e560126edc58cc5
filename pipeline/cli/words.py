"""How the command line writes numbers, moments and results for people."""

from __future__ import annotations

from datetime import datetime, tzinfo
from typing import TYPE_CHECKING

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
