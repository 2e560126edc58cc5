"""One connection to a sink that is some milliseconds away: what a round trip costs, and what a window saves."""

from __future__ import annotations

import os
import statistics
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from processes import HERE, free_port, server
from senders import PEERS, Scene, make_letter

TESTS = HERE.parents[1] / "tests"
#: Round trips, in milliseconds.
LINES = (0, 5, 20)
#: Name -> who that is, BDAT messages under way together, messages in a round for each of LINES.
ROWS = {
    "smtplib": ("smtplib", 1, (300, 100, 50)),
    "aiosmtplib": ("aiosmtplib", 1, (300, 100, 50)),
    "ours, window 1": ("ours", 1, (1000, 300, 150)),
    "ours, window 16": ("ours", 16, (3000, 3000, 2000)),
}
#: How many times as fast as smtplib over the longest line.
BARS = {"ours, window 1": 3.5, "ours, window 16": 30.0}


def distance(folder: Path, rounds: int) -> None:
    """Measure everybody over every line and print one table."""
    rows = {name: row for name, row in ROWS.items() if not PEERS[row[0]].missing(Scene(folder, 0, 1))}
    rates: dict[tuple[str, int], list[float]] = {}
    sizes = sorted({many for _, _, counts in rows.values() for many in counts})
    for many in sizes:
        make_letter(folder / str(many), many)
    with relay() as port:
        for _ in range(rounds):
            for place, milliseconds in enumerate(LINES):
                with line(port, milliseconds) as near:
                    for name, (who, window, counts) in rows.items():
                        many = counts[place]
                        scene = Scene(folder / str(many), near, 1, window=window, prebuilt=True)
                        rates.setdefault((name, milliseconds), []).append(PEERS[who].run(scene, many).rate)
    print(f"{'messages/s on one connection':<30}" + "".join(f"{ms:>8} ms {'':>9}" for ms in LINES))
    for name in rows:
        cells = []
        for ms in LINES:
            ratio = _ratio(rates, name, ms)
            cells.append(f"{statistics.median(rates[name, ms]):>11,.0f} {f'({ratio:.1f}x)':>9}")
        print(f"{name:<30}" + "".join(cells))
    for name, wanted in BARS.items():
        is_now = _ratio(rates, name, LINES[-1])
        print(
            f"bar: {name}: {wanted:g} x smtplib at {LINES[-1]} ms: "
            f"{'met' if is_now >= wanted else 'missed'} ({is_now:.1f})"
        )


def _ratio(rates: dict[tuple[str, int], list[float]], name: str, milliseconds: int) -> float:
    pairs = zip(rates[name, milliseconds], rates["smtplib", milliseconds], strict=True)
    return statistics.median(mine / smtplib for mine, smtplib in pairs)


@contextmanager
def relay() -> Iterator[int]:
    """The tests' relay as a process; unlike smtp-sink it offers CHUNKING."""
    port = free_port()
    with server([sys.executable, "-m", "support.relay", "--lax", "--port", str(port)], port, _with_tests()):
        yield port


@contextmanager
def line(port: int, milliseconds: int) -> Iterator[int]:
    """A proxy in front of a port that holds every octet back for half a round trip; none at no distance."""
    if not milliseconds:
        yield port
        return
    near = free_port()
    command = [sys.executable, "-m", "support.proxy", "--to", f"127.0.0.1:{port}", "--port", str(near)]
    with server([*command, f"--one-way={milliseconds / 2000}"], near, _with_tests()):
        yield near


def _with_tests() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(TESTS)}
