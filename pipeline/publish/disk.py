"""What publishing asks of the operating system: exchange two folders at once, and sync a whole tree."""

from __future__ import annotations

import ctypes
import errno
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from pipeline.atomic import sync_file, sync_folder

#: Up to so many files and folders are synced one by one; above, the file system is synced once.
FEW = 100

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2  # linux/fs.h
_RENAME_SWAP = 2  # macOS, sys/stdio.h


def exchange(one: Path, other: Path) -> bool:
    """Swap two folders in one step; False where the system or this file system cannot.

    Raises OSError if it can, but not with these two (EBUSY: one is a mount point).
    """
    call = _call()
    if call is None:
        return False
    if call(os.fsencode(one), os.fsencode(other)) == 0:
        return True
    number = ctypes.get_errno()
    # ENOSYS: an old kernel; EINVAL, ENOTSUP: this file system does not know the flag (NFS, FAT).
    if number in (errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP):
        return False
    raise OSError(number, os.strerror(number), str(other))


def _call() -> Callable[[bytes, bytes], int] | None:
    library = _library()
    if library is None:
        return None
    if sys.platform == "darwin" and hasattr(library, "renamex_np"):
        return lambda one, other: int(library.renamex_np(one, other, _RENAME_SWAP))
    if sys.platform == "linux" and hasattr(library, "renameat2"):
        return lambda one, other: int(library.renameat2(_AT_FDCWD, one, _AT_FDCWD, other, _RENAME_EXCHANGE))
    return None


def _library() -> ctypes.CDLL | None:
    return None if os.name == "nt" else ctypes.CDLL(None, use_errno=True)


def sync_tree(root: Path) -> None:
    """Wait until a tree that was just built is on the disk, names and bytes."""
    nodes = list(_nodes(root, FEW + 1))
    library = _library()
    if len(nodes) <= FEW or library is None or not hasattr(library, "syncfs"):
        for path, is_folder in _nodes(root):
            if is_folder:
                sync_folder(path)
            else:
                _sync(path)
        return
    # Ten thousand single fsyncs take minutes; syncfs(2) takes one journal commit, and reports EIO since 5.8.
    number = os.open(root, os.O_RDONLY)
    try:
        if library.syncfs(number) != 0:
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code), str(root))
    finally:
        os.close(number)


def _nodes(root: Path, limit: int = sys.maxsize) -> Iterator[tuple[Path, bool]]:
    """Yield regular files, then their folder, innermost first."""
    count = 0
    for folder, _, names in os.walk(root, topdown=False):
        for name in names:
            path = Path(folder, name)
            # A file with a second name was linked in: its bytes have been on the disk all along.
            if path.is_file() and not path.is_symlink() and path.stat().st_nlink == 1:
                yield path, False
                count += 1
        yield Path(folder), True
        count += 1
        if count >= limit:
            return


def _sync(path: Path) -> None:
    number = os.open(path, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
    try:
        sync_file(number)
    finally:
        os.close(number)
