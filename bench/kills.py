"""Kills `newsletter send` at random moments of its run, lets it finish, and counts what went wrong: nothing may.

python bench/kills.py [--kills 300] [--at-once 2] [--seed 1]

Of every killed newsletter: each reader has one copy, the ledger has no doubt, the site is that of a run
that nobody disturbed, and nothing is left lying about. Ends with 1 if anything is otherwise.
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from support.kills import READERS, Life, live, make_twins


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=300, help="how many (default: %(default)s)")
    parser.add_argument(
        "--at-once", type=int, default=2, help="runs beside each other (default: %(default)s)"
    )
    parser.add_argument("--seed", type=int, default=1, help="chooses the moments (default: %(default)s)")
    asked = parser.parse_args()
    chance = random.Random(asked.seed)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        twins = make_twins(folder)
        # Two of three while copies are handed over, which is soon done; one anywhere after programs are read.
        moments = [
            (chance.uniform(0.5, 1.05) * twins.takes, 0) if n % 3 == 0 else (0.0, chance.randint(1, READERS))
            for n in range(asked.kills)
        ]

        def one(job: tuple[int, tuple[float, int]]) -> Life:
            home = folder / f"life-{job[0]}"
            try:
                return live(twins, home, *job[1])
            finally:
                shutil.rmtree(home, ignore_errors=True)

        with ThreadPoolExecutor(asked.at_once) as pool:
            lives = []
            for life in pool.map(one, enumerate(moments)):
                lives.append(life)
                for fault in life.faults:
                    print(f"{life.phase}, {life.copies} copies: {fault}", flush=True)
    print(summary(lives, twins.takes))
    return 1 if any(life.faults for life in lives) else 0


def summary(lives: list[Life], takes: float) -> str:
    killed = [life for life in lives if life.killed]
    phases = Counter(life.phase for life in killed)
    partly = sum(0 < life.copies < READERS for life in killed)
    order = ("before", "frozen", "published", "delivering", "all filed", "sent")
    return "\n".join(
        [
            f"{len(killed)} of {len(lives)} runs killed; {READERS} readers; a send: {takes:.2f} s of the processor",
            "killed at  " + ", ".join(f"{phase} {phases[phase]}" for phase in order),
            f"with some copies handed over and some not: {partly}",
            f"with a fault afterwards: {sum(bool(life.faults) for life in lives)}",
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
