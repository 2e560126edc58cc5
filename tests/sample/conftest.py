"""The sample newsletter after `newsletter send --yes`, sent once for all tests here."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from support.letter import Letter, send_sample

from pipeline.settings import Settings
from pipeline.settings_file import FILE, load


@pytest.fixture(scope="session")
def sent(tmp_path_factory: pytest.TempPathFactory) -> Letter:
    """The sample newsletter after its first issue; look, do not touch."""
    return send_sample(tmp_path_factory.mktemp("sample") / "letter")


@pytest.fixture
def mine(sent: Letter, tmp_path: Path) -> Letter:
    """A copy of it to work on."""
    shutil.copytree(sent.root, tmp_path / "letter")
    return Letter(tmp_path / "letter")


@pytest.fixture(scope="session")
def settings(sent: Letter) -> Settings:
    return load(sent.root / FILE, {})


@pytest.fixture(scope="session")
def public(sent: Letter) -> dict[str, bytes]:
    """Every file of the site by its path."""
    return sent.files("public")


@pytest.fixture(scope="session")
def pages(public: dict[str, bytes]) -> dict[str, bytes]:
    """The site's pages by their path."""
    return {path: data for path, data in public.items() if path.endswith(".html")}


@pytest.fixture(scope="session")
def mails(sent: Letter) -> list[bytes]:
    """The messages that went out."""
    return list(sent.files("outbox/0001").values())
