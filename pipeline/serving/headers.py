"""Reads a request's headers and completes an answer's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.types import Scope

#: Methods that change nothing.
SAFE = frozenset({"GET", "HEAD"})

Raw = tuple[bytes, bytes]


def values(scope: Scope, name: bytes) -> list[str]:
    """Return every value that a request gives a header."""
    return [value.decode("latin-1") for key, value in scope["headers"] if key == name]


def dress(headers: Iterable[Raw], usual: Mapping[str, str]) -> list[Raw]:
    """Add the usual headers that an answer does not have of its own."""
    given = list(headers)
    have = {name.lower() for name, _ in given}
    more = ((name.lower().encode(), value.encode()) for name, value in usual.items())
    return given + [(name, value) for name, value in more if name not in have]
