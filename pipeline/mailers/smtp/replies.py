"""Reads SMTP replies, octets in, replies out, and refuses everything that is none (RFC 5321, 4.2).

By hand, because after the final dot it matters what exactly was said: the
standard library turns a hang-up, half a line and an over-long line into made-up
codes, and a bare `25` into a number. Pure: no socket, no clock.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

#: RFC 5321, 4.5.3.1.5 has 512; extensions and real relays go beyond it, never this far.
LONGEST_LINE = 4096
LONGEST_REPLY = 64 * 1024

#: A code alone counts: "clients MUST be prepared" for it (RFC 5321, 4.2).
_LINE = re.compile(rb"([2-5][0-5][0-9])(?:([ -])([^\r\n]*))?")


class NotSmtp(Exception):
    """What came is no reply, so nothing that follows on this connection can be trusted."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One whole reply."""

    code: int
    #: The text of each line, without code and line end.
    lines: tuple[bytes, ...]

    @property
    def text(self) -> bytes:
        """All lines as one."""
        return b" ".join(self.lines)


class Replies:
    """Takes octets as they come and gives replies as they are whole.

    Holds no more than what has not been taken yet; looks at each octet once.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()
        #: Where the next line begins, and how far its end has been looked for.
        self._start = self._looked = 0
        self._code = b""
        self._lines: list[bytes] = []
        self._size = 0

    @property
    def held(self) -> int:
        """How many octets have come that no reply was made of yet."""
        return self._size + len(self._buffer) - self._start

    def feed(self, octets: bytes) -> None:
        """Take what came from the relay."""
        del self._buffer[: self._start]
        self._looked -= self._start
        self._start = 0
        self._buffer += octets

    def next(self) -> Reply | None:
        """Return the next reply, or None if it is not whole yet. Raises NotSmtp."""
        while True:
            end = self._buffer.find(b"\n", self._looked)
            if end < 0:
                self._looked = len(self._buffer)
                if self._looked - self._start > LONGEST_LINE:
                    raise NotSmtp("a line without an end")
                return None
            line = bytes(self._buffer[self._start : end + 1])
            self._start = self._looked = end + 1
            if self._take(line):
                reply = Reply(int(self._code), tuple(self._lines))
                self._lines, self._code, self._size = [], b"", 0
                return reply

    def _take(self, line: bytes) -> bool:
        """Add one line; True if it is the reply's last."""
        self._size += len(line)
        if len(line) > LONGEST_LINE:
            raise NotSmtp("a line that is too long")
        if self._size > LONGEST_REPLY:
            raise NotSmtp("a reply that is too long")
        match = _LINE.fullmatch(line, 0, len(line) - 2) if line.endswith(b"\r\n") else None
        if not match:
            raise NotSmtp("a line that is no SMTP reply")
        code, dash, text = match.groups()
        if self._lines and code != self._code:
            raise NotSmtp("a reply with two codes")
        self._code = code
        self._lines.append(text or b"")
        return bool(dash != b"-")
