"""What derives from the installation secret."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol


class Tokens(Protocol):
    """Everything that derives from the installation secret; audience/tokens.py."""

    def uid(self, email: str) -> str:
        """Return a subscriber's permanent 32 hexadecimal digits, the same for every spelling of the address."""

    def token(self, purpose: str, uid: str) -> str:
        """Return an opaque URL-safe token for one purpose: "unsubscribe", "preferences"."""

    def message_id(self, issue: int, uid: str) -> str:
        """Return the left side of a Message-ID, 32 hexadecimal digits (RFC 5322, 3.6.4)."""


class DatedTokens(Tokens, Protocol):
    """The same, where a token may hold a moment as well."""

    def dated(self, purpose: str, uid: str, at: datetime) -> str:
        """Return an opaque URL-safe token for one purpose that also holds a moment: "confirm"."""


class Identities(Tokens, Protocol):
    """The same, where somebody must be known again under earlier secrets too."""

    def uids(self, email: str) -> Sequence[str]:
        """Return the ids that an address has, or would have, under every secret; today's first."""

    def marks(self, email: str) -> Sequence[str]:
        """Return what stays of a forgotten address, under every secret; today's first."""
