"""One connection to a relay: octets out, replies in, every wait with a deadline and an end.

The socket never blocks; whoever waits here polls. A deadline is for the whole
step, never for an octet: a relay that sends one a second has not answered.
"""

from __future__ import annotations

import select
import socket
import ssl
import time
from contextlib import suppress

from pipeline.mailers.smtp.replies import LONGEST_REPLY, NotSmtp, Replies, Reply
from pipeline.mailers.smtp.together import wait

#: What `[mail.smtp.timeouts] block` is about; in TLS one record (RFC 8446, 5.1).
BLOCK = 64 * 1024
TLS_BLOCK = 16 * 1024
_READ = 16 * 1024


class Lost(Exception):
    """The connection is of no more use; says why, without naming anybody."""


class Wire:
    """A connected socket, from here on ours alone."""

    def __init__(self, sock: socket.socket) -> None:
        self._replies = Replies()
        #: How many octets of what `send` was last given may have left, also if it raised Lost.
        self.sent = 0
        #: More than this unread, and the relay does not answer but talk.
        self.most_unread = 4 * LONGEST_REPLY
        self._adopt(sock)

    def _adopt(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        self._socket = sock
        self._tls = isinstance(sock, ssl.SSLSocket)
        self._block = TLS_BLOCK if self._tls else BLOCK
        self._poll = select.poll()
        self._poll.register(sock, select.POLLIN)

    def encrypt(self, context: ssl.SSLContext, host: str, seconds: float) -> None:
        """Go on in TLS; `context` says what of the other side is verified.

        Raises Lost, or ssl.SSLError for what the other side shows.
        """
        # What came in the clear behind the answer to STARTTLS is from nobody we know (CVE-2011-0411).
        if self._replies.held or (self._poll.poll(0) and self._receive()):
            raise Lost("the relay went on in the clear where TLS begins")
        sock = context.wrap_socket(self._socket, server_hostname=host, do_handshake_on_connect=False)
        self._adopt(sock)
        end = time.monotonic() + seconds
        while True:
            try:
                sock.do_handshake()
                return
            except ssl.SSLWantReadError:
                self._wait(select.POLLIN, end, seconds)
            except ssl.SSLWantWriteError:
                self._wait(select.POLLOUT, end, seconds)
            except ssl.SSLError:
                raise
            except OSError as fault:
                raise Lost(_said(fault)) from fault

    def send(self, data: bytes, seconds: float, *, heed: bool = False) -> bool:
        """Write octets, and take in what comes meanwhile, so that no two full buffers face each other.

        Each block has `seconds`. With `heed`, stops and returns False if
        something comes before all are written. Raises Lost.
        """
        self.sent = 0
        try:
            return self._send(memoryview(data), seconds, heed)
        except Lost:
            if self._tls:
                # Of the piece it was at, TLS may have written some without owning up to it.
                self.sent = min(self.sent + self._block, len(data))
            raise

    def _send(self, view: memoryview, seconds: float, heed: bool) -> bool:
        end, goal = 0.0, self._block
        while self.sent < len(view):
            if self.sent >= goal:
                end, goal = 0.0, self.sent + self._block
            try:
                self.sent += self._socket.send(view[self.sent : self.sent + self._block])
                continue
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError) as busy:
                events = select.POLLIN if isinstance(busy, ssl.SSLWantReadError) else select.POLLOUT
            except OSError as fault:
                raise Lost(_said(fault)) from fault
            end = end or time.monotonic() + seconds
            self._wait(events | select.POLLIN, end, seconds)
            if self._receive() and heed:
                return False
        return True

    def reply(self, seconds: float) -> Reply:
        """Wait for one whole reply. Raises Lost."""
        end = 0.0
        while True:
            reply = self._next()
            if reply:
                return reply
            end = end or time.monotonic() + seconds
            if not (self._tls and self._receive()):
                self._wait(select.POLLIN, end, seconds)
                self._receive()

    def arrived(self) -> Reply | None:
        """Return a reply that is there already, and be it the last words of a lost connection."""
        with suppress(Lost):
            reply = self._next()
            if reply:
                return reply
            self._receive()
            return self._next()
        return None

    def make_room(self, octets: int) -> None:
        """Have the system take so many octets at once, as far as it allows, whether the relay is quick or not."""
        with suppress(OSError):
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, octets)

    def restless(self) -> bool:
        """Whether the relay has spoken or hung up although nothing was asked; never waits."""
        if self._replies.held:
            return True
        try:
            # In TLS the socket may be readable without anything having been said.
            return bool(self._poll.poll(0)) and self._receive()
        except Lost:
            return True

    def close(self) -> None:
        """Close at once, without a word."""
        self._socket.close()

    def _next(self) -> Reply | None:
        try:
            return self._replies.next()
        except NotSmtp as fault:
            raise Lost(f"the relay answered with {fault}") from fault

    def _receive(self) -> bool:
        """Take in what is there; False if there is nothing. Raises Lost."""
        try:
            octets = self._socket.recv(_READ)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return False
        except OSError as fault:
            raise Lost(_said(fault)) from fault
        if not octets:
            raise Lost("the relay closed the connection")
        self._replies.feed(octets)
        if self._replies.held > self.most_unread:
            raise Lost("the relay said more than it was asked")
        return True

    def _wait(self, events: int, end: float, seconds: float) -> None:
        left = end - time.monotonic()
        if left <= 0:
            raise Lost(f"no whole answer came within {seconds:g} s")
        wait(self._socket, events, end)


def _said(fault: OSError) -> str:
    if isinstance(fault, ssl.SSLEOFError | ssl.SSLZeroReturnError | ConnectionResetError | BrokenPipeError):
        return "the relay closed the connection"
    if isinstance(fault, ssl.SSLError):
        return f"TLS failed: {fault.reason or 'no reason given'}"
    return fault.strerror or type(fault).__name__
