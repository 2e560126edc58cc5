"""Says on what was measured, and when."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import time
from pathlib import Path


def machine(folder: Path) -> str:
    """Return one line about it; a ledger in memory would prove nothing, so that ends the benchmark."""
    kind = subprocess.run(
        ["stat", "-f", "-c", "%T", str(folder)], capture_output=True, text=True, check=False
    ).stdout.strip()
    if kind in {"tmpfs", "ramfs"}:
        sys.exit(f"{folder} is in memory ({kind}): name a folder on a disk with --folder")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{time.strftime('%Y-%m-%d')}, {os.cpu_count()} cores, {memory:.0f} GB, {platform.system()}, "
        f"ledger on {kind}, Python {platform.python_version()}, load {os.getloadavg()[0]:.1f}"
    )
