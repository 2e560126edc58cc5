"""Each connection has only so much time for each thing; the server is a real one, its seconds are short."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest
from starlette.types import Receive, Scope, Send
from support.http import listening
from uvicorn.server import ServerState

from pipeline.serving import server
from pipeline.web import protocol
from pipeline.web.protocol import Wary, WaryServer

PIECE, PIECES = b"x" * 1_000_000, 30
#: It takes two looks to see that something lasts, and this machine has other work.
SLACK = 1.5


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Read a body to its end, then answer; at /long with more than any buffer holds."""
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": []})
    for _ in range(PIECES if scope["path"] == "/long" else 0):
        await send({"type": "http.response.body", "body": PIECE, "more_body": True})
    await send({"type": "http.response.body", "body": b"done"})


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    for name, seconds in (("HEAD", 0.4), ("BODY", 0.9), ("ANSWER", 0.4), ("TENTHS", 1)):
        monkeypatch.setattr(protocol, name, seconds)
    with listening(lambda: WaryServer(server.configure(app, 1, http=Wary), lambda: None)) as at:
        yield at


def lasts(port: int, first: bytes, then: bytes = b"") -> float:
    """Send something, then a byte now and then; how long until the connection is cut."""
    began = time.monotonic()
    with socket.create_connection(("127.0.0.1", port)) as wire, suppress(ConnectionError):
        wire.sendall(first)
        wire.settimeout(0.1)
        while time.monotonic() - began < 15:
            with suppress(TimeoutError):
                if wire.recv(65536) == b"":
                    break
            wire.sendall(then)
    return time.monotonic() - began


POST = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n"


@pytest.mark.parametrize(
    ("first", "then", "seconds"),
    [
        (b"GET / HTTP/1.1\r\nX: ", b"x", 0.4),
        (b"", b"", 0.4),
        (POST, b"x", 0.9),
        # The second request on a connection has no more time than the first.
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nX: ", b"x", 0.4),
    ],
)
def test_a_client_that_takes_its_time_is_cut(port: int, first: bytes, then: bytes, seconds: float) -> None:
    assert seconds <= lasts(port, first, then) < seconds + SLACK


def test_a_client_that_does_not_read_is_cut(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port)) as wire:
        wire.sendall(b"GET /long HTTP/1.1\r\nHost: x\r\n\r\n")
        time.sleep(0.4 + SLACK / 2)
        wire.settimeout(5)
        got = 0
        with suppress(ConnectionError):
            while part := wire.recv(1 << 20):
                got += len(part)
        assert got < PIECES * len(PIECE)


def test_a_client_that_reads_slowly_but_steadily_is_served_to_the_end(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port)) as wire:
        wire.sendall(b"GET /long HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        got = 0
        while part := wire.recv(1 << 19):
            got += len(part)
            time.sleep(0.02)
        assert got > PIECES * len(PIECE)


def test_a_client_that_asks_again_and_again_is_not_cut(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port)) as wire:
        until = time.monotonic() + 1.5
        while time.monotonic() < until:
            wire.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            answer = b""
            while b"done" not in answer:
                part = wire.recv(4096)
                assert part
                answer += part
            time.sleep(0.2)


def test_one_peer_has_only_so_many_connections(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "MOST_OF_A_PEER", 5)
    monkeypatch.setattr(protocol, "HEAD", 30)

    def cut(wires: list[socket.socket]) -> int:
        gone = 0
        for wire in wires:
            wire.settimeout(10)
            try:
                wire.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                gone += wire.recv(4096) == b""
            except ConnectionError:
                gone += 1
        return gone

    wires = [socket.create_connection(("127.0.0.1", port)) for _ in range(9)]
    assert cut(wires) == 4
    for wire in wires:
        wire.close()
    monkeypatch.setattr(Wary, "trusts", staticmethod(lambda host: host == "127.0.0.1"))
    wires = [socket.create_connection(("127.0.0.1", port)) for _ in range(9)]
    assert cut(wires) == 0
    for wire in wires:
        wire.close()


class Elsewhere(asyncio.Transport):
    """The wire of a peer far away: no machine that runs tests has a whole network."""

    def __init__(self, host: str) -> None:
        super().__init__({"peername": (host, 4711)})
        self.cut = False

    def abort(self) -> None:
        self.cut = True


def test_a_network_of_one_house_is_one_peer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "MOST_OF_A_PEER", 5)
    config, state = server.configure(app, 1, http=Wary), ServerState()
    config.load()
    loop = asyncio.new_event_loop()

    def taken(host: str) -> bool:
        wire = Elsewhere(host)
        Wary(config, state, {}, loop).connection_made(wire)
        return not wire.cut

    house = [taken(f"2001:db8:1:2::{number:x}") for number in range(9)]
    assert house == [True] * 5 + [False] * 4
    # The house next door, and an address as a socket for both protocols writes it.
    assert taken("2001:db8:1:3::1")
    assert [taken(host) for host in ["192.0.2.1", "::ffff:192.0.2.1"] * 3] == [True] * 5 + [False]
    loop.close()


def test_a_body_does_not_wait_for_its_head_to_be_acknowledged(port: int) -> None:
    took = []
    with socket.create_connection(("127.0.0.1", port)) as wire:
        for _ in range(8):
            began, answer = time.monotonic(), b""
            wire.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            while b"done" not in answer:
                answer += wire.recv(4096)
            took.append(time.monotonic() - began)
    # Nagle's algorithm would make each of them 40 ms.
    assert min(took[1:]) < 0.03


def test_a_server_that_is_told_to_end_before_it_began_ends() -> None:
    listener = server.listen(socket.AF_INET, ("127.0.0.1", 0))
    http = WaryServer(server.configure(app, 1, http=Wary), lambda: None)

    async def main() -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        async with asyncio.timeout(5):
            await http.serve(sockets=[listener])

    server.run(http, main())
    assert http.should_exit
