"""One run at work: claims an issue, clears up after runs that died, gives it back."""

from __future__ import annotations

import os
from datetime import tzinfo
from socket import gethostname

from sqlalchemy import ColumnElement, Connection, delete, insert, or_, select

from pipeline.errors import Busy, Refused
from pipeline.store.engine import Part
from pipeline.store.moments import NOW, zone
from pipeline.store.moves import move
from pipeline.store.tables import deliveries, issues, runs


class Runs(Part):
    """The part of the store that lets one run at a time work."""

    #: Who has the lock; "" while nobody of ours does.
    _owner = ""

    def claim(self, number: int, owner: str, *, join: bool = False, only_copy: bool = False) -> None:  # noqa: ARG002
        """Make `owner` the one run at work on this issue, and clear up after dead ones.

        Their leased deliveries go back to queued, their armed ones become in
        doubt. Raises Busy, naming since when, if another run still lives,
        StoreError if there is no such issue, Refused if it was frozen with
        another secret: its copies would be others now.
        """
        with self._database.read() as connection:
            row = connection.execute(
                select(issues.c.zone, issues.c.seal).where(issues.c.number == number)
            ).first()
        if row is None:
            raise self._error(f"there is no issue {number} in it. See: newsletter status")
        if row.seal != self._seal(number):
            raise Refused(
                f"issue {number} was frozen with another installation secret. Put that secret back "
                "(NEWSLETTER_SECRET or .newsletter/secret) to go on with it"
            )
        self._take_lock(owner, zone(row.zone))
        try:
            with self._database.write() as connection:
                # Whoever held these before us is dead: the lock says so.
                _clear_up(connection, number, or_(deliveries.c.owner != owner, deliveries.c.owner.is_(None)))
                connection.execute(delete(runs))
                mine = {"owner": owner, "issue": number, "process": os.getpid(), "host": gethostname()}
                connection.execute(insert(runs).values(**mine, since=NOW))
        except BaseException:
            self._drop_lock()
            raise

    def release(self, number: int, owner: str) -> None:
        """Give the issue back: what is still leased goes back to queued, what is armed becomes in doubt.

        After a failure of the store it only lets go of the lock; the next claim clears up.
        """
        try:
            if not self._database.broken:
                with self._database.write() as connection:
                    _clear_up(connection, number, deliveries.c.owner == owner)
                    connection.execute(delete(runs).where(runs.c.owner == owner))
        finally:
            if self._owner == owner:
                self._drop_lock()

    def _take_lock(self, owner: str, here: tzinfo) -> None:
        lock = self._database.lock
        try:
            free = self._owner in ("", owner) and (lock is None or lock.take())
        except OSError as fault:
            raise self._error(
                f"no lock can be set beside it: {fault.strerror}. Look at the rights of its folder"
            ) from fault
        if not free:
            holder = lock.holder() if lock else None
            since = f" since {holder[1].astimezone(here):%H:%M:%S} (process {holder[0]})" if holder else ""
            raise Busy(
                f"a run is at work on this newsletter{since}. Let it finish, or stop it, then try again"
            )
        self._owner = owner

    def _drop_lock(self) -> None:
        self._owner = ""
        if self._database.lock is not None:
            self._database.lock.drop()


def _clear_up(connection: Connection, number: int, whose: ColumnElement[bool]) -> None:
    here = deliveries.c.issue == number
    connection.execute(move("give back", owner=None, leased_until=None).where(here, whose))
    connection.execute(move("doubt", attempts=deliveries.c.attempts + 1).where(here, whose))
