"""Serves the preview: a port of this machine, uvicorn on it, and an end in good order at the first Ctrl-C."""

from __future__ import annotations

import asyncio
import ipaddress
import signal
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

import uvicorn

from pipeline.errors import NewsletterError, UsageError
from pipeline.preview.app import make_app

if TYPE_CHECKING:
    from types import FrameType

    from pipeline.preview.live import Live

HOST, PORT = "127.0.0.1", 8765
#: How many ports after the usual one are tried.
NEXT = 20


def listen(address: str, port: int | None) -> socket.socket:
    """Take a port: just this one, or the first free one from 8765 on.

    Raises UsageError for an address that other machines can reach, NewsletterError if the port is taken.
    """
    host = loopback(address)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for number in [port] if port is not None else [*range(PORT, PORT + NEXT), 0]:
        listener = socket.socket(family, socket.SOCK_STREAM)
        # A port that the last preview left a moment ago is free.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, number))
            listener.listen(128)
        except OSError as fault:
            listener.close()
            why = fault
            continue
        return listener
    raise NewsletterError(
        f"port {port} of {host} cannot be had: {why.strerror}. Take another: newsletter preview -p 0"
    )


def loopback(address: str) -> str:
    """Return an address of this machine that no other can reach. Raises UsageError for any other."""
    host = "127.0.0.1" if address == "localhost" else address.strip("[]")
    with suppress(ValueError):
        if ipaddress.ip_address(host).is_loopback:
            return host
    raise UsageError(
        f"-b {address}: the preview can approve an issue and send test copies, so it is for this machine only. To "
        f"look from another one: ssh -L {PORT}:{HOST}:{PORT} THIS-MACHINE, then http://{HOST}:{PORT}/ there."
    )


def url_of(listener: socket.socket) -> str:
    """Return the address at which a browser finds us."""
    host, port = listener.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}/"


def hosts_of(listener: socket.socket) -> list[str]:
    """List the names under which we may be called, as a Host header writes them."""
    host, port = listener.getsockname()[:2]
    names = ["127.0.0.1", "localhost", "[::1]", f"[{host}]" if ":" in host else host]
    # RFC 9110, 4.2.1: port 80 goes without saying.
    return [*(f"{name}:{port}" for name in names), *(names if port == 80 else ())]


class _Server(uvicorn.Server):
    """Uvicorn that sends listeners home when it is told to end, so that none of them holds it up."""

    def __init__(self, config: uvicorn.Config, at_end: Callable[[], None]) -> None:
        super().__init__(config)
        self._at_end = at_end

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        super().handle_exit(sig, frame)
        self._at_end()


def serve(live: Live, listener: socket.socket, ready: Callable[[], None]) -> None:
    """Answer until Ctrl-C or SIGTERM; `ready` is called when the first request can come."""
    config = uvicorn.Config(
        make_app(live, hosts_of(listener)),
        # Named, so that what a machine has installed besides does not change how requests are read.
        http="h11",
        loop="asyncio",
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        log_level="critical",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=2,
    )
    server = _Server(config, live.close)
    # Uvicorn raises again, at its end, the signal that ended it; for us that is the ordinary end.
    before = {number: signal.signal(number, _heard) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        asyncio.run(_serve(server, live, listener, ready))
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _heard(_number: int, _frame: FrameType | None) -> None:
    """Take note of a signal; uvicorn's own handler has done what there is to do."""


async def _serve(server: _Server, live: Live, listener: socket.socket, ready: Callable[[], None]) -> None:
    watching = asyncio.create_task(live.run())
    # It must have begun before anybody can ask.
    await asyncio.sleep(0)
    ready()
    await server.serve(sockets=[listener])
    live.close()
    await watching
