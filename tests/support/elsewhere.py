"""Other people's servers, on loopback: each does exactly what a test says, and writes down who asked what and when.

    with Site({"/gone": status(404)}) as site:
        site.url("/gone")                       # http://site.example:PORT/gone; look_up() knows the name

An action is called with the connection and the request, and may write any octets or none.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

Action = Callable[[socket.socket, "Asked"], None]


@dataclass
class Asked:
    """One request as it came, and when it was begun and done with."""

    method: str
    path: str
    head: str
    host: str
    began: float
    ended: float = 0.0

    def header(self, name: str) -> str | None:
        for line in self.head.split("\r\n")[1:]:
            key, _, value = line.partition(":")
            if key.lower() == name.lower():
                return value.strip()
        return None


def reply(code: int, body: bytes = b"", **headers: str) -> Action:
    """Answer with a status, headers (`retry_after="9"`) and a body; to HEAD without the body."""
    lines = [f"HTTP/1.1 {code} Whatever", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    head = "\r\n".join([*lines, "", ""]).encode()

    def action(connection: socket.socket, asked: Asked) -> None:
        connection.sendall(head + (b"" if asked.method == "HEAD" else body))

    return action


def to(location: str, code: int = 302) -> Action:
    """Redirect."""
    return reply(code, location=location)


def by_method(head: Action, get: Action) -> Action:
    """Do one thing for HEAD, another for GET."""
    return lambda connection, asked: (head if asked.method == "HEAD" else get)(connection, asked)


def raw(data: bytes) -> Action:
    """Write these octets, then hang up."""
    return lambda connection, asked: connection.sendall(data)


def endless(begin: bytes, more: bytes, pause: float = 0.0) -> Action:
    """Write on and on until the client goes."""

    def action(connection: socket.socket, asked: Asked) -> None:
        connection.sendall(begin)
        until = time.monotonic() + 10
        while time.monotonic() < until:
            connection.sendall(more)
            time.sleep(pause)

    return action


def silent(connection: socket.socket, asked: Asked) -> None:
    """Say nothing until the client goes."""
    with contextlib.suppress(OSError):
        connection.settimeout(10)
        connection.recv(1)


def slow(seconds: float) -> Action:
    """Answer 200 after a while."""

    def action(connection: socket.socket, asked: Asked) -> None:
        time.sleep(seconds)
        reply(200)(connection, asked)

    return action


@dataclass
class Site:
    """A server that answers each path as told, `/robots.txt` with 404 unless told otherwise, all else with 200."""

    actions: Mapping[str, Action] = field(default_factory=dict)
    name: str = "site.example"
    tls: ssl.SSLContext | None = None

    def __post_init__(self) -> None:
        self.asked: list[Asked] = []
        self.most_at_once = 0
        self._now: dict[str, int] = {}
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = self._listener.getsockname()[1]
        self._over = False

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over = True
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def url(self, path: str, name: str = "") -> str:
        return f"http{'s' if self.tls else ''}://{name or self.name}:{self.port}{path}"

    def pages(self) -> list[str]:
        """What was asked for, robots.txt aside."""
        return [f"{each.method} {each.path}" for each in self.asked if each.path != "/robots.txt"]

    def _accept(self) -> None:
        while not self._over:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), contextlib.closing(connection):
            connection.settimeout(10)
            if self.tls:
                connection = self.tls.wrap_socket(connection, server_side=True)
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                octets = connection.recv(4096)
                if not octets:
                    return
                head += octets
                if head[:1] == b"\x16":  # TLS where none is spoken
                    connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
                    return
            method, path, _ = head.decode("latin-1").split("\r\n")[0].split(" ")
            asked = Asked(method, path, head.decode("latin-1"), "", time.monotonic())
            asked.host = (asked.header("Host") or "").partition(":")[0]
            with self._lock:
                self.asked.append(asked)
                self._now[asked.host] = self._now.get(asked.host, 0) + 1
                self.most_at_once = max(self.most_at_once, *self._now.values())
            try:
                default = reply(404 if path == "/robots.txt" else 200)
                self.actions.get(path, default)(connection, asked)
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_WR)
            finally:
                with self._lock:
                    self._now[asked.host] -= 1
                asked.ended = time.monotonic()
            connection.close()


def look_up(host: str, port: int) -> list[str]:
    """Know every name below `example` as this machine, addresses as themselves, and nothing else."""
    if host.endswith(".example"):
        return ["127.0.0.1"]
    with contextlib.suppress(OSError):
        return [str(socket.getaddrinfo(host, port, flags=socket.AI_NUMERICHOST)[0][4][0])]
    raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")


def offline(host: str, port: int) -> list[str]:
    """Fail as a resolver does without a network."""
    raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
