"""The sample newsletter after its first issue, and its readers' server."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.letter import Letter, send_sample
from support.readers import TRUSTED, House, serve


@pytest.fixture(scope="session")
def sent_once(tmp_path_factory: pytest.TempPathFactory) -> Letter:
    """The sample newsletter after its first issue; look, do not touch."""
    return send_sample(tmp_path_factory.mktemp("sent") / "letter")


@pytest.fixture
def sent(sent_once: Letter, tmp_path: Path) -> Letter:
    """A copy of it."""
    shutil.copytree(sent_once.root, tmp_path / "sent")
    return Letter(tmp_path / "sent")


@pytest.fixture(scope="session")
def house(sent_once: Letter, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A newsletter with its server, the site below it, shared by all tests: each brings its own readers."""
    root = tmp_path_factory.mktemp("house") / "letter"
    shutil.copytree(sent_once.root, root)
    limits = {"NEWSLETTER_WEB__SUBSCRIBE_LIMIT": "100000/minute"}
    with serve(Letter(root), "--site", env={**TRUSTED, **limits}) as http:
        yield House(Letter(root), http)
        code, err = http.ends()
        assert code == 0
        assert "Traceback" not in err
        assert "fault of the program" not in err
        assert "@" not in err.replace("a person@", ""), err
