"""One message on standard input, as a mail server hands it to a program (aliases, pipe(8))."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, Self

from pipeline.hear.mailbox.faults import explained
from pipeline.hear.mime import LIMIT
from pipeline.model import Incoming

BLOCK = 64 * 1024


class Pipe:
    """A stream that ends with its one message."""

    name = "standard input"

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *fault: object) -> None:
        """Nothing to close: the stream is somebody else's."""

    def messages(self) -> Iterator[Incoming]:
        """Yield the message; nothing if there is none."""
        with explained(self.name, "reading"):
            data = self._stream.read(LIMIT + 1)
            size = len(data)
            if size > LIMIT:
                # To its end, or the server takes it for a failure and sends it back.
                while block := self._stream.read(BLOCK):
                    size += len(block)
        if size:
            yield Incoming("-", size, data if size <= LIMIT else None)

    def done(self, incoming: Incoming) -> None:
        """Do nothing: it is here alone."""

    def leave(self, incoming: Incoming) -> None:
        """Do nothing: nobody could find it here."""
