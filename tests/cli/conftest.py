"""The sample newsletter before and after its first issue."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from support.choosing import readers_of_every_kind
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


@pytest.fixture(scope="session")
def imported(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """A newsletter's folder with the sample's settings, these readers and no posts; look, do not touch."""
    made: dict[str, Path] = {}

    def of(readers: str) -> Path:
        if readers not in made:
            root = tmp_path_factory.mktemp("imported")
            shutil.copy(HERE / "newsletter.toml", root)
            (root / "posts").mkdir()
            letter = Letter(root)
            letter.write("readers.csv", readers)
            assert letter.run("subscribers", "import", str(root / "readers.csv")).code == 0
            made[readers] = root
        return made[readers]

    return of


@pytest.fixture
def letter(imported: Callable[[str], Path], tmp_path: Path) -> Callable[..., Letter]:
    """Make a newsletter with the sample's settings and no posts."""

    def make(readers: str = "email,name\nann@example.com,Ann\n") -> Letter:
        return Letter(shutil.copytree(imported(readers), tmp_path / "letter"))

    return make


@pytest.fixture(scope="session")
def crowd_once(imported: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Letter:
    """A newsletter with a post and readers, nothing sent; look, do not touch."""
    readers = "email,name\n" + "".join(f"{address(n)},Reader {n}\n" for n in range(READERS))
    made = Letter(shutil.copytree(imported(readers), tmp_path_factory.mktemp("crowd") / "letter"))
    made.post("weather", "Weather", "2026-01-01")
    return made


@pytest.fixture
def crowd(crowd_once: Letter, tmp_path: Path) -> Letter:
    """A copy of it to work on."""
    return Letter(shutil.copytree(crowd_once.root, tmp_path / "letter"))


@pytest.fixture(scope="session")
def chosen_once(tmp_path_factory: pytest.TempPathFactory) -> Letter:
    """Four posts, and a reader of every kind; look, do not touch."""
    return readers_of_every_kind(tmp_path_factory.mktemp("chosen") / "letter")


@pytest.fixture
def chosen(chosen_once: Letter, tmp_path: Path) -> Letter:
    """A copy of it to work on."""
    return Letter(shutil.copytree(chosen_once.root, tmp_path / "letter"))
