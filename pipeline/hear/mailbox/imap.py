"""A mailbox on an IMAP server (RFC 3501), by the standard library's imaplib.

Nothing is fetched before its size is known. What a person should see is
flagged, which every mail program shows as a star, and is not read again.
"""

from __future__ import annotations

import base64
import imaplib
import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Self

from pipeline.errors import MailboxUnusable
from pipeline.hear.mailbox.config import DELETE, ServerConfig
from pipeline.hear.mailbox.faults import explained
from pipeline.hear.mime import LIMIT
from pipeline.model import Incoming

#: Messages asked about in one go: imaplib takes no answer of more than a megabyte on one line.
PAGE = 1000
_UID = re.compile(rb"UID (\d+)")
_SIZE = re.compile(rb"RFC822\.SIZE (\d+)")


class Imap:
    """One folder; messages that are done with go into the folder `after`, or are deleted."""

    def __init__(self, config: ServerConfig, folder: str = "INBOX", after: str = DELETE) -> None:
        self._config = config
        self._folder, self._after = folder, after
        self.name = f"the folder {folder} of {config.host}:{config.port}"
        self._server: imaplib.IMAP4 | None = None
        #: Messages in it when it was opened.
        self._count = 0
        #: Some were marked as deleted, and the server cannot take out just those.
        self._to_expunge = False

    def __enter__(self) -> Self:
        config = self._config
        with self._explained("connecting"):
            if config.security == "tls":
                self._server = imaplib.IMAP4_SSL(
                    config.host, config.port, ssl_context=config.tls(), timeout=config.timeout
                )
            else:
                self._server = imaplib.IMAP4(config.host, config.port, timeout=config.timeout)
        try:
            if config.security == "starttls":
                with self._explained("STARTTLS"):
                    self._server.starttls(config.tls())
            with self._explained(
                "login", "Check hear.mailbox.username and where hear.mailbox.password says it is"
            ):
                self._server.login(
                    _string(config.username), config.password
                )  # it quotes the other one itself
            with self._explained("opening the folder"):
                count = self._ask("SELECT", *self._server.select(_quoted(self._folder)))[0]
                self._count = int(count or 0)
        except BaseException:
            self._server.shutdown()
            raise
        return self

    def __exit__(self, *fault: object) -> None:
        server, self._server = self._server, None
        if server is None:
            return
        with suppress(imaplib.IMAP4.error, OSError):
            if self._to_expunge:
                server.expunge()
            server.logout()
        with suppress(OSError):
            server.shutdown()

    def messages(self) -> Iterator[Incoming]:
        """Yield what is neither deleted nor flagged, in the order in which it came."""
        for uids in self._waiting():
            for uid, size in self._sizes(uids).items():
                incoming = self._fetch(uid, size)
                if incoming:
                    yield incoming

    def done(self, incoming: Incoming) -> None:
        """Move the message, or delete it, at once."""
        with self._explained("taking a message out"):
            if self._after == DELETE:
                self._delete(incoming.id)
            elif self._can("MOVE"):
                self._into_folder("MOVE", incoming.id)
            else:
                # Killed in between, the message is there twice, and read again.
                self._into_folder("COPY", incoming.id)
                self._delete(incoming.id)

    def leave(self, incoming: Incoming) -> None:
        """Flag the message."""
        with self._explained("flagging a message"):
            self._uid("STORE", incoming.id, "+FLAGS.SILENT", r"(\Flagged)")

    def _waiting(self) -> list[list[str]]:
        """Return the uids of what is to be read, by pages; all of them before the first is taken out."""
        with self._explained("searching"):
            found: list[str] = []
            for first in range(1, self._count + 1, PAGE):
                span = f"{first}:{min(self._count, first + PAGE - 1)}"
                for line in self._uid("SEARCH", span, "UNDELETED", "UNFLAGGED"):
                    found += line.decode("ascii").split() if isinstance(line, bytes) else []
            return [found[at : at + PAGE] for at in range(0, len(found), PAGE)]

    def _sizes(self, uids: list[str]) -> dict[str, int]:
        with self._explained("asking for sizes"):
            sizes = {}
            for line in self._uid("FETCH", ",".join(uids), "(RFC822.SIZE)"):
                uid, size = (
                    pattern.search(line) if isinstance(line, bytes) else None for pattern in (_UID, _SIZE)
                )
                if uid and size:
                    sizes[uid[1].decode("ascii")] = int(size[1])
            return {uid: sizes[uid] for uid in uids if uid in sizes}

    def _fetch(self, uid: str, size: int) -> Incoming | None:
        """Return a message; None if somebody took it out meanwhile."""
        if size > LIMIT:
            return Incoming(uid, size, None)
        with self._explained("fetching a message"):
            # PEEK: it stays unread for whoever looks.
            for line in self._uid("FETCH", uid, "(BODY.PEEK[])"):
                if isinstance(line, tuple):
                    return Incoming(uid, size, line[1])
            return None

    def _delete(self, uid: str) -> None:
        self._uid("STORE", uid, "+FLAGS.SILENT", r"(\Deleted)")
        if self._can("UIDPLUS"):
            self._uid("EXPUNGE", uid)
        else:
            self._to_expunge = True

    def _into_folder(self, command: str, uid: str) -> None:
        folder, server = _quoted(self._after), self._connected()
        kind, said = server.uid(command, uid, folder)
        if kind != "OK":
            # RFC 3501, 6.4.7: the usual reason is that the folder is not there yet.
            server.create(folder)
            kind, said = server.uid(command, uid, folder)
        self._ask(command, kind, said)

    def _uid(self, command: str, *words: str) -> list[Any]:
        return self._ask(command, *self._connected().uid(command, *words))

    def _ask(self, command: str, kind: str, said: list[Any]) -> list[Any]:
        if kind != "OK":
            words = said[0] if said and isinstance(said[0], bytes) else b""
            raise imaplib.IMAP4.error(command.encode() + b" " + words)
        return said

    def _can(self, what: str) -> bool:
        return what in self._connected().capabilities

    def _connected(self) -> imaplib.IMAP4:
        if self._server is None:
            raise MailboxUnusable(f"{self.name} is not open.")
        return self._server

    def _explained(self, step: str, remedy: str = "") -> Any:
        config = self._config
        return explained(self.name, step, (config.username, config.password), remedy)


def _quoted(folder: str) -> str:
    """Write a folder's name as the protocol has it: quoted (RFC 3501, 9), in modified UTF-7 (5.1.3)."""

    def shifted(run: re.Match[str]) -> str:
        return (
            "&"
            + base64.b64encode(run[0].encode("utf-16-be")).decode("ascii").rstrip("=").replace("/", ",")
            + "-"
        )

    name = re.sub(r"[^ -~]+", shifted, folder.replace("&", "&-"))
    return _string(name)


def _string(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
