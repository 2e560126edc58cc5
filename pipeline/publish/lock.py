"""Lets one process at a time publish a newsletter."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.errors import PublishError

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

#: A run that finds the folder taken looks again this often, this many seconds apart.
TRIES, PAUSE = 100, 0.1


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock file at `path`; the system lets go of it whatever becomes of us.

    The file stays: to remove it would let a third process lock a new one while the second holds the old.
    Raises PublishError if another process has it for ten seconds.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    number = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        for _ in range(TRIES):
            if _take(number):
                break
            time.sleep(PAUSE)
        else:
            raise PublishError("another run is publishing this newsletter; wait for it, then run this again")
        yield
    finally:
        os.close(number)


def _take(number: int) -> bool:
    try:
        if sys.platform == "win32":
            msvcrt.locking(number, msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
