"""The octets of a scripted relay: reading ahead, answering late, and every way to answer wrongly."""

from __future__ import annotations

import select
import socket
import struct
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from support.relay_script import Behaviour, Moment

if TYPE_CHECKING:
    from support.relay import Relay

READ = 262_144
#: Longest command line we take (RFC 5321, 4.5.3.1.4, and what extensions and AUTH add: RFC 4954, 4).
COMMAND = 12_288


class Gone(Exception):
    """The conversation is over."""


@dataclass
class Connection:
    """What is remembered of one conversation."""

    number: int
    #: Command lines in order, as they came; `.` for the end of a body. Credentials are not kept.
    commands: list[str] = field(default_factory=list)
    #: Octets of each read and of each write. The relay writes only when it must wait for more, so every
    #: write is one round trip of a client that waits for answers.
    reads: list[int] = field(default_factory=list)
    writes: list[int] = field(default_factory=list)
    hello: str = ""
    user: str = ""
    tls: bool = False
    over: bool = False

    @property
    def round_trips(self) -> int:
        return len(self.writes)


class Wire:
    """One socket: lines come in, replies are gathered and written when there is nothing more to read."""

    def __init__(self, relay: Relay, sock: socket.socket, record: Connection) -> None:
        self.relay, self.sock, self.record = relay, sock, record
        self.moment = Moment(record.number)
        self._buffer = bytearray()
        self._replies: list[bytes] = []
        #: DATA was answered before its turn.
        self._said_354 = False

    def _line(self) -> bytes:
        buffer = self._buffer
        while (end := buffer.find(b"\n")) < 0:
            if len(buffer) > COMMAND:
                self.relay.violation("a command without an end")
                raise Gone
            self._fill()
        if buffer[end - 1 : end] != b"\r":
            self.relay.violation("a command that ends in a bare LF")
        line = bytes(buffer[:end]).rstrip(b"\r")
        del buffer[: end + 1]
        return line

    def _fill(self) -> None:
        """Wait for more, when all is answered that came so far."""
        self._flush()
        data = self.sock.recv(READ)
        if not data:
            raise Gone
        if self.relay.keep:
            self.record.reads.append(len(data))
        self._buffer += data

    def _say(self, said: bytes) -> None:
        self._replies.append(said)

    def _wrong(self, said: bytes, why: str) -> None:
        self.relay.violation(why)
        self._say(said)

    def _flush(self) -> None:
        if self._replies:
            said = b"".join(self._replies)
            self._replies.clear()
            if self.relay.keep:
                self.record.writes.append(len(said))
            self.sock.sendall(said)

    def _do(self, phase: str, usual: bytes) -> bytes:
        """Answer as the script has it; return what was said."""
        behaviour = self.relay.script.decide(phase, self.moment)
        if behaviour is None:
            self._replies.append(usual)
            return usual
        said = behaviour.say(usual)
        if behaviour.name == "early 354":
            self._said_354 = True
            self._replies.append(said)
            return usual
        self._utter(behaviour, said)
        return said

    def _utter(self, behaviour: Behaviour, said: bytes) -> None:
        """Say something and go on, or end as the behaviour does."""
        if behaviour.gap:
            self._flush()
            for octet in said:
                self.sock.sendall(bytes([octet]))
                time.sleep(behaviour.gap)
        else:
            self._replies.append(said)
        if behaviour.then == "go on":
            return
        self._flush()
        if behaviour.then == "stall":
            self._wait_for_the_client_to_go(behaviour.seconds)
        elif behaviour.then == "reset":
            # Closing with a linger of zero seconds sends RST.
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        elif said:
            self._end()
        raise Gone

    def _wait_for_the_client_to_go(self, seconds: float | None) -> None:
        poll = select.poll()
        poll.register(self.sock.fileno(), select.POLLRDHUP | select.POLLHUP | select.POLLERR)
        ends = time.monotonic() + (3600 if seconds is None else seconds)
        while not self.relay.stopping.is_set() and (left := ends - time.monotonic()) > 0:
            if poll.poll(min(left, 0.2) * 1000):
                return

    def _end(self) -> None:
        """Close so that what was said arrives: closing with something unread would send RST."""
        self._flush()
        with suppress(OSError):
            self.sock.shutdown(socket.SHUT_WR)
            self.sock.settimeout(0.5)
            while self.sock.recv(READ):
                pass
        raise Gone
