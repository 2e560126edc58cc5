"""Ours, watched: resumes a frozen issue, stops after so many copies, and says what memory it held on the way."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from pipeline import weekly
from pipeline.model import Counts
from pipeline.project import open_project

#: How many times memory is looked at.
LOOKS = 10


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="a newsletter with issue 1 frozen")
    parser.add_argument(
        "--since", type=float, required=True, help="when the process was asked for, monotonic"
    )
    parser.add_argument("--stop-after", type=int, required=True)
    asked = parser.parse_args()
    first = 0.0
    given = -1
    held: list[int] = []

    def step(counts: Counts) -> None:
        nonlocal first, given
        given = counts.accepted if given < 0 else given
        first = first or time.monotonic() - asked.since
        if (counts.accepted - given) * LOOKS >= len(held) * asked.stop_after:
            held.append(_status("VmRSS"))

    project = open_project(asked.folder, environ=os.environ)
    record = weekly.resume(project, 1, step, lambda: len(held) > LOOKS)
    said = {"first": first, "held": held, "peak": _status("VmHWM"), "accepted": record.counts.accepted}
    print(json.dumps({**said, "seconds": time.monotonic() - asked.since}))


def _status(what: str) -> int:
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if what in line)
    return int(line.split()[1]) * 1024


if __name__ == "__main__":
    main()
