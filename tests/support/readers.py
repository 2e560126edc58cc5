"""The readers' server at work in a process of its own, and readers who ask it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from urllib.parse import urlencode

from pipeline.audience.tokens import InstallationTokens
from support.http import Http, Reply, serving
from support.letter import CLOCK, SECRET, Letter

TOKENS = InstallationTokens(SECRET.encode())
FORM = "application/x-www-form-urlencoded"
ONE_CLICK = b"List-Unsubscribe=One-Click"


class Serve(Http):
    """The readers' server."""

    def post(self, target: str, fields: Mapping[str, str] | list[tuple[str, str]], **headers: str) -> Reply:
        """Send a form as a browser does from our own page."""
        usual = {"Content_Type": FORM, "Sec_Fetch_Site": "same-origin", "Origin": "null"}
        return self.ask(target, "POST", urlencode(fields).encode(), **{**usual, **headers})

    def one_click(self, target: str) -> Reply:
        """Leave as a mail program does (RFC 8058, 3.1)."""
        return self.ask(target, "POST", ONE_CLICK, Content_Type=FORM)


def token(purpose: str, email: str) -> str:
    """Return a reader's token, as their mails hold it."""
    return TOKENS.token(purpose, TOKENS.uid(email))


@contextmanager
def serve(
    letter: Letter, *words: str, clock: str | None = CLOCK, env: Mapping[str, str] | None = None
) -> Iterator[Serve]:
    """Run `newsletter serve` on any free port until the block ends."""
    with serving(letter, "serve", "-p", "0", *words, clock=clock, env=env) as found:
        yield Serve(*found)
