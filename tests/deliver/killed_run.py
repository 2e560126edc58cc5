"""Runs that die on command: `deliver` in a child of this process, killed at a named point or after a while.

One line a run on standard input, ROOT POINT NTH or ROOT after MILLISECONDS;
one line back: `killed`, `done`, or what went wrong. The imports are paid for
once; every run opens the ledger for itself, as a new process would.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path
from uuid import uuid4

from support.sending import SomeTokens

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


def main() -> None:
    """Fork a run for every line."""
    import sqlalchemy  # noqa: F401  # pays for the imports before the first fork

    for line in sys.stdin:
        root, when, number = line.rstrip("\n").split("\t")
        child = os.fork()
        if child == 0:
            if when != "after":
                die_at(Point(when), int(number))
            run(Path(root))
            os._exit(0)
        if when == "after":
            time.sleep(float(number) / 1000)
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        said = {0: "done", signal.SIGKILL: "killed"}.get(status, f"status {status}")
        sys.stdout.write(f"{said}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
