"""Single mails to one person, and the form that most of them answer: what came in, what waits, what went out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, Row, and_, delete, exists, func, insert, or_, select, update
from sqlalchemy.sql import Select

from pipeline.model import DeliveryState, Event, Letter, LetterKind, Request, address_key
from pipeline.store.audience import CONFIRMED
from pipeline.store.engine import Part
from pipeline.store.moments import NOW, microseconds
from pipeline.store.tables import events, letters, requests, subscribers, suppressions

_QUEUED, _ARMED = DeliveryState.QUEUED.value, DeliveryState.ARMED.value


class Letters(Part):
    """The part of the store that knows single mails."""

    def ask(self, email: str, name: str, at: datetime) -> None:
        """Note that somebody typed an address into the form. Costs the same whoever that is."""
        with self._database.write() as connection:
            connection.execute(
                insert(requests).values(email_key=address_key(email), email=email, name=name, at=at)
            )

    def requests(self, limit: int) -> Sequence[Request]:
        """Return requests that nobody has answered yet, the oldest first."""
        with self._database.read() as connection:
            rows = connection.execute(select(requests).order_by(requests.c.id).limit(limit)).all()
        return [Request(row.id, row.email, row.name, row.at) for row in rows]

    def letters(self, limit: int) -> Sequence[Letter]:
        """Return letters that are due, the one that has waited longest first."""
        due = waiting().where(letters.c.state == _QUEUED, letters.c.not_before <= NOW)
        with self._database.read() as connection:
            return list(map(as_letter, connection.execute(due.limit(limit))))

    def next_letter(self) -> timedelta | None:
        """How long until the next letter is due, 0 if one is; None if none waits."""
        with self._database.read() as connection:
            left = connection.scalar(
                select(func.min(letters.c.not_before) - NOW).where(letters.c.state == _QUEUED)
            )
        return None if left is None else timedelta(microseconds=max(left, 0))

    def arm_letter(self, letter: Letter) -> bool:
        """Write down that a letter may be on the wire.

        False if it is gone, another process has it, or its reader left
        meanwhile; a confirmation asks those who are not in.
        """
        suppressed = exists().where(suppressions.c.email_key == letters.c.email_key)
        in_now = exists().where(subscribers.c.email_key == letters.c.email_key, CONFIRMED, ~suppressed)
        mine = update(letters).where(
            _this(letter),
            letters.c.state == _QUEUED,
            or_(letters.c.kind == LetterKind.CONFIRMATION.value, in_now),
        )
        with self._database.write() as connection:
            return connection.execute(mine.values(state=_ARMED, updated=NOW)).rowcount == 1

    def withdraw_letter(self, letter: Letter) -> bool:
        """Drop a letter that need not or cannot be sent; False if it is gone, or another process has it."""
        mine = delete(letters).where(_this(letter), letters.c.state == _QUEUED)
        with self._database.write() as connection:
            return connection.execute(mine).rowcount == 1

    def settle_letter(
        self, letter: Letter, retry_in: timedelta | None, give_up: timedelta, event: Event | None = None
    ) -> None:
        """Write down what became of a letter: it is done with, or it rests and is tried again.

        One that has waited longer than `give_up` is done with. `event` is what
        is remembered of its reader then; nothing, if they were erased meanwhile.
        """
        mine = _this(letter)
        again = update(letters).where(mine, letters.c.created > NOW - microseconds(give_up))
        with self._database.write() as connection:
            if retry_in is not None:
                rests = again.values(
                    state=_QUEUED,
                    attempts=letters.c.attempts + 1,
                    not_before=NOW + microseconds(retry_in),
                    updated=NOW,
                )
                if connection.execute(rests).rowcount:
                    return
            if connection.execute(delete(letters).where(mine)).rowcount and event is not None:
                put_event(connection, address_key(letter.email), event)

    def sweep_letters(self, older: timedelta) -> int:
        """Drop letters that a process armed and died over: nobody knows whether they went, so they never go again."""
        lost = delete(letters).where(
            letters.c.state == _ARMED, letters.c.updated <= NOW - microseconds(older)
        )
        with self._database.write() as connection:
            return connection.execute(lost).rowcount


def _this(letter: Letter) -> ColumnElement[bool]:
    """Return the condition for just this letter: once it is done with, its number may be another's."""
    return and_(
        letters.c.id == letter.id,
        letters.c.kind == letter.kind.value,
        letters.c.email_key == address_key(letter.email),
        letters.c.at == letter.at,
    )


def put_event(connection: Connection, key: str, event: Event) -> None:
    """Remember what happened with one person."""
    connection.execute(
        insert(events).values(
            email_key=key,
            at=event.at,
            kind=event.kind,
            issue=event.issue,
            words=event.words,
            stood_since=event.stood_since,
        )
    )


def put_letter(connection: Connection, key: str, kind: LetterKind, at: datetime) -> None:
    """Have a letter wait for a relay; its links are dated `at`."""
    connection.execute(
        insert(letters).values(
            kind=kind,
            email_key=key,
            at=at,
            state=_QUEUED,
            attempts=0,
            not_before=0,
            created=NOW,
            updated=NOW,
        )
    )


def waiting() -> Select[tuple[object, ...]]:
    """Return the query for letters with all that `as_letter` needs; who is gone gets none."""
    columns = (letters.c.id, letters.c.kind, letters.c.at, letters.c.attempts)
    return (
        select(*columns, subscribers.c.uid, subscribers.c.email, subscribers.c.name)
        .join(subscribers, subscribers.c.email_key == letters.c.email_key)
        .order_by(letters.c.not_before, letters.c.id)
    )


def as_letter(row: Row[tuple[object, ...]]) -> Letter:
    """Return a row of `waiting` as a noun."""
    return Letter(row.id, LetterKind(row.kind), row.uid, row.email, row.name, row.at, row.attempts)
