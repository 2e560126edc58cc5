"""What reads posts."""

from __future__ import annotations

from typing import Protocol

from pipeline.model import (
    Post,
)


class Source(Protocol):
    """Reads a post's Markdown body again, for the few posts that are rendered."""

    def body(self, post: Post) -> str:
        """Return the Markdown below the front matter, NFC, `\\n` line ends.

        Raises PostError if the file has gone or changed since `post` was read.
        """
