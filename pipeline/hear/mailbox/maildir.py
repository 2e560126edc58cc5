"""A Maildir on this machine (maildir(5), qmail's and everybody's since): one file a message.

What is new lies in `new/`, or in `cur/` with neither flag S (seen) nor F
(flagged), where an IMAP server has shown it to somebody. What a person should
see is flagged.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Self

from pipeline.errors import MailboxUnusable
from pipeline.hear.mailbox.config import DELETE
from pipeline.hear.mailbox.faults import explained
from pipeline.hear.mime import LIMIT
from pipeline.model import Incoming

#: Flags of what is not read (again): seen by a person, left for one, thrown away, a draft.
_NOT_OURS = frozenset("SFTD")
_REMEDY = "It must be a Maildir that this program may change: whoever runs it must own it"


class Maildir:
    """One Maildir; what is done with is deleted, or moved into its folder `after` (Maildir++: `.after`)."""

    def __init__(self, path: Path, after: str = DELETE) -> None:
        self._path, self._after = path, after
        self.name = f"the Maildir {path}"

    def __enter__(self) -> Self:
        if not all((self._path / folder).is_dir() for folder in ("new", "cur")):
            raise MailboxUnusable(
                f"{self.name} is none: it has no folders new and cur. Check hear.mailbox.path."
            )
        return self

    def __exit__(self, *fault: object) -> None:
        """Nothing to close."""

    def messages(self) -> Iterator[Incoming]:
        """Yield what is new, in order of the files' names, which begin with the second."""
        with explained(self.name, "reading", remedy=_REMEDY):
            found = [
                f"{folder}/{path.name}"
                for folder in ("new", "cur")
                for path in (self._path / folder).iterdir()
            ]
        for each in sorted(filter(_to_read, found), key=lambda place: place.partition("/")[2]):
            with explained(self.name, "reading", remedy=_REMEDY):
                incoming = _read(self._path / each, each)
            if incoming:
                yield incoming

    def done(self, incoming: Incoming) -> None:
        """Delete or move the file, at once."""
        path = self._path / incoming.id
        with explained(self.name, "taking a message out", remedy=_REMEDY):
            if self._after == DELETE:
                path.unlink(missing_ok=True)
            else:
                self._move(path, self._folder() / "cur", "S")

    def leave(self, incoming: Incoming) -> None:
        """Flag the file, in cur/."""
        with explained(self.name, "flagging a message", remedy=_REMEDY):
            self._move(self._path / incoming.id, self._path / "cur", "F")

    def _move(self, path: Path, folder: Path, flag: str) -> None:
        name, _, flags = path.name.partition(":2,")
        flags = "".join(sorted({*flags, flag}))  # in order of the alphabet, as the format has it
        path.rename(folder / f"{name}:2,{flags}")

    def _folder(self) -> Path:
        folder = self._path / f".{self._after.strip('./')}"
        for made in (folder, *(folder / each for each in ("tmp", "new", "cur"))):
            if not made.is_dir():
                made.mkdir(mode=0o700)
        (folder / "maildirfolder").touch(mode=0o600)
        return folder


def _to_read(place: str) -> bool:
    name = place.partition("/")[2]
    return not name.startswith(".") and not _NOT_OURS & set(name.partition(":2,")[2])


def _read(path: Path, name: str) -> Incoming | None:
    """Return a message; None if it is no file, or somebody took it away meanwhile."""
    try:
        # A link could lead anywhere, and opening a pipe would wait for ever.
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return None
    except OSError:
        if path.is_symlink():
            return None
        raise
    found = os.fstat(handle)
    if not stat.S_ISREG(found.st_mode):
        os.close(handle)
        return None
    with os.fdopen(handle, "rb") as file:
        return Incoming(name, found.st_size, file.read(LIMIT + 1) if found.st_size <= LIMIT else None)
