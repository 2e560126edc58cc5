"""One secret, one moment, and a way to read a list from bytes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from pipeline.audience.table import RefusedRow, read
from pipeline.audience.tokens import InstallationTokens
from pipeline.model import Subscriber

ZONE = ZoneInfo("America/New_York")
Reader = Callable[[bytes], list[Subscriber | RefusedRow]]


@pytest.fixture
def tokens() -> InstallationTokens:
    return InstallationTokens(b"a secret that is long enough")


@pytest.fixture
def now() -> datetime:
    return datetime(2026, 11, 22, 9, 0, tzinfo=ZONE)


@pytest.fixture
def rows(tmp_path: Path, tokens: InstallationTokens, now: datetime) -> Reader:
    """Read the bytes of a list from a file."""

    def read_bytes(content: bytes) -> list[Subscriber | RefusedRow]:
        path = tmp_path / "list.csv"
        path.write_bytes(content)
        return list(read(path, now, tokens, ZONE))

    return read_bytes
