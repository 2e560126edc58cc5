"""Keeps out of a list whoever was forgotten, though nobody knows any more who that was."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from sqlalchemy import Connection, select

from pipeline.model import Subscriber
from pipeline.store.tables import forgotten

#: Marks read in one go.
PAGE = 2000


class Erased:
    """Who was forgotten: only their marks are known, so everybody who comes is held against them."""

    def __init__(self, connection: Connection, marks: Callable[[str], Sequence[str]]) -> None:
        #: What stays of an address that is forgotten, under every secret.
        self._marks_of = marks
        # As bytes, a million of them take 65 MB.
        self._marks = {bytes.fromhex(mark) for mark in _marks(connection)}
        #: Rows of theirs, when they were read, and when it was found out later.
        self.left_out = self.taken_back = 0

    def leave_out(self, people: Iterable[Subscriber]) -> Iterable[Subscriber]:
        """Return those who were not forgotten; count the others. Costs nothing if nobody was."""
        return filter(self._stays, people) if self._marks else people

    def _stays(self, person: Subscriber) -> bool:
        forgotten = self.has(person.email)
        self.left_out += forgotten
        return not forgotten

    def has(self, email: str) -> bool:
        """Tell whether somebody with that address was forgotten."""
        return any(bytes.fromhex(mark) in self._marks for mark in self._marks_of(email))

    def look_again(self, connection: Connection) -> bool:
        """Keep only the marks that have come since; False if there are none."""
        self._marks = {mark for mark in map(bytes.fromhex, _marks(connection)) if mark not in self._marks}
        return bool(self._marks)


def _marks(connection: Connection) -> Iterable[str]:
    return connection.scalars(select(forgotten.c.mark).execution_options(yield_per=PAGE))
