"""Measures what a million people cost: import, import again, dry run, export, forget; beside databases' own ways.

python bench/list.py [--rows 1000000] [--forget 5] [--folder FOLDER]

Every figure is one whole process of its own: wall time, time of the processor, largest resident set. Ours reads each
row's address, name, state and date, refuses what is none, knows who left or was forgotten, and is durable when it
returns. The peers copy text: the sqlite3 shell's .import into a table with the address as its key, a script with
Python's csv and executemany, PostgreSQL's COPY (its server's memory and processor time are not counted).
"""

from __future__ import annotations

import argparse
import math
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "peers"))

from databases import Peer, postgresql, script, sqlite_shell
from machine import machine

ROOT = Path(__file__).parents[1]
SETTINGS = """
[newsletter]
name = "The Headache Letter"
from = "The Headache Letter <letter@example.org>"
url = "https://letter.example.org"
postal_address = "12 Example Street, Exampletown"
"""
POST = "---\ntitle: Sleep, weather and the Monday headache\ndate: 2026-11-20\nsummary: What we know.\n---\n\nWords.\n"
FIRST = ("Ana", "Bo", "Chloë", "Dmitri", "Eve", "Fatima", "José", "Mary Ann", "Søren", "Wei")
STATES = ("confirmed",) * 96 + ("unsubscribed", "unsubscribed", "unconfirmed", "bounced")
#: Enrolls everybody in an issue, so that there are deliveries to be made anonymous.
FREEZE = """
import sys
from pathlib import Path
from pipeline import weekly
from pipeline.project import open_project
project = open_project(Path(sys.argv[1]))
prepared = weekly.prepare(project, weekly.collect(project))
print(weekly.freeze(project, prepared, weekly.build(project, prepared)).number)
"""
WHAT = ("import", "import again", "export")


@dataclass(frozen=True)
class Cost:
    """What one process came to."""

    seconds: float
    cpu: float
    #: Largest resident set, in megabytes.
    peak: float


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=1_000_000, help="people (default: %(default)s)")
    parser.add_argument("--forget", type=int, default=5, help="people to forget, one process each")
    parser.add_argument("--folder", type=Path, help="where all is made; must be a disk")
    asked = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="bench-list-", dir=asked.folder))
    try:
        print(f"{asked.rows:,} rows; {machine(folder)}\n")
        table = folder / "people.csv"
        write(table, asked.rows)
        ours(folder, table, asked.rows, asked.forget)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def write(table: Path, rows: int) -> None:
    """Write people in no order, as a service would."""
    # A stride that shares no factor with their number: each once, in an order of no use, and nothing held in memory.
    step = next(step for step in range(rows * 5 // 8 | 1, rows * 2, 2) if math.gcd(step, rows) == 1)
    with table.open("w", encoding="utf-8") as file:
        file.write("email,name,status,since\n")
        for place in range(rows):
            number = place * step % rows
            day = f"20{10 + number % 16}-{number % 12 + 1:02}-{number % 28 + 1:02} 08:{number % 60:02}:00"
            file.write(
                f"reader{number}@example{number % 50}.com,{FIRST[number % 10]} Number{number},"
                f"{STATES[number % 100]},{day}\n"
            )


def ours(folder: Path, table: Path, rows: int, forget: int) -> None:
    """Print a row for each thing we do, beside the peers that do the same."""
    letter = folder / "letter"
    (letter / "posts").mkdir(parents=True)
    (letter / "newsletter.toml").write_text(SETTINGS, "utf-8")
    (letter / "posts" / "sleep.md").write_text(POST, "utf-8")
    newsletter = [sys.executable, "-m", "pipeline", "-C", str(letter), "subscribers"]
    out = folder / "out.csv"
    first = cost([*newsletter, "import", str(table)])
    again = cost([*newsletter, "import", str(table)])
    dry = cost([*newsletter, "import", str(table), "--dry-run"])
    given = cost([*newsletter, "export"], out)
    back = cost([*newsletter, "import", str(out)])
    peers = [peer for peer in (sqlite_shell(folder, table), script(folder, table)) if peer]
    measured = [(peer, costs(peer)) for peer in peers]
    with postgresql(folder, table) as copy:
        if copy is None:
            print("PostgreSQL is not installed: initdb is not found\n")
        else:
            measured.append((copy, costs(copy)))
    print(f"{'':<34} {'seconds':>8} {'CPU s':>7} {'peak MB':>8}  {'rows/s':>9}   ours takes")
    for number, what in enumerate(WHAT):
        mine = (first, again, given)[number]
        show(f"newsletter {what}", mine, rows)
        for peer, theirs in measured:
            show(f"  {peer.name}", theirs[number], rows, mine)
    show("newsletter import --dry-run", dry, rows)
    show("newsletter import, of our export", back, rows)
    forgetting(newsletter, letter, forget, rows)


def forgetting(newsletter: Sequence[str], letter: Path, forget: int, rows: int) -> None:
    """Forget some people while everybody is enrolled in an issue."""
    enrolled = cost([sys.executable, "-c", FREEZE, str(letter)])
    idle = cost([*newsletter, "show", "reader0@example0.com"])
    chance = random.Random(20261129)
    spent = []
    for number in chance.sample(range(rows), forget):
        spent.append(cost([*newsletter, "forget", f"reader{number}@example{number % 50}.com", "--yes"]))
    print()
    show("an issue frozen for all of them", enrolled, rows)
    show("newsletter show, one person", idle)
    show(
        f"newsletter forget, the median of {forget}", sorted(spent, key=lambda one: one.seconds)[forget // 2]
    )
    show(
        "newsletter import, some forgotten",
        cost([*newsletter, "import", str(letter.parent / "people.csv")]),
        rows,
    )


def costs(peer: Peer) -> list[Cost]:
    return [cost(command) for command in peer.commands]


def cost(command: Sequence[str], out: Path | None = None) -> Cost:
    """Run a command to its end; what it failed with ends the benchmark."""
    environment = {**os.environ, "NEWSLETTER_SECRET": "a secret that is long enough", "PYTHONPATH": str(ROOT)}
    with tempfile.TemporaryFile() as said, (out or Path(os.devnull)).open("wb") as target:
        start = time.perf_counter()
        process = subprocess.Popen(command, stdout=target, stderr=said, env=environment)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            said.seek(0)
            sys.exit(f"{' '.join(command)} ended with {process.returncode}:\n{said.read().decode()[-2000:]}")
    return Cost(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1000)


def show(what: str, one: Cost, rows: int = 0, mine: Cost | None = None) -> None:
    rate = f"{rows / one.seconds:>9,.0f}" if rows else f"{'':>9}"
    ratio = f"   {mine.seconds / one.seconds:>5.1f} x" if mine else ""
    print(
        f"{what:<34} {one.seconds:>8.2f} {one.cpu:>7.2f} {one.peak:>8.0f}  {rate}{ratio}".rstrip(), flush=True
    )


if __name__ == "__main__":
    main()
