"""The audience: who reads, who left, whom a standing order says not to mail."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Row, and_, delete, exists, func, select, update
from sqlalchemy.sql import Select

from pipeline.model import Subscriber, SubscriberState, address_key
from pipeline.store.engine import Part
from pipeline.store.intake import take_in
from pipeline.store.moments import NOW
from pipeline.store.tables import subscribers, suppressions

#: Subscribers read in one go while going through all of them.
PAGE = 2000

CONFIRMED = subscribers.c.state == SubscriberState.CONFIRMED


def _suppressed() -> ColumnElement[bool]:
    return exists().where(suppressions.c.email_key == subscribers.c.email_key)


def may_be_mailed() -> ColumnElement[bool]:
    """Return the one rule for whom an issue goes to: confirmed and not suppressed."""
    return and_(CONFIRMED, ~_suppressed())


class Audience(Part):
    """The part of the store that knows people."""

    def readers(self) -> int:
        """Count those an issue frozen now would enroll."""
        with self._database.read() as connection:
            confirmed = connection.scalar(select(func.count()).select_from(subscribers).where(CONFIRMED)) or 0
            return confirmed - _count_suppressed(connection)

    def suppressed_readers(self) -> int:
        """Count confirmed subscribers whose mail is suppressed."""
        with self._database.read() as connection:
            return _count_suppressed(connection)

    def subscribers(self, state: SubscriberState | None = None) -> Iterator[Subscriber]:
        """Yield subscribers in order of address, in flat memory; each page of them is read at one moment."""
        query = _people().order_by(subscribers.c.email_key).limit(PAGE)
        if state is not None:
            query = query.where(subscribers.c.state == state)
        after = ""
        while True:
            with self._database.read() as connection:
                rows = connection.execute(query.where(subscribers.c.email_key > after)).all()
            yield from map(_subscriber, rows)
            if len(rows) < PAGE:
                return
            after = rows[-1].email_key

    def subscriber(self, email: str) -> Subscriber | None:
        """Return the subscriber with that address, however it is spelled."""
        with self._database.read() as connection:
            row = connection.execute(_people().where(subscribers.c.email_key == address_key(email))).first()
        return None if row is None else _subscriber(row)

    def put_subscribers(self, people: Iterable[Subscriber]) -> dict[str, int]:
        """Add or update people by address, all of them or (if anything is raised) nobody.

        Returns how many were `added`, `updated`, `unchanged`, `suppressed`.
        `people` may be endless in length but not call this store; other
        processes are kept waiting only while the last of it is written.
        """
        if self._database.unwritable:
            raise self._error(self._database.unwritable)
        # Not `write`: people are first gathered beside the store, and only then is it locked.
        with self._database.read() as connection:
            return take_in(connection, people)

    def unsubscribe(self, email: str, now: datetime) -> bool:
        """Let somebody leave; True if they were there and had not left. Effective before the next arm."""
        leave = (
            update(subscribers)
            .where(
                subscribers.c.email_key == address_key(email),
                subscribers.c.state != SubscriberState.UNSUBSCRIBED,
            )
            .values(state=SubscriberState.UNSUBSCRIBED, since=now, updated=NOW)
        )
        with self._database.write() as connection:
            return connection.execute(leave).rowcount > 0

    def remove_subscriber(self, email: str) -> bool:
        """Take somebody out; True if they were there. A suppression of the address stays."""
        with self._database.write() as connection:
            gone = connection.execute(
                delete(subscribers).where(subscribers.c.email_key == address_key(email))
            )
            return gone.rowcount > 0


def _count_suppressed(connection: Connection) -> int:
    # From the suppressions' side: they are few, the subscribers may be a million.
    query = (
        select(func.count())
        .select_from(suppressions)
        .join(subscribers, subscribers.c.email_key == suppressions.c.email_key)
        .where(CONFIRMED)
    )
    return connection.scalar(query) or 0


def _people() -> Select[tuple[object, ...]]:
    return select(subscribers, suppressions.c.reason).outerjoin(
        suppressions, suppressions.c.email_key == subscribers.c.email_key
    )


def _subscriber(row: Row[tuple[object, ...]]) -> Subscriber:
    return Subscriber(
        uid=row.uid,
        email=row.email,
        name=row.name,
        state=SubscriberState(row.state),
        since=row.since,
        suppressed=row.reason,
    )
