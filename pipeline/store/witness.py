"""Notices that the ledger is an older copy of itself, or one of two: both would send to readers twice.

Beside the database lies a small file with the highest generation of the
ledger that ever sent; a database restored from a copy is of a lower one. And
the ledger remembers which file it was when an issue began to go out; a copy
of it is another file. Neither sees through a copy of the whole disk.
"""

from __future__ import annotations

import os
from pathlib import Path

from sqlalchemy import BigInteger, Connection, String, cast, insert, select, update

from pipeline.store.tables import installation

_NAME = "generation"
_mine = installation.c.name == _NAME
_NEXT = (
    update(installation)
    .where(_mine)
    .values(value=cast(cast(installation.c.value, BigInteger) + 1, String))
    .returning(installation.c.value)
)


def generation(connection: Connection) -> int:
    """Return how often deliveries of this ledger were taken up; 0 if never."""
    return int(connection.scalar(select(installation.c.value).where(_mine)) or 0)


def next_generation(connection: Connection) -> int:
    """Count once more, in the transaction that takes deliveries up."""
    value = connection.scalar(_NEXT)
    if value is None:
        connection.execute(insert(installation).values(name=_NAME, value="1"))
    return int(value or 1)


class Witness:
    """What can be told of a ledger from outside of it."""

    def __init__(self, database: Path) -> None:
        self._database = database
        #: Holds the highest generation.
        self.path = database.with_name(f"{database.name}-witness")

    def generation(self) -> int:
        """Return the generation it saw last; 0 if it cannot tell."""
        try:
            return int(self.path.read_bytes() or 0)
        except (OSError, ValueError):
            return 0

    def note(self, generation: int) -> None:
        """Write a generation down, once it is in the ledger. Raises OSError.

        Not synced: after a power cut it may be too low, which only makes it
        see less. Of two runs at once the lower may come last, for the same.
        """
        handle = os.open(self.path, os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            # As long as every other, so that it replaces them all.
            os.write(handle, b"%020d\n" % generation)
        finally:
            os.close(handle)

    def file(self) -> str:
        """Name the file that the database is, whatever it is called and wherever it was moved."""
        return str(self._database.stat().st_ino)
