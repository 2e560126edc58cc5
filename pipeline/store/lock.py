"""One run at a time on one newsletter: a lock that the operating system takes back when its holder dies.

So whoever holds it knows that every earlier run is dead, however it ended. It
does not reach across machines: a store on a network drive must be sent from
one machine only.
"""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from pathlib import Path

if sys.platform == "win32":
    import msvcrt

    def _try_lock(handle: int) -> None:
        os.lseek(handle, 1 << 20, os.SEEK_SET)  # beyond the note, which others must be able to read
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _try_lock(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


class RunLock:
    """A lock file, held from `take` to `drop` or to the end of the process."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._handle: int | None = None

    @property
    def held(self) -> bool:
        """True while it is ours."""
        return self._handle is not None

    def take(self) -> bool:
        """Take it without waiting; False if another run has it. Raises OSError."""
        if self._handle is not None:
            return True
        handle = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            _try_lock(handle)
        except (BlockingIOError, PermissionError):
            os.close(handle)
            return False
        except BaseException:
            os.close(handle)
            raise
        os.ftruncate(handle, 0)
        os.write(handle, f"{os.getpid()} {datetime.now(UTC).isoformat()}\n".encode())
        self._handle = handle
        return True

    def drop(self) -> None:
        """Give it back; the file stays, since removing it would let two runs hold two files of one name."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    def holder(self) -> tuple[int, datetime] | None:
        """Process id of whoever took it last, and since when; None if the note cannot be read."""
        try:
            process, since = self._path.read_text("ascii").split()
            return int(process), datetime.fromisoformat(since)
        except (OSError, ValueError):
            return None
