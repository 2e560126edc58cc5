"""Lists of people as they are read: what a test needs around one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo

from pipeline.audience.table import RefusedRow
from pipeline.audience.tokens import InstallationTokens
from pipeline.model import Subscriber

Rows = Callable[[bytes], list[Subscriber | RefusedRow]]
ZONE = ZoneInfo("America/New_York")
NOW = datetime(2026, 11, 22, 9, 0, tzinfo=ZONE)
TOKENS = InstallationTokens(b"a secret that is long enough")


def people(rows: list[Subscriber | RefusedRow]) -> list[tuple[str, str]]:
    return [
        (row.email, row.name) if isinstance(row, Subscriber) else (f"line {row.line}", row.reason)
        for row in rows
    ]
