"""Measures how soon the command answers: whole processes, the best and the median of many.

python bench/startup.py [--runs 20]
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time

#: As after an ordinary installation: byte code is kept.
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
CASES = {
    "python -c pass": [sys.executable, "-c", "pass"],
    "python -c 'import click'": [sys.executable, "-c", "import click"],
    "newsletter --help": [sys.executable, "-m", "pipeline", "--help"],
    "newsletter --version": [sys.executable, "-m", "pipeline", "--version"],
    "newsletter send --help": [sys.executable, "-m", "pipeline", "send", "--help"],
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=20, help="how often each (default: %(default)s)")
    runs = parser.parse_args().runs
    print(f"{'':<28} {'best':>8} {'median':>8}   milliseconds, of {runs} runs")
    for name, command in CASES.items():
        times = sorted(timed(command) * 1000 for _ in range(runs))
        print(f"{name:<28} {times[0]:>8.0f} {statistics.median(times):>8.0f}", flush=True)


def timed(command: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True, env=ENVIRONMENT)
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
