"""A mailbox on a POP3 server (RFC 1939), by the standard library's poplib.

The protocol knows no folders and no flags: what is done with is deleted, all
of it at the end of the session; what is left is read again the next time.
"""

from __future__ import annotations

import poplib
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Self

from pipeline.errors import MailboxUnusable
from pipeline.hear.mailbox.config import ServerConfig
from pipeline.hear.mailbox.faults import SAID, explained
from pipeline.hear.mime import LIMIT
from pipeline.model import Incoming

# A line of 2,048 octets would otherwise end the session, and everybody's mail program writes longer ones.
poplib._MAXLINE = LIMIT  # type: ignore[attr-defined]


class _Closing:
    """poplib leaves a socket open whose server did not greet."""

    def __init__(self, *words: Any, **more: Any) -> None:
        try:
            super().__init__(*words, **more)
        except BaseException:
            for each in ("file", "sock"):
                if hasattr(self, each):
                    getattr(self, each).close()
            raise


class _Plain(_Closing, poplib.POP3):
    pass


class _Tls(_Closing, poplib.POP3_SSL):
    pass


class Pop3:
    """The one folder that a POP3 server shows."""

    def __init__(self, config: ServerConfig) -> None:
        self._config = config
        self.name = f"the mailbox of {config.host}:{config.port}"
        self._server: poplib.POP3 | None = None

    def __enter__(self) -> Self:
        config = self._config
        hide = (config.username, config.password)
        with explained(self.name, "connecting", hide):
            if config.security == "tls":
                self._server = _Tls(config.host, config.port, timeout=config.timeout, context=config.tls())
            else:
                self._server = _Plain(config.host, config.port, timeout=config.timeout)
        try:
            if config.security == "starttls":
                with explained(self.name, "STLS", hide):
                    self._server.stls(config.tls())
            check = "Check hear.mailbox.username and where hear.mailbox.password says it is"
            with explained(self.name, "login", hide, check):
                self._server.user(config.username)
                self._server.pass_(config.password)
        except BaseException:
            self._server.close()
            raise
        return self

    def __exit__(self, *fault: object) -> None:
        server, self._server = self._server, None
        if server is None:
            return
        try:
            # Only now the server deletes anything (RFC 1939, 6).
            if fault and fault[0] is not None:
                with suppress(*SAID, OSError):
                    server.quit()
            else:
                with explained(self.name, "QUIT", remedy="What was read is read again, and counts once"):
                    server.quit()
        finally:
            with suppress(OSError):
                server.close()

    def messages(self) -> Iterator[Incoming]:
        """Yield everything, the oldest first."""
        with explained(self.name, "listing"):
            listed = [line.split() for line in self._connected().list()[1]]
            sizes = {int(words[0]): int(words[1]) for words in listed if len(words) >= 2}
        for number, size in sorted(sizes.items()):
            if size > LIMIT:
                yield Incoming(str(number), size, None)
                continue
            with explained(self.name, "fetching a message"):
                lines = self._connected().retr(number)[1]
            yield Incoming(str(number), size, b"\r\n".join([*lines, b""]))

    def done(self, incoming: Incoming) -> None:
        """Mark the message; it goes when the mailbox is closed."""
        with explained(self.name, "taking a message out"):
            self._connected().dele(int(incoming.id))

    def leave(self, incoming: Incoming) -> None:
        """Do nothing: POP3 cannot remember."""

    def _connected(self) -> poplib.POP3:
        if self._server is None:
            raise MailboxUnusable(f"{self.name} is not open.")
        return self._server
