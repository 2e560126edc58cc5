"""A newsletter in a folder, a relay on a socket, and postmen who work between them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from support.letter import SECRET
from support.relay import Relay
from support.sending import carried, rendered, settings

from pipeline import subscribing
from pipeline.deliver.freeze import freeze
from pipeline.edges import Store
from pipeline.model import IssueState, Letter
from pipeline.postman import Postman
from pipeline.project import Project, open_project

TOML = """
[newsletter]
name = "The Headache Letter"
from = "The Headache Letter <letter@example.org>"
url = "https://letter.example.org"
timezone = "America/New_York"
postal_address = "12 Example Street, Exampletown"
"""
ANA = "ana@example.com"
BEGIN = datetime.fromisoformat("2026-11-25T09:00:00-05:00")
WORDING = "Yes, send it to me."


@dataclass
class House:
    """The newsletter, the moment that postmen take for now, and what they said."""

    root: Path
    environ: Mapping[str, str]
    now: datetime = BEGIN
    said: list[str] = field(default_factory=list)

    def open(self) -> Project:
        return open_project(self.root, self.now.isoformat(), self.environ)

    def postman(self) -> Postman:
        return Postman(self.open, lambda: self.now, self.said.append)

    def asks(self, *emails: str, name: str = "") -> None:
        project = self.open()
        for email in emails or (ANA,):
            subscribing.ask(project, email, name, self.now)

    def confirms(self, email: str = ANA, name: str = "") -> None:
        """Ask, and confirm a minute later, with no mail between."""
        self.asks(email, name=name)
        project = self.open()
        for request in project.store.requests(10):
            subscribing.answer(project, request, self.now)
        asked, self.now = self.now, self.now + timedelta(minutes=1)
        token = project.tokens.dated("confirm", project.tokens.uid(email), asked)
        assert subscribing.confirm(project, token, WORDING, self.now)
        self.drop("confirmation")

    def leaves(self, email: str = ANA) -> None:
        project = self.open()
        token = project.tokens.token("unsubscribe", project.tokens.uid(email))
        assert subscribing.leave(project, token, "the page", self.now)

    def drop(self, kind: str = "") -> None:
        store = self.open().store
        for letter in store.letters(1000):
            if kind in ("", letter.kind):
                store.withdraw_letter(letter)

    def send_issue(self, number: int = 1, state: IssueState = IssueState.SENT) -> None:
        """Have an issue be out, frozen at this moment."""
        from dataclasses import replace

        made = rendered(f"Issue {number}", number=number)
        made = replace(made, issue=replace(made.issue, date=self.now))
        store = self.open().store
        store.freeze(freeze(made, settings(), carried(number)), [], self.now)
        store.set_issue_state(number, state)

    @property
    def store(self) -> Store:
        return self.open().store

    def waiting(self) -> list[Letter]:
        return list(self.store.letters(1000))


@pytest.fixture
def folder() -> Iterator[Path]:
    """In memory where there is such a place: every step is synced, and a killed process loses nothing there."""
    memory = Path("/dev/shm")
    with TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None) as made:
        (Path(made) / "newsletter.toml").write_text(TOML)
        yield Path(made)


@pytest.fixture
def relay() -> Iterator[Relay]:
    with Relay() as made:
        yield made
    assert made.violations == []


@pytest.fixture
def house(folder: Path, relay: Relay) -> House:
    return House(folder, {"NEWSLETTER_SECRET": SECRET, **relay.environment()})
