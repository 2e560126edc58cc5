"""What the tests of the project's own papers share: where they are, and how to read a table in one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def root() -> Path:
    """The project's folder."""
    return Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def pages(root: Path) -> list[Path]:
    """Everything written for people."""
    return [
        root / "README.md",
        root / "CONTRIBUTING.md",
        root / "CHANGELOG.md",
        *sorted((root / "docs").glob("*.md")),
    ]


class Tables:
    """The rows of a page's tables, each under the headings above it."""

    def __init__(self, text: str) -> None:
        self.rows = list(self._read(text))

    @staticmethod
    def _read(text: str) -> Iterator[tuple[str, list[str]]]:
        heading = ""
        for line in text.splitlines():
            if line.startswith("#"):
                heading = line.lstrip("# ")
            elif re.fullmatch(r"`\[[\w.]+\]`", line):  # a table of settings within a section
                heading = line
            elif line.startswith("|") and not line.startswith("|-"):
                yield heading, [cell.strip() for cell in line.strip("|").split("|")]

    def under(self, heading: str) -> dict[str, list[str]]:
        """First cell -> the other cells, for every row whose heading begins so."""
        return {cells[0]: cells[1:] for where, cells in self.rows if where.startswith(heading)}


@pytest.fixture(scope="session")
def tables(root: Path) -> type[Tables]:
    return Tables
