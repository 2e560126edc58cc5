"""Kills and stops newsletters on their way over SMTP, brings them to their end, and compares ledger, relay and readers.

    python bench/soak.py [--kills 1000] [--stops 100] [--faults 0.15] [--at-once 2] [--seed 1]

Each newsletter goes to a scripted relay (a process of its own) that fails in 15 of 100 transactions, in every way it
knows. SIGKILL comes at random moments, again and again until the issue is out; SIGSTOP lasts longer than a lease, while
another run joins. A third of the kills hits `python -m pipeline`; the others hit the same command line in a fork of a
process that has read its programs already. Ends with 1 if anybody got a copy twice, was lost or is stuck, or if ledger
and relay differ by anything but named doubts.
"""

from __future__ import annotations

import argparse
import itertools
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from support.letter import Letter
from support.soak import Manner, Newsletter, Toll, make_letter, manner
from support.starter import Forks

#: What is counted, in the order of the table; the rest follows by name.
FIRST = ("newsletters", "kills", "stops", "lives", "twice", "lost", "stuck", "violations of SMTP")


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=1000, help="how many (default: %(default)s)")
    parser.add_argument("--stops", type=int, default=100, help="how many (default: %(default)s)")
    parser.add_argument("--readers", type=int, default=40, help="of each newsletter (default: %(default)s)")
    parser.add_argument("--connections", type=int, default=4, help="in two of three (default: %(default)s)")
    parser.add_argument("--faults", type=float, default=0.15, help="the relay's, per transaction")
    parser.add_argument("--at-once", type=int, default=2, help="newsletters beside each other")
    parser.add_argument("--seed", type=int, default=1, help="chooses moments and faults")
    parser.add_argument("--first", type=int, default=0, help="begin with this newsletter")
    parser.add_argument("--keep", type=Path, help="where newsletters with faults are kept")
    asked = parser.parse_args()
    begin = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="soak-") as place:
        toll = Soak(Path(place), asked).run()
    print(table(toll, time.monotonic() - begin))
    return 1 if toll.faults else 0


class Soak:
    """Newsletter after newsletter, until there were enough kills and stops."""

    def __init__(self, folder: Path, asked: argparse.Namespace) -> None:
        self._folder, self._asked = folder, asked
        few, many = asked.readers, 3 * asked.readers
        self._ready = {number: make_letter(folder / f"ready-{number}", number) for number in (few, many)}
        self._numbers = itertools.count(asked.first)
        self._toll, self._lock = Toll(), threading.Lock()

    def run(self) -> Toll:
        with ThreadPoolExecutor(self._asked.at_once) as pool:
            for worker in [pool.submit(self._work) for _ in range(self._asked.at_once)]:
                worker.result()
        return self._toll

    def _work(self) -> None:
        with Forks() as first, Forks() as second:
            while chosen := self._next():
                self._one(chosen, (first, second))

    def _next(self) -> Manner | None:
        asked, count = self._asked, self._toll.count
        with self._lock:
            kills, stops = count["kills"] < asked.kills, count["stops"] < asked.stops
            if not kills and not stops:
                return None
            number = next(self._numbers)
            stopping = stops and (number % 4 == 3 or not kills)
            chosen = manner(number, asked.seed, asked.readers, asked.connections, asked.faults, stopping)
            if chosen.joined or stopping:
                # More than one run leases at once, so that each of two has some.
                chosen = manner(
                    number, asked.seed, 3 * asked.readers, asked.connections, asked.faults, stopping
                )
            return chosen

    def _one(self, chosen: Manner, forks: tuple[Forks, Forks]) -> None:
        home = self._folder / f"newsletter-{chosen.number}"
        toll = Newsletter(Letter(self._ready[chosen.readers].root), home, chosen, forks).live()
        for fault in toll.faults:
            print(f"{fault}\n    {chosen}", flush=True)
        said = home.with_name(f"{home.name}-said")
        for folder in (home, said):
            if toll.faults and self._asked.keep:
                shutil.copytree(folder, self._asked.keep / folder.name, dirs_exist_ok=True)
            shutil.rmtree(folder, ignore_errors=True)
        self._toll.add(toll)
        if sys.stderr.isatty() or chosen.number % 20 == 0:
            count = self._toll.count
            print(
                f"{count['newsletters']} newsletters, {count['kills']} kills, {count['stops']} stops",
                file=sys.stderr,
                flush=True,
            )


def table(toll: Toll, seconds: float) -> str:
    rest = sorted(set(toll.count) - set(FIRST))
    rows: Sequence[str] = [f"{name:<36} {toll.count[name]:>7,}" for name in (*FIRST, *rest)]
    return "\n".join(
        [*rows, f"{'faults':<36} {len(toll.faults):>7,}", f"{'minutes':<36} {seconds / 60:>7.1f}"]
    )


if __name__ == "__main__":
    sys.exit(main())
