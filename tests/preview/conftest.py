"""Newsletters to look at."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.letter import Letter, copy_sample
from support.preview import Preview, previewing


@pytest.fixture
def sample(tmp_path: Path) -> Letter:
    """The sample newsletter, nothing sent, no readers."""
    return copy_sample(tmp_path / "letter")


@pytest.fixture(scope="module")
def letter(tmp_path_factory: pytest.TempPathFactory) -> Letter:
    """The sample newsletter, shared by a module's tests."""
    return copy_sample(tmp_path_factory.mktemp("shared") / "letter")


@pytest.fixture(scope="module")
def preview(letter: Letter) -> Iterator[Preview]:
    """Its preview, shared by a module's tests."""
    with previewing(letter) as made:
        yield made
