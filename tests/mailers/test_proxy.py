"""The proxy that makes a relay far away costs what it says, and nothing else."""

from __future__ import annotations

import smtplib
import socket
import statistics
import threading
import time

import pytest
from support.proxy import Proxy
from support.relay import Relay
from support.relay_script import Script, reset

SIZE = 20_000_000


#: A machine may be busy; not each time.
TRIES = 6


def test_a_round_trip_costs_twice_the_way():
    def times() -> list[float]:
        found = []
        for _ in range(15):
            began = time.perf_counter()
            smtp.noop()
            found.append(time.perf_counter() - began)
        assert min(found) >= 0.020
        return found

    with (
        Relay() as relay,
        Proxy((relay.host, relay.port), one_way=0.010) as proxy,
        smtplib.SMTP(proxy.host, proxy.port) as smtp,
    ):
        assert any(statistics.median(times()) < 0.035 for _ in range(TRIES))


def test_octets_do_not_wait_for_each_other():
    for _ in range(TRIES):
        first, took = send_many_octets()
        assert first >= 0.050
        # One way at a time for each of the 80 pieces that are read at most would take 4 seconds.
        if first < 0.150 and took < 2.0:
            return
    raise AssertionError((first, took))


def send_many_octets() -> tuple[float, float]:
    """Send them through a proxy; return when the first came and when the last."""
    far = socket.create_server(("127.0.0.1", 0))
    with Proxy(far.getsockname(), one_way=0.050) as proxy:
        near = socket.create_connection((proxy.host, proxy.port))
        end, _ = far.accept()
        began = time.perf_counter()

        def write() -> None:
            near.sendall(b"x" * SIZE)
            near.shutdown(socket.SHUT_WR)

        writer = threading.Thread(target=write)
        writer.start()
        got, first = 0, 0.0
        while octets := end.recv(1 << 20):
            first = first or time.perf_counter() - began
            got += len(octets)
        took = time.perf_counter() - began
        writer.join()
        for each in (near, end, far):
            each.close()
    assert got == SIZE
    return first, took


def test_a_reset_comes_through_late():
    with (
        Relay(Script().always("greeting", reset())) as relay,
        Proxy((relay.host, relay.port), one_way=0.030) as proxy,
    ):
        began = time.perf_counter()
        with socket.create_connection((proxy.host, proxy.port)) as near, pytest.raises(ConnectionResetError):
            near.recv(1)
        assert time.perf_counter() - began >= 0.030
