"""Kills and stops newsletters on their way over SMTP, brings them to their end, and compares ledger, relay and readers.

    python bench/soak.py [--kills 1000] [--stops 100] [--faults 0.15] [--at-once 2] [--seed 1]
    python bench/soak.py --every-write

Each newsletter goes to a scripted relay (a process of its own) that fails in 15 of 100 transactions, in every way it
knows. SIGKILL comes at random moments, again and again until the issue is out; SIGSTOP lasts longer than a lease, while
another run joins. A third of the kills hits `python -m pipeline`; the others hit the same command line in a fork of a
process that has read its programs already. `--every-write` kills runs of 20 readers, under a relay without faults, at
the first write to a file or socket, at the second, and so on to the last, before the call and behind it. Ends with 1 if
anybody got a copy twice, was lost or is stuck, or if ledger and relay differ by anything but named doubts.
"""

from __future__ import annotations

import argparse
import itertools
import shutil
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from support.letter import Letter
from support.relay_process import RelayProcess
from support.soak import Newsletter, make_letter
from support.starter import Forks, counter
from support.treatment import Manner, Toll, manner
from support.writes import End, Where, Writes

#: What is counted, in the order of the table; the rest follows by name.
FIRST = ("newsletters", "kills", "stops", "lives", "twice", "lost", "stuck", "violations of SMTP")


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=1000, help="how many (default: %(default)s)")
    parser.add_argument("--stops", type=int, default=100, help="how many (default: %(default)s)")
    parser.add_argument("--readers", type=int, default=80, help="of each newsletter (default: %(default)s)")
    parser.add_argument("--connections", type=int, default=4, help="in two of three (default: %(default)s)")
    parser.add_argument("--faults", type=float, default=0.15, help="the relay's, per transaction")
    parser.add_argument("--at-once", type=int, default=2, help="newsletters beside each other")
    parser.add_argument("--seed", type=int, default=1, help="chooses moments and faults")
    parser.add_argument("--first", type=int, default=0, help="begin with this newsletter")
    parser.add_argument("--keep", type=Path, help="where newsletters with faults are kept")
    parser.add_argument("--every-write", action="store_true", help="kill at each write instead of at random")
    parser.add_argument("--stride", type=int, default=1, help="of --every-write: 2 is at each second write")
    asked = parser.parse_args()
    begin = time.monotonic()
    if asked.every_write:
        return every_write(asked.at_once, asked.stride)
    with tempfile.TemporaryDirectory(prefix="soak-") as place:
        toll = Soak(Path(place), asked).run()
    print(table(toll, time.monotonic() - begin))
    return 1 if toll.faults else 0


class Soak:
    """Newsletter after newsletter, until there were enough kills and stops."""

    def __init__(self, folder: Path, asked: argparse.Namespace) -> None:
        self._folder, self._asked = folder, asked
        #: More than one run leases at once; with so many readers each of two has some.
        self._many = max(120, asked.readers)
        sizes = {asked.readers, self._many}
        self._ready = {number: make_letter(folder / f"ready-{number}", number) for number in sizes}
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
            readers = self._many if stopping or number % 5 == 4 else asked.readers
            return manner(number, asked.seed, readers, asked.connections, asked.faults, stopping)

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


#: Connections, window, and whether runs die behind the call.
WAYS = ((1, 1, False), (1, 1, True), (4, 1, False), (4, 1, True), (1, 8, False), (4, 8, True))
#: So many runs that end before their turn to die comes, and there are no more writes to die at.
SAFE = 3


def every_write(at_once: int, stride: int) -> int:
    """Kill at each write of a run; print what became of it."""
    assert counter(), "writes are counted by a library that needs a C compiler and Linux"
    faults = 0
    print("connections  window  died        kills  doubts  faults   minutes  at which calls")
    for connections, window, after in WAYS:
        begin = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="writes-") as place, ThreadPoolExecutor(at_once) as pool:
            numbers = itertools.count(1, stride)
            work = partial(_die_at_each, numbers, Where(connections=connections, window=window, after=after))
            ends = [
                end
                for ended in pool.map(work, [Path(place, str(n)) for n in range(at_once)])
                for end in ended
            ]
        killed = [end for end in ends if end.killed]
        calls = Counter(end.call for end in killed)
        wrong = [fault for end in ends for fault in end.faults]
        faults += len(wrong)
        print(
            f"{connections:>11}  {window:>6}  {'behind' if after else 'before':<10} {len(killed):>6,}  "
            f"{sum(end.doubts for end in killed):>6,}  {len(wrong):>6,}  {(time.monotonic() - begin) / 60:>8.1f}  "
            + ", ".join(f"{call} {many}" for call, many in calls.most_common()),
            *wrong[:20],
            sep="\n    ",
            flush=True,
        )
    return 1 if faults else 0


def _die_at_each(numbers: Iterator[int], where: Where, folder: Path) -> list[End]:
    """Kill at the writes whose numbers come, until there are no more."""
    ends, safe = [], 0
    with RelayProcess(folder / "relay") as relay, Forks() as forks:
        writes = Writes(folder, 20, relay, forks)
        while safe < SAFE:
            ends.append(writes.kill(replace(where, at=next(numbers))))
            safe = 0 if ends[-1].killed else safe + 1
    ends += [End(False, "", 0, [violation]) for violation in relay.violations()]
    return ends


def table(toll: Toll, seconds: float) -> str:
    rest = sorted(set(toll.count) - set(FIRST))
    rows: Sequence[str] = [f"{name:<36} {toll.count[name]:>7,}" for name in (*FIRST, *rest)]
    return "\n".join(
        [*rows, f"{'faults':<36} {len(toll.faults):>7,}", f"{'minutes':<36} {seconds / 60:>7.1f}"]
    )


if __name__ == "__main__":
    sys.exit(main())
