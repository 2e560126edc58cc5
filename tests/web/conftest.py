"""The sample newsletter with its first issue out, and its readers' server."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.http import listening
from support.letter import CLOCK, SECRET, Letter, copy_sample
from support.readers import TRUSTED, House, person, serve

from pipeline import publishing, weekly
from pipeline.project import Project, open_project
from pipeline.serving import server
from pipeline.serving.server import Server
from pipeline.web.app import Desk, make_app
from pipeline.web.keeper import Keeper, Open, clock_of
from pipeline.web.limits import Limits
from pipeline.web.visitors import Visitors

READERS = ("ana@example.com", "jo@example.com")


@pytest.fixture(scope="session")
def sent_once(tmp_path_factory: pytest.TempPathFactory) -> Letter:
    """The sample newsletter after its first issue was frozen and published; look, do not touch."""
    letter = copy_sample(tmp_path_factory.mktemp("sent") / "letter")
    project = open_project(letter.root, CLOCK, {"NEWSLETTER_SECRET": SECRET})
    project.store.put_subscribers(person(email, project.now) for email in READERS)
    week = weekly.collect(project)
    prepared = weekly.prepare(project, week)
    frozen = weekly.freeze(project, prepared, weekly.build(project, prepared))
    publishing.publish(project, week)
    project.store.published(frozen.number)
    project.store.close_database()  # type: ignore[attr-defined]
    return letter


@pytest.fixture
def sent(sent_once: Letter, tmp_path: Path) -> Letter:
    """A copy of it."""
    shutil.copytree(sent_once.root, tmp_path / "sent")
    return Letter(tmp_path / "sent")


@pytest.fixture(scope="module")
def house(sent_once: Letter, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A newsletter with its server, the site below it, shared by a file's tests: each brings its own readers."""
    root = tmp_path_factory.mktemp("house") / "letter"
    shutil.copytree(sent_once.root, root)
    limits = {"NEWSLETTER_WEB__SUBSCRIBE_LIMIT": "100000/minute"}
    with serve(Letter(root), "--site", env={**TRUSTED, **limits}) as http:
        yield House(Letter(root), http)
        code, err = http.ends()
        assert code == 0
        assert "Traceback" not in err
        assert "fault of the program" not in err
        assert "@" not in err, err


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """The sample newsletter, opened."""
    copy_sample(tmp_path / "letter")
    return open_project(tmp_path / "letter", CLOCK, {"NEWSLETTER_SECRET": SECRET})


@pytest.fixture
def keeper(project: Project) -> Iterator[Keeper]:
    kept = Keeper(Open(project), lambda: Open(project), clock_of(project, pretends=True))
    yield kept
    kept.close()


@pytest.fixture
def port(keeper: Keeper) -> Iterator[int]:
    """The readers' addresses on a real socket, in this process, so that a test can shorten its seconds."""
    desk = Desk(keeper, Limits("10/hour"), lambda: None)
    with listening(
        lambda: Server(server.configure(make_app(desk, Visitors([]), "https://x.example"), 1), _nothing)
    ) as at:
        yield at
    desk.files.shutdown()


def _nothing() -> None:
    pass
