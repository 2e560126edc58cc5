"""The sample newsletter before and after its first issue."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from support.letter import HERE, Letter, copy_sample, send_sample
from support.running import READERS, address


@pytest.fixture
def sample(tmp_path: Path) -> Letter:
    """The sample newsletter, nothing sent, no readers."""
    return copy_sample(tmp_path / "letter")


@pytest.fixture(scope="session")
def sent_once(tmp_path_factory: pytest.TempPathFactory) -> Letter:
    """The sample newsletter after its first issue; look, do not touch."""
    return send_sample(tmp_path_factory.mktemp("sent") / "letter")


@pytest.fixture
def sent(sent_once: Letter, tmp_path: Path) -> Letter:
    """A copy of the sample newsletter after its first issue."""
    shutil.copytree(sent_once.root, tmp_path / "sent")
    return Letter(tmp_path / "sent")


@pytest.fixture
def letter(tmp_path: Path) -> Callable[..., Letter]:
    """Make a newsletter with the sample's settings and no posts."""

    def make(readers: str = "email,name\nann@example.com,Ann\n") -> Letter:
        (tmp_path / "letter").mkdir()
        shutil.copy(HERE / "newsletter.toml", tmp_path / "letter")
        made = Letter(tmp_path / "letter")
        (tmp_path / "letter/posts").mkdir()
        made.write("readers.csv", readers)
        assert made.run("subscribers", "import", str(made.root / "readers.csv")).code == 0
        return made

    return make


@pytest.fixture
def crowd(letter: Callable[..., Letter]) -> Letter:
    """A newsletter with a post and readers, nothing sent."""
    made = letter("email,name\n" + "".join(f"{address(n)},Reader {n}\n" for n in range(READERS)))
    made.post("weather", "Weather", "2026-01-01")
    return made
