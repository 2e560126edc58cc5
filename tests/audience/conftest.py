"""One secret, one moment, and a way to read a list from bytes."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from support.lists import NOW, TOKENS, ZONE, Rows

from pipeline.audience.table import RefusedRow, read
from pipeline.audience.tokens import InstallationTokens
from pipeline.model import Subscriber


@pytest.fixture
def tokens() -> InstallationTokens:
    return TOKENS


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture
def rows(tmp_path: Path, tokens: InstallationTokens, now: datetime) -> Rows:
    """Read the bytes of a list from a file."""

    def read_bytes(content: bytes) -> list[Subscriber | RefusedRow]:
        path = tmp_path / "list.csv"
        path.write_bytes(content)
        return list(read(path, now, tokens, ZONE))

    return read_bytes
