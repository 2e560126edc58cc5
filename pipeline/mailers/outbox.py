"""Files messages in a folder instead of sending them: the mailer that a new newsletter starts with.

One `.eml` a recipient, under the issue's number, named after the Message-ID.
The name appears in one step, and only once: that step is this mailer's final
dot, and the file is the evidence that it was taken.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from pipeline.atomic import sync_folder, write_new
from pipeline.edges import Arm
from pipeline.errors import MailerUnusable
from pipeline.model import Answer, Outcome, Submission, address_key

#: Ends the names of files that are being written; a killed run leaves at most one a connection.
UNFINISHED = ".unfinished"
#: The folder of messages that belong to no issue.
SINGLE = "mail"
#: Bytes of a message in which its addressee stands.
HEAD = 16_000
#: File systems without hard links say one of these.
_NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EACCES}


class Outbox:
    """Writes into `folder`, below it one folder an issue.

    With `subfolder` all messages go there instead, whatever issue they say
    they are of: single messages, such as a test copy, have none.
    """

    name = "outbox"
    connections = 1

    def __init__(self, folder: Path, subfolder: str = "") -> None:
        self._root = folder
        self._subfolder = subfolder
        #: Folders made, and cleared of what dead runs left, by this mailer.
        self._ready: set[Path] = set()

    def submit(self, submissions: Iterable[Submission | None], arm: Arm) -> Iterator[Answer]:
        """File each message, one at a time.

        Raises MailerUnusable when a message cannot be written at all; nothing
        is armed then.
        """
        for submission in submissions:
            if submission is None:
                continue
            try:
                unfinished = self._write(submission)
            except MailerUnusable:
                yield Answer(submission, Outcome.NOT_ARMED)
                raise
            try:
                if arm(submission):
                    answer = self._file(submission, unfinished)
                else:
                    answer = Answer(submission, Outcome.NOT_ARMED)
            finally:
                with suppress(OSError):
                    unfinished.unlink(missing_ok=True)
            yield answer

    def abandon(self) -> None:
        """Nothing to cut: a file is filed in no time."""

    def look_up(self, submission: Submission) -> Outcome:
        """ACCEPTED if the file is there with these bytes; else it was certainly not taken."""
        path = self._path(submission)
        # Killed between giving a file its name and taking the first name away, a run leaves both.
        with suppress(OSError):
            for left_over in path.parent.glob(f".{path.stem}.*{UNFINISHED}"):
                left_over.unlink(missing_ok=True)
        try:
            return Outcome.ACCEPTED if path.read_bytes() == submission.data else Outcome.DEFERRED
        except FileNotFoundError:
            return Outcome.DEFERRED
        except OSError as fault:
            raise MailerUnusable(f"{path.parent} cannot be read: {_said(fault)}.") from fault

    def copies(self, email: str, names: Iterable[tuple[int, str]]) -> Iterator[Path]:
        """Yield the files in which one person's mail lies, unfinished ones too.

        Issues' copies by number and the left side of their Message-ID; single
        messages, of which there are few, by whom they are to.
        """
        for issue, left in names:
            path = self._root / f"{issue:04d}" / f"{_safe(left)}.eml"
            if path.exists():
                yield path
            yield from path.parent.glob(f".{path.stem}.*{UNFINISHED}")
        for path in sorted((self._root / SINGLE).glob("*.eml")):
            with suppress(OSError):
                if _is_to(path, email):
                    yield path

    def _path(self, submission: Submission) -> Path:
        left = _safe(submission.message_id.partition("@")[0])
        return self._root / (self._subfolder or f"{submission.delivery.issue:04d}") / f"{left}.eml"

    def _write(self, submission: Submission) -> Path:
        """Write everything under a name that no one looks for, down to the disk."""
        path = self._path(submission)
        unfinished = path.with_name(f".{path.stem}.{os.getpid()}{UNFINISHED}")
        try:
            self._make_ready(path.parent)
            write_new(unfinished, submission.data, 0o600)
        except OSError as fault:
            with suppress(OSError):
                unfinished.unlink(missing_ok=True)
            rest = f"`newsletter resume {submission.delivery.issue}` files the rest"
            if self._subfolder:
                rest = "try again"
            raise MailerUnusable(
                f"{path.parent} cannot be written: {_said(fault)}. Nothing was filed that is not counted; "
                f"mend this, then {rest}."
            ) from fault
        return unfinished

    def _make_ready(self, folder: Path) -> None:
        if folder in self._ready:
            return
        for made in (self._root, folder):
            if not made.is_dir():
                # Owner only: every file below holds an address.
                made.mkdir(mode=0o700, parents=True, exist_ok=True)
                sync_folder(made.parent)
        if not self._subfolder:
            # One run at a time is at work on an issue, so whatever is unfinished here is a dead one's.
            for left_over in folder.glob(f".*{UNFINISHED}"):
                left_over.unlink(missing_ok=True)
        self._ready.add(folder)

    def _file(self, submission: Submission, unfinished: Path) -> Answer:
        """Give the file its name: the irrevocable step."""
        path = self._path(submission)
        reply = f"{path.parent.name}/{path.name}"
        try:
            _name_once(unfinished, path)
        except OSError as fault:
            # The name tells, not the error: it is there with our bytes, with another's, or not at all.
            if self.look_up(submission) is not Outcome.ACCEPTED:
                there = path.exists()
                outcome = Outcome.REFUSED if there else Outcome.DEFERRED
                return Answer(
                    submission, outcome, f"{reply} {'is another message' if there else _said(fault)}"
                )
        try:
            sync_folder(path.parent)
        except OSError as fault:
            return Answer(submission, Outcome.IN_DOUBT, f"{reply} may not last: {_said(fault)}")
        return Answer(submission, Outcome.ACCEPTED, reply)


def _safe(left: str) -> str:
    """Return the left side of a Message-ID as a file's name."""
    if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", left):
        return left
    return sha256(left.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _is_to(path: Path, email: str) -> bool:
    """Tell whether a message is to an address, however it is spelled."""
    from email.parser import BytesHeaderParser
    from email.utils import getaddresses

    with path.open("rb") as file:
        head = BytesHeaderParser().parsebytes(file.read(HEAD))
    addresses = getaddresses(str(value) for value in head.get_all("To", []))
    return any(address_key(address) == address_key(email) for _, address in addresses)


def _name_once(unfinished: Path, path: Path) -> None:
    """Give a file its name in one step that never replaces another. Raises FileExistsError."""
    try:
        os.link(unfinished, path)
    except OSError as fault:
        if fault.errno not in _NO_LINKS:
            raise
        # Without links, "look, then rename" has to do; one run at a time makes it safe.
        if path.exists():
            raise FileExistsError(errno.EEXIST, "it is there already") from fault
        unfinished.rename(path)


def _said(fault: OSError) -> str:
    return fault.strerror or type(fault).__name__
