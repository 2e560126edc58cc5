"""A port of this machine, uvicorn on it, and an end in good order at the first Ctrl-C or SIGTERM."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

import uvicorn

if TYPE_CHECKING:
    from types import FrameType

    from starlette.types import ASGIApp

#: Connections that may wait to be taken.
BACKLOG = 128


def listen(family: int, place: Any) -> socket.socket:
    """Take a port. Raises OSError if it cannot be had."""
    # With the protocol named asyncio turns Nagle's algorithm off; else a client that keeps its connection waits 40 ms
    # for every body, which is written after the head.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        # A port that was left a moment ago is free; on Windows the same word would share it with strangers.
        if hasattr(socket, "SO_EXCLUSIVEADDRUSE"):
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(place)
        listener.listen(BACKLOG)
    except BaseException:
        listener.close()
        raise
    return listener


def url_of(listener: socket.socket) -> str:
    """Return the address at which a browser on this machine finds us."""
    host, port = listener.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}/"


class Server(uvicorn.Server):
    """Uvicorn that says when the first request can come, and when it is told to end."""

    def __init__(
        self, config: uvicorn.Config, ready: Callable[[], None], at_end: Callable[[], None] = lambda: None
    ) -> None:
        super().__init__(config)
        self._ready, self._at_end = ready, at_end

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen."""
        await super().startup(sockets)
        self._ready()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Take note of a signal."""
        super().handle_exit(sig, frame)
        self._at_end()


def configure(app: ASGIApp, patience: int, **changes: Any) -> uvicorn.Config:
    """Return how we serve; `patience` is how many seconds what is under way has at the end."""
    usual: dict[str, Any] = {
        # Named, so that what a machine has installed besides does not change how requests are read.
        "http": "h11",
        "loop": "asyncio",
        "ws": "none",
        "lifespan": "off",
        "interface": "asgi3",
        "log_config": None,
        "log_level": "critical",
        "access_log": False,
        "server_header": False,
        "proxy_headers": False,
        "timeout_graceful_shutdown": patience,
    }
    return uvicorn.Config(app, **(usual | changes))


def run(server: Server, main: Coroutine[Any, Any, None]) -> None:
    """Run a server to its end, for which a signal is the ordinary cause, however early it comes."""
    # Uvicorn raises again, at its end, the signal that ended it; then it is heard here once more.
    before = {number: signal.signal(number, server.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        asyncio.run(main)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
