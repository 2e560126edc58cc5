"""What every peer written in Python shares: its arguments, the copies, and what its own work cost."""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


def arguments(about: str | None) -> argparse.Namespace:
    """Read the command line that all peers are given."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("folder", type=Path, help="what letter.py made")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--messages", type=int, required=True)
    parser.add_argument("--connections", type=int, required=True)
    parser.add_argument("--prebuilt", action="store_true", help="build every message before the clock starts")
    return parser.parse_args()


def copies(folder: Path) -> dict[str, Any]:
    """Return the bodies as templates, and the readers."""
    material: dict[str, Any] = json.loads((folder / "copies.json").read_text("utf-8"))
    return material


@contextmanager
def measured() -> Iterator[None]:
    """Print, as JSON, the seconds and the processor's seconds (all threads, user and system) the block took."""
    start, before = time.perf_counter(), os.times()
    yield
    seconds, after = time.perf_counter() - start, os.times()
    # VmHWM is this program's own peak; ru_maxrss also knows whoever started it.
    peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in line)
    cpu = after.user - before.user + after.system - before.system
    print(json.dumps({"seconds": seconds, "cpu": cpu, "memory": int(peak.split()[1]) * 1024}), flush=True)
