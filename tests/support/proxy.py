"""A TCP proxy that makes a relay far away: every octet is late by the same time, and none waits for another.

    with Proxy((relay.host, relay.port), one_way=0.010) as proxy:       # connect to proxy.host, proxy.port

A round trip then costs twice `one_way`. Throughput is not limited: what is read is queued with the moment at which it
is due, and written then, in its order. The end of a stream and a reset are as late as octets are; only the opening of
a connection is at once, since the kernel answers that.

As a process: `PYTHONPATH=tests python -m support.proxy --to HOST:PORT --one-way 0.010 --ready FILE`; FILE gets the
port.
"""

from __future__ import annotations

import argparse
import ctypes
import heapq
import selectors
import signal
import socket
import struct
import sys
import threading
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

READ = 1 << 18
PR_SET_TIMERSLACK = 29


class Way:
    """One direction of one connection."""

    def __init__(self, source: socket.socket, target: socket.socket) -> None:
        self.source, self.target = source, target
        #: Octets and when they are due; b"" is the end of the stream, None a reset.
        self.queue: deque[tuple[float, bytes | None]] = deque()
        #: What was due and did not fit into the socket.
        self.rest = b""
        self.over = False


class Proxy:
    """Listens from `with` to its end; one thread serves all connections."""

    def __init__(self, to: tuple[str, int], one_way: float, port: int = 0) -> None:
        self.to, self.one_way = to, one_way
        self.host = "127.0.0.1"
        self._listener = socket.create_server((self.host, port), backlog=128)
        self.port: int = self._listener.getsockname()[1]
        self._wake, self._waker = socket.socketpair()
        self._selector = selectors.DefaultSelector()
        #: When the head of each way's queue is due; the number keeps ways from being compared.
        self._due: list[tuple[float, int, Way]] = []
        self._ways: dict[socket.socket, Way] = {}
        self._turn = 0
        self._thread = threading.Thread(target=self._serve, name="proxy", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Stop listening and cut every connection."""
        self._waker.send(b"!")
        self._thread.join(5)
        for each in (*self._ways, self._listener, self._wake, self._waker):
            each.close()
        self._selector.close()

    def _serve(self) -> None:
        _sleep_precisely()
        self._listener.setblocking(False)
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._selector.register(self._wake, selectors.EVENT_READ)
        while True:
            for key, events in self._selector.select(self._until_next()):
                if key.fileobj is self._wake:
                    return
                if key.fileobj is self._listener:
                    self._accept()
                elif events & selectors.EVENT_READ:
                    self._read(self._ways[key.fileobj])  # type: ignore[index]
            self._write_what_is_due()

    def _until_next(self) -> float | None:
        if not self._due:
            return None
        left = self._due[0][0] - time.monotonic()
        # epoll counts in milliseconds and would be late by up to one: the last of them is slept through.
        if left < 0.002:
            return 0.0 if left < 0.0002 else self._nap(left)
        return left - 0.0015

    def _nap(self, left: float) -> float:
        time.sleep(min(left, 0.0002))
        return 0.0

    def _accept(self) -> None:
        with suppress(OSError):
            client, _ = self._listener.accept()
            try:
                server = socket.create_connection(self.to, timeout=5)
            except ConnectionResetError:
                self._reset_late(client)
                return
            except OSError:
                client.close()
                return
            for each, other in ((client, server), (server, client)):
                each.setblocking(False)
                each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._ways[each] = Way(each, other)
                self._selector.register(each, selectors.EVENT_READ)

    def _reset_late(self, client: socket.socket) -> None:
        """The relay's reset was here before its connection: for the client it comes as late as any other."""
        nobody = socket.socket()
        self._ways[client], way = Way(client, nobody), Way(nobody, client)
        due = time.monotonic() + self.one_way
        way.queue.append((due, None))
        self._wait_for(way, due)

    def _read(self, way: Way) -> None:
        data: bytes | None
        try:
            data = way.source.recv(READ)
        except BlockingIOError:
            return
        except OSError:
            data = None
        due = time.monotonic() + self.one_way
        if not way.queue:
            self._wait_for(way, due)
        way.queue.append((due, data))
        if not data:
            self._selector.unregister(way.source)

    def _wait_for(self, way: Way, due: float) -> None:
        self._turn += 1
        heapq.heappush(self._due, (due, self._turn, way))

    def _write_what_is_due(self) -> None:
        now = time.monotonic()
        while self._due and self._due[0][0] <= now:
            _, _, way = heapq.heappop(self._due)
            while way.queue and way.queue[0][0] <= now and not way.over:
                if not self._write(way, way.queue[0][1]):
                    # The other side does not read: look again soon, and keep the order.
                    self._wait_for(way, now + 0.001)
                    break
                way.queue.popleft()
            else:
                if way.queue and not way.over:
                    self._wait_for(way, way.queue[0][0])

    def _write(self, way: Way, data: bytes | None) -> bool:
        """Write all of it; False if some is left for later."""
        if not data:
            self._end(way, reset=data is None)
            return True
        left = way.rest or data
        try:
            while left:
                left = left[way.target.send(left) :]
        except BlockingIOError:
            way.rest = left
            return False
        except OSError:
            self._end(way, reset=True)
        way.rest = b""
        return True

    def _end(self, way: Way, reset: bool) -> None:
        """Pass the end of a stream, or of the whole connection, on."""
        way.over = True
        back = self._ways.get(way.target)
        with suppress(OSError):
            if reset:
                way.target.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            else:
                way.target.shutdown(socket.SHUT_WR)
        if back is not None and (reset or back.over):
            back.over = True
            for each in (way.source, way.target):
                self._ways.pop(each, None)
                with suppress(KeyError, ValueError):
                    self._selector.unregister(each)
                each.close()


def _sleep_precisely() -> None:
    """Ask Linux to wake this thread when it says, not up to 50 microseconds later."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_TIMERSLACK, 1000, 0, 0, 0)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a proxy until SIGTERM or Ctrl-C."""
    parser = argparse.ArgumentParser(prog="support.proxy", description="A relay made far away.")
    parser.add_argument("--to", required=True, metavar="HOST:PORT")
    parser.add_argument("--one-way", type=float, required=True, help="seconds")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--ready", type=Path, help="gets the port when it listens")
    given = parser.parse_args(arguments)
    host, _, port = given.to.rpartition(":")
    ending = threading.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda *_: ending.set())
    with Proxy((host, int(port)), given.one_way, given.port) as proxy:
        if given.ready:
            beside = given.ready.with_name(f".{given.ready.name}.part")
            beside.write_text(f"{proxy.port}\n")
            beside.replace(given.ready)
        else:
            print(proxy.port, flush=True)  # noqa: T201
        ending.wait()


if __name__ == "__main__":
    main()
