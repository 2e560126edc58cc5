"""A newsletter whose first issue is on its way, with what each reader's copy holds."""

from __future__ import annotations

import io
import os
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email import message_from_bytes, policy
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from support.letter import SECRET
from support.reports import ANA, READERS, names, own_reader, report
from support.sending import carried, rendered, settings

from pipeline import hearing
from pipeline.audience.addresses import make_subscriber
from pipeline.deliver.freeze import freeze
from pipeline.deliver.message import Splicer
from pipeline.hear.mailbox import Pipe
from pipeline.model import Everything
from pipeline.project import Project, open_project

CLOCK = "2026-11-23T08:00"


@dataclass(frozen=True)
class Held:
    """What one reader's copy proves."""

    code: str
    token: str


@dataclass
class Ear:
    """The newsletter, listening."""

    project: Project
    copies: dict[str, Held]

    def hear(self, *messages: bytes, **more: Any) -> hearing.Tally:
        """Hear messages one after the other, each by itself; return what the last one was."""
        tally = hearing.Tally()
        for message in messages:
            tally = hearing.listen(self.project, Pipe(io.BytesIO(message)), self.project.now, **more)
        return tally

    def report(self, name: str, reader: str = ANA) -> bytes:
        """Return a message of the corpus about this reader's real copy; it names Ana all the same."""
        return report(name, self.copies[reader].code, self.copies[reader].token)

    def known(self, email: str = ANA) -> Everything:
        return self.project.store.everything(email)

    def everybody(self) -> list[object]:
        return [self.known(email).person for email in READERS]


@pytest.fixture(scope="session")
def sent_once(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Held]]:
    root = tmp_path_factory.mktemp("hearing")
    (root / "newsletter.toml").write_text('[newsletter]\nname = "The Headache Letter"\n', "utf-8")
    project = open_project(root, CLOCK, {"NEWSLETTER_SECRET": SECRET})
    store, tokens = project.store, project.tokens
    people = [*READERS, *map(own_reader, names())]
    store.put_subscribers(make_subscriber(email, "", project.now, tokens) for email in people)
    frozen = freeze(rendered(), settings(), carried())
    store.freeze(frozen, [], frozen.date)
    store.claim(1, "run")
    copies, splicer = {}, Splicer(frozen, tokens)
    for delivery in store.lease(1, "run", len(people)):
        message = message_from_bytes(splicer.submission(delivery).data, policy=policy.default)
        code = re.match(r"<([0-9a-f]{32})@", message["Message-ID"])
        token = re.search(r"/unsubscribe/([\w-]{36})>", message["List-Unsubscribe"])
        assert code
        assert token
        copies[delivery.recipient.email] = Held(code[1], token[1])
    store.release(1, "run")
    store.close_database()  # type: ignore[attr-defined]
    return root, copies


@pytest.fixture(scope="session")
def copies(sent_once: tuple[Path, dict[str, Held]]) -> dict[str, Held]:
    return sent_once[1]


@pytest.fixture(scope="session")
def openers(sent_once: tuple[Path, dict[str, Held]]) -> Callable[..., Any]:
    """Make what opens copies of it; in memory where there is such a place, since every decision is synced."""

    def opener() -> Iterator[Callable[..., Project]]:
        projects = []

        def opened(clock: str = CLOCK, **environ: str) -> Project:
            projects.append(open_project(root, clock, {"NEWSLETTER_SECRET": SECRET, **environ}))
            return projects[-1]

        memory = Path("/dev/shm")
        with TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None) as folder:
            root = shutil.copytree(sent_once[0], Path(folder) / "letter")
            yield opened
            for project in projects:
                if "store" in project.__dict__:
                    project.store.close_database()  # type: ignore[attr-defined]

    return opener


@pytest.fixture
def opened(openers: Callable[..., Any]) -> Iterator[Callable[..., Project]]:
    yield from openers()


@pytest.fixture
def letter(opened: Callable[..., Project], copies: dict[str, Held]) -> Ear:
    """It alone, as it went out."""
    return Ear(opened(), copies)


@pytest.fixture(scope="module")
def crowd(openers: Callable[..., Any], copies: dict[str, Held]) -> Iterator[Ear]:
    """The same for many tests, each of which is about readers of its own."""
    for opened in openers():
        yield Ear(opened(), copies)
