"""Writes one file so that a reader, a crash or a power cut finds the old bytes or the new, never a part."""

from __future__ import annotations

import contextlib
import os
import threading
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

#: Asks macOS to empty the drive's own cache too; its fsync stops short of that (fsync(2) there).
_FULL_SYNC = getattr(fcntl, "F_FULLFSYNC", None)


def write_atomic(path: Path, data: bytes, mode: int = 0o644) -> None:
    """Put `data` at `path`, durable when it returns; the umask narrows `mode`.

    The bytes go to a file beside it (`.NAME.PID.THREAD.part`, so never taken for
    the real one), are synced and renamed into place, and the folder is synced.
    A symbolic link at `path` is replaced, not followed. The folder must exist.
    Raises OSError; then `path` still holds what it held.
    """
    path = Path(path)
    part = path.parent / _part_name(path.name)
    try:
        write_new(part, data, mode)
        os.replace(part, path)  # noqa: PTH105  # says "over whatever is there" in one word
    except BaseException:
        with contextlib.suppress(OSError):
            part.unlink()
        raise
    sync_folder(path.parent)


def write_new(path: Path, data: bytes, mode: int = 0o644) -> None:
    """Create `path`, a file that nothing else has, and sync its bytes; a leftover under that name goes."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)
    try:
        number = os.open(path, flags, mode)
    except FileExistsError:
        # A dead process with our number left it. O_EXCL again: a planted link is never written through.
        path.unlink()
        number = os.open(path, flags, mode)
    with open(number, "wb", buffering=0) as file:  # noqa: PTH123  # a descriptor, not a path
        rest = memoryview(data)
        while rest:
            rest = rest[file.write(rest) :]
        sync_file(number)


def sweep(folder: Path) -> None:
    """Remove what dead processes left beside the files of a folder: they were killed before the rename."""
    for part in folder.glob(".*.part"):
        process = part.name.split(".")[-3]
        if process.isdigit() and not _lives(int(process)):
            with contextlib.suppress(OSError):
                part.unlink()


def _lives(process: int) -> bool:
    """Tell whether a process may still be there; where that cannot be asked, it may."""
    if os.name == "nt":
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def sync_file(number: int) -> None:
    """Wait until an open file's bytes are on the disk."""
    if _FULL_SYNC is not None:
        with contextlib.suppress(OSError):  # some network file systems do not know it
            fcntl.fcntl(number, _FULL_SYNC)
            return
    os.fsync(number)


def sync_folder(path: Path) -> None:
    """Wait until a folder's names are on the disk: without it a power cut may undo a rename."""
    if os.name == "nt":  # folders cannot be opened there, and NTFS journals its names
        return
    number = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def _part_name(name: str) -> str:
    """Name the file beside; a name may be 255 bytes, so it is cut, and process and thread keep it apart."""
    mark = f".{os.getpid()}.{threading.get_ident()}.part"
    return "." + os.fsencode(name)[: 200 - len(mark)].decode(errors="ignore") + mark
