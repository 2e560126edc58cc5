"""The readers' server at work in a process of its own, and readers who come to it."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email import message_from_bytes
from email.policy import default
from itertools import count
from urllib.parse import urlencode

import pytest

from pipeline import subscribing
from pipeline.audience.tokens import InstallationTokens
from pipeline.model import Event, Preferences, Subscriber, SubscriberState
from pipeline.project import Project, open_project
from pipeline.store.driver import DRIVER
from support.http import PATIENCE, Http, Reply, serving
from support.letter import CLOCK, SECRET, Letter

TOKENS = InstallationTokens(SECRET.encode())
FORM = "application/x-www-form-urlencoded"
#: What mail programs post (RFC 8058, 3.1).
ONE_CLICK = "List-Unsubscribe=One-Click"
#: Requests of the tests come through a proxy on this machine that may speak for anybody.
TRUSTED = {"NEWSLETTER_WEB__TRUSTED_PROXIES": '["127.0.0.1"]'}

#: What keeps addresses apart from the words around them.
APART = dict.fromkeys(map(ord, "\u2060\u2066\u2069"))

_clients = count()


class Serve(Http):
    """The readers' server."""

    def post(
        self, target: str, fields: Mapping[str, str] | list[tuple[str, str]] | None = None, **headers: str
    ) -> Reply:
        """Send a form as a browser does from our own page; every time another client."""
        number = next(_clients)
        usual = {
            "Content_Type": FORM,
            "Sec_Fetch_Site": "same-origin",
            "Origin": "null",
            "X_Forwarded_For": f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}",
        }
        return self.ask(target, "POST", urlencode(fields or {}).encode(), **{**usual, **headers})

    def one_click(self, target: str, body: str = ONE_CLICK, kind: str = FORM) -> Reply:
        """Leave as a mail program does."""
        return self.ask(target, "POST", body.encode(), Content_Type=kind)


@contextmanager
def serve(
    letter: Letter, *words: str, clock: str | None = CLOCK, env: Mapping[str, str] | None = None
) -> Iterator[Serve]:
    """Run `newsletter serve` on any free port until the block ends."""
    with serving(letter, "serve", "-p", "0", *words, clock=clock, env=env) as found:
        yield Serve(*found)


def token(purpose: str, email: str) -> str:
    """Return a reader's token, as their mails hold it."""
    return TOKENS.token(purpose, TOKENS.uid(email))


def words(text: str) -> str:
    """A page's words, without its sheet, its tags, and what keeps addresses apart."""
    return " ".join(re.sub(r"<style>.*?</style>|<[^>]+>", " ", text, flags=re.S).split()).translate(APART)


def person(email: str, since: datetime, name: str = "") -> Subscriber:
    """Return somebody who reads."""
    return Subscriber(TOKENS.uid(email), email, name, SubscriberState.CONFIRMED, since)


@dataclass
class House:
    """A newsletter, its readers' server, and its store as another process sees it."""

    letter: Letter
    http: Serve
    project: Project = field(init=False)
    _readers: Iterator[int] = field(default_factory=count, init=False)

    def __post_init__(self) -> None:
        self.project = open_project(self.letter.root, CLOCK, {"NEWSLETTER_SECRET": SECRET})

    @property
    def now(self) -> datetime:
        return self.project.now

    def reader(self, name: str = "") -> str:
        """Take in somebody who reads; return their address."""
        email = f"reader{next(self._readers)}@example.com"
        self.project.store.put_subscribers([person(email, self.now - timedelta(days=100), name)])
        return email

    def asks(self, email: str, hours_ago: float = 1) -> str:
        """Have somebody ask, and be answered; return the token in their confirmation."""
        at = self.now - timedelta(hours=hours_ago)
        subscribing.ask(self.project, email, "", at)
        for request in self.project.store.requests(1000):
            subscribing.answer(self.project, request, at)
        return TOKENS.dated("confirm", TOKENS.uid(email), at)

    def stands(self, email: str) -> Subscriber:
        found = self.project.store.subscriber(email)
        assert found is not None
        return found

    def state(self, email: str) -> str:
        return str(self.stands(email).state)

    def wants(self, email: str) -> Preferences:
        return self.stands(email).preferences

    def events(self, email: str) -> tuple[Event, ...]:
        person = self.project.store.person(TOKENS.uid(email))
        assert person is not None
        return person.events

    def dump(self) -> list[str]:
        """Everything in the store, a row each."""
        return dump(self.letter)

    def noted(self, email: str) -> bool:
        """Tell whether anything was noted of somebody who asked, looked at already or not."""
        waiting = [request.email for request in self.project.store.requests(100_000)]
        return email in waiting or self.project.store.subscriber(email) is not None

    def quiet(self) -> None:
        """Wait until nobody waits for a letter any more, and none is under way."""
        settled(self.letter)

    def letters(self, email: str) -> list[str]:
        """Return the letters that went to an address, as text, once nothing waits any more."""
        self.quiet()
        files = (self.letter.root / "outbox/mail").glob("*.eml")
        messages = [message_from_bytes(path.read_bytes(), policy=default) for path in files]
        return [message.get_body(("plain",)).get_content() for message in messages if message["To"] == email]


def settled(letter: Letter) -> list[str]:
    """Return everything in the store, once nobody waits for a letter any more and none is under way."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        rows = dump(letter)
        if not any(row.startswith(("requests ", "letters ")) for row in rows):
            return rows
        time.sleep(0.02)
    pytest.fail("letters go on and on")


def dump(letter: Letter) -> list[str]:
    """Return everything in a newsletter's store, a row each."""
    with closing(DRIVER.connect(letter.root / ".newsletter/newsletter.db")) as connection:
        tables = [
            name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        ]
        return [
            f"{table} {row!r}"
            for table in sorted(tables)
            for row in connection.execute(f"SELECT * FROM {table}")
        ]
