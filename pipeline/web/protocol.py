"""HTTP on one connection, for clients of whom nothing is known: each has only so much time for each thing.

Uvicorn's own protocol waits for ever for a request that has begun, and for a
client that does not read its answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import Server as UvicornServer

from pipeline.serving.headers import dress
from pipeline.serving.server import Server
from pipeline.web.headers import PLAIN
from pipeline.web.visitors import limit_key

#: Seconds until a request's head is there, then its body, and until a part of the answer is taken off our hands.
HEAD, BODY, ANSWER = 10, 20, 20
#: Tenths of a second between two looks at all connections.
TENTHS = 10
#: Connections at once, and of one peer that is no proxy of ours.
MOST, MOST_OF_A_PEER = 900, 60


class Wary(H11Protocol):
    """One connection."""

    #: Tells whether a peer may have as many connections as it likes.
    trusts: Callable[[str], bool] = staticmethod(lambda _host: False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._stage = ("", 0)
        self._since = 0.0
        #: Whom it counts for.
        self._peer = ""
        #: Requests answered, and how often a part of an answer was taken off our hands.
        self._answered = self._taken = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin, unless there are too many already."""
        super().connection_made(transport)
        host = self.client[0] if self.client else ""
        self._peer = limit_key(host)
        of_this_peer = sum(isinstance(each, Wary) and each._peer == self._peer for each in self.connections)
        if len(self.connections) > MOST or (of_this_peer > MOST_OF_A_PEER and not self.trusts(host)):
            transport.abort()

    def data_received(self, data: bytes) -> None:
        """Take in what has come."""
        try:
            super().data_received(data)
        except h11.LocalProtocolError:
            # Nonsense after a request that was answered before it ended: there is no answer to that.
            self.transport.abort()

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP; whoever is at work on the request that it was part of can go home."""
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        headers = [
            *dress([], PLAIN),
            (b"content-type", b"text/plain; charset=utf-8"),
            (b"connection", b"close"),
        ]
        body = f"{msg}\n".encode("ascii", "replace")
        for event in (
            h11.Response(status_code=400, headers=headers, reason=b"Bad Request"),
            h11.Data(data=body),
            h11.EndOfMessage(),
        ):
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()

    def on_response_complete(self) -> None:
        """Turn to the next request."""
        self._answered += 1
        super().on_response_complete()

    def resume_writing(self) -> None:
        """Go on with an answer."""
        self._taken += 1
        super().resume_writing()

    def look(self, now: float) -> None:
        """Cut the connection if it has been at one thing for too long; asked now and then."""
        stage, seconds = self._at()
        if stage != self._stage:
            self._stage, self._since = stage, now
        elif seconds is not None and now - self._since > seconds:
            self.transport.abort()

    def _at(self) -> tuple[tuple[str, int], float | None]:
        """Say what the connection is at, and how long that may last."""
        if self.transport.is_closing():
            return ("closing", 0), ANSWER
        if self.flow.write_paused:
            return ("answer", self._taken), ANSWER
        theirs = self.conn.their_state
        if theirs is h11.IDLE:
            return ("head", self._answered), HEAD
        if theirs is h11.SEND_BODY:
            return ("body", self._answered), BODY
        return ("ours", self._answered), None


class WaryServer(Server):
    """Uvicorn that looks after its connections once a second."""

    async def on_tick(self, counter: int) -> bool:
        """Do what is done ten times a second."""
        if counter % TENTHS == 0:
            now = asyncio.get_running_loop().time()
            for each in list(self.server_state.connections):
                if isinstance(each, Wary):
                    each.look(now)
        return await UvicornServer.on_tick(self, counter)
