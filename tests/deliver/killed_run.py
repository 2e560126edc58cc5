"""Runs that die on command: `deliver` in a child of this process, killed at a named point or after a while.

One line a run on standard input, ROOT POINT NTH, or ROOT `after` MILLISECONDS
since its first lease; one line back: `killed`, `done`, or what went wrong. The
imports are paid for once; every run opens the ledger for itself, as a new
process would.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from datetime import date
from pathlib import Path
from uuid import uuid4

from support.sending import SomeTokens

from pipeline.dates import long_date
from pipeline.deliver import points
from pipeline.deliver.message import Splicer
from pipeline.deliver.points import Point
from pipeline.deliver.run import deliver
from pipeline.mailers.outbox import Outbox
from pipeline.store import open_store


def run(root: Path) -> None:
    """Deliver issue 1, as `newsletter resume 1` does."""
    store = open_store("sqlite:///newsletter.db", root, SomeTokens())
    frozen = store.frozen(1)
    assert frozen
    deliver(store, Outbox(root / "outbox"), Splicer(frozen, SomeTokens()), 1, str(uuid4()))
    store.close_database()


def die_at(point: Point, nth: int) -> None:
    """Have this process killed the nth time it reaches a point, with no chance to clear up."""
    passed = 0

    def hook(reached: Point) -> None:
        nonlocal passed
        passed += reached is point
        if passed == nth:
            os.kill(os.getpid(), signal.SIGKILL)

    points.hook = hook


def tell_when_leased(told: int) -> None:
    def hook(reached: Point) -> None:
        if reached is Point.LEASED:
            os.write(told, b".")

    points.hook = hook


def fork_run(root: Path, when: str, number: float) -> int:
    """Run in a child, killed when it is told to be; return how it ended, as os.waitpid says it."""
    hear, told = os.pipe()
    child = os.fork()
    if child == 0:
        if when == "after":
            tell_when_leased(told)
        else:
            die_at(Point(when), int(number))
        run(root)
        os._exit(0)
    os.close(told)
    if when == "after":
        os.read(hear, 1)
        time.sleep(number / 1000)
        os.kill(child, signal.SIGKILL)
    os.close(hear)
    return os.waitpid(child, 0)[1]


def main() -> None:
    """Fork a run for every line."""
    import sqlalchemy  # noqa: F401  # paid for before the first fork, as are a language's dates

    long_date(date(2026, 1, 1), "en")
    for line in sys.stdin:
        root, when, number = line.rstrip("\n").split("\t")
        status = fork_run(Path(root), when, float(number))
        said = {0: "done", signal.SIGKILL: "killed"}.get(status, f"status {status}")
        sys.stdout.write(f"{said}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
