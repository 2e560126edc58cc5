"""Mailboxes to deliver into and to look into, past the program: Maildirs and mboxes on the disk."""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Sequence
from pathlib import Path

from pipeline.edges import Mailbox
from pipeline.hear.mailbox import Maildir, Mbox

_count = itertools.count(1)


class MaildirBox:
    """A Maildir; delivered into as the format has it: written in tmp/, renamed into new/."""

    def __init__(self, path: Path, owner: int | None = None) -> None:
        self.path, self._owner = path, owner
        for folder in (path, path / "tmp", path / "new", path / "cur"):
            folder.mkdir(parents=True, exist_ok=True)
            self._own(folder)

    def put(self, message: bytes) -> None:
        name = f"17954218{next(_count):05d}.M1.mx"
        written = self.path / "tmp" / name
        written.write_bytes(message.replace(b"\r\n", b"\n"))
        self._own(written)
        written.rename(self.path / "new" / name)

    def holds(self) -> Sequence[bytes]:
        return self._read(self.path)

    def waiting(self) -> int:
        """How many messages are new, also while somebody takes them out."""
        return sum(1 for _ in (self.path / "new").iterdir())

    def moved(self) -> Sequence[bytes]:
        # As the file system has it, or in the protocol's own letters.
        folders = [folder for folder in self.path.glob(".Geh*") if folder.is_dir()]
        return [message for folder in folders for message in self._read(folder)]

    def mailbox(self, after: str = "delete") -> Mailbox:
        return Maildir(self.path, after)

    def _read(self, path: Path) -> list[bytes]:
        files = [file for folder in ("new", "cur") for file in (path / folder).iterdir()]
        return [_crlf(file.read_bytes()) for file in sorted(files, key=lambda file: file.name)]

    def _own(self, path: Path) -> None:
        if self._owner is not None:
            os.chown(path, self._owner, self._owner)


class MboxBox:
    """An mbox; delivered into as Postfix does it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.touch(mode=0o640)

    def put(self, message: bytes) -> None:
        body = re.sub(rb"^(>*From )", rb">\1", message.replace(b"\r\n", b"\n"), flags=re.MULTILINE)
        with self.path.open("ab") as file:
            file.write(b"From MAILER-DAEMON  Mon Nov 23 14:03:11 2026\n" + body + b"\n")

    def holds(self) -> Sequence[bytes]:
        return self._read(self.path)

    def moved(self) -> Sequence[bytes]:
        return self._read(self.path.with_name("Gehört"))

    def mailbox(self, after: str = "delete") -> Mailbox:
        return Mbox(self.path, after, patience=0.3)

    def _read(self, path: Path) -> list[bytes]:
        pieces = re.split(rb"^From .*\n", path.read_bytes(), flags=re.MULTILINE)[1:]
        return [_crlf(re.sub(rb"^>(>*From )", rb"\1", piece, flags=re.MULTILINE)) for piece in pieces]


def _crlf(text: bytes) -> bytes:
    return text.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
