"""Tells runs that live from runs that died: each holds a lock that the operating system takes back at its end.

A stopped process holds its lock too, so whoever is taken for dead is dead,
however it ended. Locks do not reach across machines: a store on a network
drive must be sent from one machine only.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Collection
from pathlib import Path

_SUFFIX = ".lock"

if sys.platform == "win32":
    import msvcrt

    def _hold(handle: int) -> None:
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)

    def _probe(handle: int) -> None:
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        os.lseek(handle, 0, os.SEEK_SET)
        msvcrt.locking(handle, msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _hold(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _probe(handle: int) -> None:
        # Shared: two who look at the same moment do not take each other for the run.
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)


class RunLocks:
    """A folder with one lock file for each run, named by its owner."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._held: dict[str, int] = {}

    def holds(self, owner: str) -> bool:
        """Tell whether the lock of a run of this process is held."""
        return owner in self._held

    def take(self, owner: str) -> None:
        """Hold the lock of a run of this process until `drop`, `drop_all` or the process's end. Raises OSError."""
        if owner in self._held:
            return
        self._folder.mkdir(mode=0o700, exist_ok=True)
        handle = os.open(self._path(owner), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            _hold(handle)
        except BaseException:
            os.close(handle)
            raise
        self._held[owner] = handle

    def alive(self, owner: str) -> bool:
        """Tell whether a run's lock is held, by whatever process. Raises OSError if that cannot be told."""
        if owner in self._held:
            return True
        try:
            handle = os.open(self._path(owner), os.O_RDWR)
        except FileNotFoundError:
            return False
        try:
            _probe(handle)
        except (BlockingIOError, PermissionError):
            return True
        finally:
            os.close(handle)
        return False

    def drop(self, owner: str) -> None:
        """Give a run's lock back, and remove its file: no other run will ever have its name."""
        handle = self._held.pop(owner, None)
        if handle is not None:
            # Some systems only remove what nobody has open, and some only what was closed.
            with contextlib.suppress(OSError):
                self._path(owner).unlink()
            os.close(handle)
            with contextlib.suppress(OSError):
                self._path(owner).unlink(missing_ok=True)

    def drop_all(self) -> None:
        """Give every lock back; the files stay for the next claim to find their runs dead."""
        while self._held:
            _, handle = self._held.popitem()
            os.close(handle)

    def sweep(self, known: Collection[str]) -> None:
        """Remove what dead runs left, but for `known` owners. Only while no other process can claim."""
        for path in self._folder.glob(f"*{_SUFFIX}"):
            with contextlib.suppress(OSError):
                if path.stem not in known and not self.alive(path.stem):
                    path.unlink()

    def _path(self, owner: str) -> Path:
        return self._folder / f"{owner}{_SUFFIX}"
