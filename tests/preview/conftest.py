"""Newsletters to look at."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.letter import Letter, copy_sample
from support.preview import Preview, previewing
from support.preview_page import rich_letter, state_of

from pipeline.preview.state import State


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


@pytest.fixture(scope="session")
def state(tmp_path_factory: pytest.TempPathFactory) -> State:
    """What is known of a newsletter with something of everything on its page."""
    return state_of(rich_letter(tmp_path_factory.mktemp("rich") / "letter"))
