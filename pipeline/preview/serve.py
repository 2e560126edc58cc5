"""Serves the preview on a port that only this machine can reach."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from pipeline.errors import NewsletterError, UsageError
from pipeline.preview.app import make_app
from pipeline.serving import server
from pipeline.serving.server import Server, configure

if TYPE_CHECKING:
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
        try:
            return server.listen(family, (host, number))
        except OSError as fault:
            why = fault
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


def hosts_of(listener: socket.socket) -> list[str]:
    """List the names under which we may be called, as a Host header writes them."""
    host, port = listener.getsockname()[:2]
    names = ["127.0.0.1", "localhost", "[::1]", f"[{host}]" if ":" in host else host]
    # RFC 9110, 4.2.1: port 80 goes without saying.
    return [*(f"{name}:{port}" for name in names), *(names if port == 80 else ())]


#: Seconds that a request has to be finished in once the preview is told to end.
PATIENCE = 2


def serve(live: Live, listener: socket.socket, ready: Callable[[], None]) -> None:
    """Answer until Ctrl-C or SIGTERM; `ready` is called when the first request can come."""
    # Listeners are sent home when it is told to end, so that none of them holds it up.
    http = Server(configure(make_app(live, hosts_of(listener)), PATIENCE), ready, live.close)
    server.run(http, _serve(http, live, listener))


async def _serve(http: Server, live: Live, listener: socket.socket) -> None:
    watching = asyncio.create_task(live.run())
    # It must have begun before anybody can ask.
    await asyncio.sleep(0)
    await http.serve(sockets=[listener])
    live.close()
    await watching
