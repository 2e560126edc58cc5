"""Measures what a long list costs: memory, and how soon the first copy is handed over.

python bench/memory.py [--readers 100000 --readers 1000000] [--deliver 30000] [--connections 10]

Imports and enrolls so many readers in a ledger on disk, then resumes the issue into Debian's smtp-sink, in
a process of its own that is stopped after `--deliver` copies. Its memory is looked at on the way: it is the
same at the end as at the beginning, or the list would be in memory.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "peers"))

from machine import machine
from processes import HERE, free_port, server, sink
from senders import Scene, settings

#: Readers -> megabytes a run may hold at most.
BARS = {100_000: 150, 1_000_000: 300}
#: Seconds until the first copy is with the relay, start of the program included.
FIRST = 5.0


def main() -> None:
    # Ended from outside, it still ends what it started and takes its ledgers away.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--readers", type=int, action="append", help="default: 100,000 and 1,000,000")
    parser.add_argument("--deliver", type=int, default=30_000, help="copies (default: %(default)s)")
    parser.add_argument("--connections", type=int, default=10)
    parser.add_argument("--folder", type=Path, help="where the ledger is put; must be a disk")
    asked = parser.parse_args()
    for readers in asked.readers or BARS:
        folder = Path(tempfile.mkdtemp(prefix="bench-memory-", dir=asked.folder))
        try:
            print(f"{readers:,} readers; {machine(folder)}")
            measure(folder, readers, min(asked.deliver, readers), asked.connections)
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def measure(folder: Path, readers: int, copies: int, connections: int) -> None:
    made = said([sys.executable, str(HERE / "letter.py"), str(folder), f"--readers={readers}"])
    ledger = folder / "letter" / ".newsletter" / "newsletter.db"
    print(
        f"  imported in {made['import']:.1f} s, frozen and enrolled in {made['freeze']:.1f} s; "
        f"the ledger is {ledger.stat().st_size / 1e6:,.0f} MB"
    )
    port = free_port()
    with server(sink(port), port):
        ran = said(
            [
                *(sys.executable, str(HERE / "sampled.py"), str(folder / "letter")),
                *(f"--since={time.monotonic()}", f"--stop-after={copies}"),
            ],
            settings(Scene(folder, port, connections)),
        )
    held, peak = [f"{look / 1e6:.0f}" for look in ran["held"]], ran["peak"] / 1e6
    print(
        f"  the first copy was accepted after {ran['first']:.2f} s (bar: {FIRST:g}), "
        f"{ran['accepted']:,} in {ran['seconds']:.1f} s"
    )
    print(f"  memory on the way: {' '.join(held)} MB; peak {peak:.0f} MB (bar: {BARS.get(readers, '-')})\n")


def said(command: list[str], extra: dict[str, str] | None = None) -> dict[str, float | list[float]]:
    """Run a command and read the JSON it prints."""
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, **(extra or {})}
    )
    if done.returncode:
        sys.exit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stderr[-3000:]}")
    return json.loads(done.stdout.splitlines()[-1])


if __name__ == "__main__":
    main()
