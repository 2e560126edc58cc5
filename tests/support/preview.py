"""A newsletter's preview at work in a process of its own, and what its page asks of it."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from urllib.parse import urlencode

from support.http import PATIENCE, Http, Reply, serving
from support.letter import CLOCK, Letter

__all__ = ["PATIENCE", "Listener", "Preview", "Reply", "previewing"]


class Preview(Http):
    """A preview that answers on a port of this machine."""

    def post(self, target: str, fields: Mapping[str, str], **headers: str) -> Reply:
        """Send a form as our own page does."""
        usual = {"Origin": f"http://{self.host}", "Content_Type": "application/x-www-form-urlencoded"}
        return self.ask(target, "POST", urlencode(fields).encode(), **{**usual, **headers})

    def token(self) -> str:
        """Read the token out of the page, as only whoever sees the page can."""
        found = re.search(r'name="?token"?\s+value="?([\w-]+)', self.ask("/").text)
        assert found
        return found[1]

    def act(self, target: str, **fields: str) -> str:
        """Send a form with its token; return the page it leads to."""
        reply = self.post(target, {"token": self.token(), **fields})
        assert reply.status == 303, reply
        return self.ask(reply.headers["location"]).text

    @contextmanager
    def listening(self) -> Iterator[Listener]:
        """Listen to what the preview tells of changes."""
        with self.connect() as wire:
            wire.sendall(f"GET /events HTTP/1.1\r\nHost: {self.host}\r\n\r\n".encode())
            yield Listener(wire)


class Listener:
    """One open event stream."""

    def __init__(self, wire: socket.socket) -> None:
        self.file = wire.makefile("rb")
        self.head = b"".join(iter(self.file.readline, b"\r\n")).decode().lower()
        #: True once the server has ended the stream in good order (RFC 9112, 7.1: the last chunk).
        self.ended = False
        self.version = self.next()

    def next(self) -> str:
        """Wait for the next version."""
        for line in self.file:
            self.ended = line == b"0\r\n" or (self.ended and line == b"\r\n")
            if line.startswith(b"data: "):
                self.version = line[6:].decode().strip()
                return self.version
        raise EOFError

    def until(self, preview: Preview, words: str, target: str = "/") -> str:
        """Wait until the page, or what else is asked for, holds these words; return it."""
        while words not in (text := preview.ask(target).text):
            self.next()
        return text


@contextmanager
def previewing(
    letter: Letter, *words: str, clock: str | None = CLOCK, env: Mapping[str, str] | None = None
) -> Iterator[Preview]:
    """Run `newsletter preview` on any free port until the block ends."""
    port = [] if {"-p", "--port"} & set(words) else ["-p", "0"]
    with serving(letter, "preview", *port, *words, clock=clock, env=env) as found:
        yield Preview(*found)
