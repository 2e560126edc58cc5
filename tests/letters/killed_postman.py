"""Postmen who die on command: their rounds in a child of this process, killed at a named point or after a while.

One JSON list a line on standard input: folder, environment, point (or
"after"), which time (or milliseconds), and for how many seconds armed letters
may be another's; one line back: `killed`, `done`, or what went wrong. The
imports are paid for once; every run opens the newsletter as a new process would.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from pipeline import subscribing
from pipeline.deliver import points
from pipeline.deliver.points import Point
from pipeline.postman import Postman, office
from pipeline.project import open_project

NOW = datetime.fromisoformat("2026-11-25T10:00:00-05:00")


def work(root: Path, environ: dict[str, str]) -> None:
    postman = Postman(lambda: open_project(root, NOW.isoformat(), environ), lambda: NOW, sys.stderr.write)
    while postman.round() == 0:
        pass


def die_at(point: Point, nth: int) -> None:
    """Have this process killed the nth time it reaches a point, with no chance to clear up."""
    passed = 0

    def hook(reached: Point) -> None:
        nonlocal passed
        passed += reached is point
        if passed == nth:
            os.kill(os.getpid(), signal.SIGKILL)

    points.hook = hook


def fork_run(root: Path, environ: dict[str, str], when: str, number: float, overdue: float) -> int:
    office.OVERDUE = timedelta(seconds=overdue)
    hear, told = os.pipe()
    child = os.fork()
    if child == 0:
        if when == "after":
            points.hook = lambda point: os.write(told, b".") and None
        elif when:
            die_at(Point(when), int(number))
        work(root, environ)
        os._exit(0)
    os.close(told)
    if when == "after":
        os.read(hear, 1)
        time.sleep(number / 1000)
        os.kill(child, signal.SIGKILL)
    os.close(hear)
    return os.waitpid(child, 0)[1]


def warm_up() -> None:
    """Do all of it once, so that what is imported and read is paid for before the first fork."""
    with TemporaryDirectory() as folder:
        root, environ = Path(folder), {"NEWSLETTER_SECRET": "x" * 32}
        (root / "newsletter.toml").touch()
        subscribing.ask(open_project(root, NOW.isoformat(), environ), "ana@example.com", "", NOW)
        work(root, environ)
    gc.collect()


def main() -> None:
    """Fork a run for every line."""
    warm_up()
    for line in sys.stdin:
        root, environ, when, number, overdue = json.loads(line)
        status = fork_run(Path(root), environ, when, number, overdue)
        said = {0: "done", signal.SIGKILL: "killed"}.get(status, f"status {status}")
        sys.stdout.write(f"{said}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
