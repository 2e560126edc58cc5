"""A mailbox in one file on this machine (mbox, RFC 4155): messages behind each other, each after a line `From `.

Others write to it at the same time, so it is read under both locks that
others heed: a file beside it (dot lock) and a lock by the system (fcntl).
What is done with is taken out when the mailbox is closed, by writing the rest
beside it and renaming: killed at any moment, the file is the old or the new one.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO, Self

from pipeline.atomic import sync_folder
from pipeline.errors import MailboxUnusable
from pipeline.hear.mailbox.config import DELETE
from pipeline.hear.mailbox.faults import explained
from pipeline.hear.mime import LIMIT
from pipeline.model import Incoming

#: Seconds until a lock must be free, and after which one that nobody renews is a dead program's (procmail's 1,024).
PATIENCE, STALE = 10.0, 1024.0
BLOCK = 64 * 1024
_ESCAPED = re.compile(rb"^>(>*From )", re.MULTILINE)
_REMEDY = "It must be an mbox that this program may change, in a folder where it may write"


class Mbox:
    """One mbox; what is done with is deleted, or moved to the mbox `after` beside it."""

    def __init__(self, path: Path, after: str = DELETE, patience: float = PATIENCE) -> None:
        self._path, self._after, self._patience = path, after, patience
        self.name = f"the mbox {path}"
        self._done: set[str] = set()

    def __enter__(self) -> Self:
        if not self._path.is_file():
            raise MailboxUnusable(f"{self.name} is not there. Check hear.mailbox.path.")
        # A rename would put the new file in the place of a link to it.
        self._path = self._path.resolve()
        return self

    def __exit__(self, *fault: object) -> None:
        if self._done:
            with explained(self.name, "taking messages out", remedy=_REMEDY), self._locked() as file:
                self._take_out(file)
            self._done = set()

    def messages(self) -> Iterator[Incoming]:
        """Yield everything, in the order of the file."""
        with explained(self.name, "reading", remedy=_REMEDY), self._locked() as file:
            places = list(_places(file))
            # Read without locks: whoever delivers must not wait until each is decided. What we hold open stays.
            opened = self._path.open("rb")
        with opened:
            for begin, end in places:
                with explained(self.name, "reading", remedy=_REMEDY):
                    incoming = _read(opened, begin, end)
                yield incoming

    def done(self, incoming: Incoming) -> None:
        """Note that the message is to be taken out."""
        self._done.add(incoming.id)

    def leave(self, incoming: Incoming) -> None:
        """Do nothing: the format cannot remember."""

    def _take_out(self, file: BinaryIO) -> None:
        """Write the file anew without what is done with; `file` is it, under lock."""
        places = [(begin, end, _digest(file, begin, end) in self._done) for begin, end in list(_places(file))]
        if self._after != DELETE:
            with (self._path.parent / self._after).open("ab") as moved:
                for begin, end, gone in places:
                    if gone:
                        _copy(file, moved, begin, end)
                moved.flush()
                os.fsync(moved.fileno())
        beside = self._path.with_name(f".{self._path.name}.{os.getpid()}.unfinished")
        was = os.fstat(file.fileno())
        handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
        try:
            with os.fdopen(handle, "wb") as rest:
                with suppress(PermissionError):  # only root may give a file away
                    os.fchown(handle, was.st_uid, was.st_gid)
                os.fchmod(handle, was.st_mode & 0o7777)
                for begin, end, gone in places:
                    if not gone:
                        _copy(file, rest, begin, end)
                rest.flush()
                os.fsync(handle)
            beside.rename(self._path)
        except BaseException:
            beside.unlink(missing_ok=True)
            raise
        sync_folder(self._path.parent)

    @contextmanager
    def _locked(self) -> Iterator[BinaryIO]:
        """Open the file with both locks held. Raises MailboxUnusable if somebody else holds one for too long."""
        import fcntl

        end, dot = time.monotonic() + self._patience, self._path.with_name(self._path.name + ".lock")
        _until(end, lambda: _take_dot(dot))
        try:
            with self._path.open("r+b") as file:
                _until(end, lambda: fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB))
                yield file
        finally:
            dot.unlink(missing_ok=True)


def _take_dot(dot: Path) -> None:
    """Make the file that says "locked". Raises FileExistsError while somebody else's is there."""
    with suppress(FileNotFoundError):
        if time.time() - dot.stat().st_mtime > STALE:
            dot.unlink()
    os.close(os.open(dot, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))


def _until(end: float, take: Callable[[], object]) -> None:
    while True:
        try:
            take()
            return
        except (FileExistsError, BlockingIOError) as fault:
            if time.monotonic() > end:
                raise MailboxUnusable(
                    "hear.mailbox.path: another program has locked the mbox. Nothing was taken out; try again later."
                ) from fault
            time.sleep(0.05)


def _places(file: BinaryIO) -> Iterator[tuple[int, int]]:
    """Yield where each message begins, its `From ` line included, and ends, in flat memory."""
    file.seek(0)
    at, begun, blank, fresh = 0, None, True, True
    # In pieces of lines: one may be as long as the file.
    while piece := file.readline(BLOCK):
        if fresh and blank and piece.startswith(b"From "):
            if begun is not None:
                yield begun, at
            begun = at
        elif begun is None and piece.strip():
            raise MailboxUnusable(
                "what hear.mailbox.path names is no mbox: it does not begin with a message."
            )
        blank = piece in (b"\n", b"\r\n") and fresh
        fresh = piece.endswith(b"\n")
        at += len(piece)
    if begun is not None:
        yield begun, at


def _read(file: BinaryIO, begin: int, end: int) -> Incoming:
    digest = _digest(file, begin, end)
    if end - begin > LIMIT:
        return Incoming(digest, end - begin, None)
    file.seek(begin)
    _, _, data = file.read(end - begin).partition(b"\n")
    return Incoming(digest, end - begin, _ESCAPED.sub(rb"\1", data))


def _digest(file: BinaryIO, begin: int, end: int) -> str:
    """Return what a message is known by when the file is read again: itself."""
    digest = sha256()
    for block in _blocks(file, begin, end):
        digest.update(block)
    return digest.hexdigest()


def _copy(file: BinaryIO, into: BinaryIO, begin: int, end: int) -> None:
    for block in _blocks(file, begin, end):
        into.write(block)


def _blocks(file: BinaryIO, begin: int, end: int) -> Iterator[bytes]:
    file.seek(begin)
    while begin < end and (block := file.read(min(BLOCK, end - begin))):
        begin += len(block)
        yield block
