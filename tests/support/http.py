"""A server of ours at work in a process of its own, and requests to it octet by octet."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from pipeline.serving import server
from pipeline.serving.server import Server
from support.letter import HERE, SECRET, Letter

#: Seconds until anything that was asked for must have happened.
PATIENCE = 20


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    #: Names in lower case.
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()


class Http:
    """A server that answers on a port of this machine."""

    def __init__(self, process: subprocess.Popen[str], url: str, said: str) -> None:
        self.process = process
        self.url = url
        #: The line with which it began.
        self.said = said
        self.port = int(url.rstrip("/").rpartition(":")[2])
        self.host = f"127.0.0.1:{self.port}"

    def raw(self, request: bytes) -> Reply:
        """Send just these bytes; read the answer to its end."""
        with self.connect() as wire:
            wire.sendall(request)
            return reply(wire)

    def ask(self, target: str, method: str = "GET", body: bytes = b"", **headers: str) -> Reply:
        """Send a request as a browser's own address bar would, with these headers besides; "" leaves one out."""
        head = {"Host": self.host, "Connection": "close"}
        if body:
            head["Content-Length"] = str(len(body))
        head |= {name.replace("_", "-"): value for name, value in headers.items()}
        lines = [f"{method} {target} HTTP/1.1", *(f"{n}: {v}" for n, v in head.items() if v)]
        return self.raw("\r\n".join([*lines, "", ""]).encode() + body)

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE)

    def ends(self, number: int = signal.SIGINT) -> tuple[int, str]:
        """Send a signal; return the exit code and what was said on standard error."""
        self.process.send_signal(number)
        _, err = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, err


def reply(wire: socket.socket) -> Reply:
    """Read one answer."""
    data = b""
    with suppress(ConnectionResetError):
        while part := wire.recv(65536):
            data += part
            head, _, body = data.partition(b"\r\n\r\n")
            length = re.search(rb"^content-length: (\d+)", head, re.I | re.M)
            if length and len(body) >= int(length[1]):
                break
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return Reply(int(first.split()[1]) if first else 0, headers, body)


@contextmanager
def serving(
    letter: Letter, *words: str, clock: str | None, env: Mapping[str, str] | None = None
) -> Iterator[tuple[subprocess.Popen[str], str, str]]:
    """Run a command that serves until the block ends; yields its process, its address and its first line."""
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "pipeline", "-C", str(letter.root)),
            *(["--clock", clock] if clock else []),
            *words,
        ],
        cwd=HERE,
        env={**os.environ, "NEWSLETTER_SECRET": SECRET, "PYTHONUNBUFFERED": "1", **(env or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        start_new_session=True,
    )
    # Whatever goes wrong, nobody waits for ever.
    watchdog = threading.Timer(600, process.kill)
    watchdog.start()
    try:
        assert process.stdout
        said = process.stdout.readline()
        url = re.search(r"http://\S+/", said)
        assert url, f"{said}{process.communicate(timeout=PATIENCE)}"
        yield process, url[0], said.strip()
    finally:
        watchdog.cancel()
        process.kill()
        process.communicate()


@contextmanager
def listening(make: Callable[[], Server]) -> Iterator[int]:
    """Run a server in a thread until the block ends; yields its port."""
    listener = server.listen(socket.AF_INET, ("127.0.0.1", 0))
    http = make()
    thread = threading.Thread(target=lambda: http.run(sockets=[listener]))
    port = listener.getsockname()[1]
    thread.start()
    try:
        yield port
    finally:
        http.should_exit = True
        thread.join()
