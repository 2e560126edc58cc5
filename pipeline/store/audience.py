"""The audience: who reads, who left, whom a standing order says not to mail."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, case, exists, func, or_, select, update
from sqlalchemy.sql import Select

from pipeline.model import Audience, Preferences, Skip, Subscriber, SubscriberState, address_key
from pipeline.store.engine import Part
from pipeline.store.erased import Erased
from pipeline.store.intake import take_in
from pipeline.store.moments import NOW
from pipeline.store.tables import preferences, subscribers, suppressions

#: Subscribers read in one go while going through all of them.
PAGE = 2000

CONFIRMED = subscribers.c.state == SubscriberState.CONFIRMED


def _is_suppressed(email_key: ColumnElement[str]) -> ColumnElement[bool]:
    return exists().where(suppressions.c.email_key == email_key)


def _is_confirmed(email_key: ColumnElement[str]) -> ColumnElement[bool]:
    return exists().where(subscribers.c.email_key == email_key, CONFIRMED)


def _wants_no_mail(date: Any) -> ColumnElement[bool]:
    """Return the condition of preferences under which no issue of that date comes by mail."""
    return or_(preferences.c.feed_only, preferences.c.paused_until > date)


def may_be_mailed(date: Any) -> ColumnElement[bool]:
    """Return the one rule for whom an issue of that date may go to: confirmed, not suppressed, wanting mail then.

    `date` is a moment, or the column that holds one.
    """
    against = exists().where(preferences.c.email_key == subscribers.c.email_key, _wants_no_mail(date))
    return and_(CONFIRMED, ~_is_suppressed(subscribers.c.email_key), ~against)


class Subscribers(Part):
    """The part of the store that knows people."""

    def readers(self) -> int:
        """Count those who take the issues of this moment, whatever is in them."""
        return sum(self.audience(None).choices.values())

    def audience(self, date: datetime | None) -> Audience:
        """Count everybody who is confirmed by what an issue of that date (None: of this moment) has for them."""
        with self._database.read() as connection:
            return count_audience(connection, NOW if date is None else date)

    def subscribers(self, state: SubscriberState | None = None) -> Iterator[Subscriber]:
        """Yield subscribers in order of address, in flat memory; each page of them is read at one moment."""
        query = people().order_by(subscribers.c.email_key).limit(PAGE)
        if state is not None:
            query = query.where(subscribers.c.state == state)
        after = ""
        while True:
            with self._database.read() as connection:
                rows = connection.execute(query.where(subscribers.c.email_key > after)).all()
            yield from map(as_subscriber, rows)
            if len(rows) < PAGE:
                return
            after = rows[-1].email_key

    def subscriber(self, email: str) -> Subscriber | None:
        """Return the subscriber with that address, however it is spelled."""
        with self._database.read() as connection:
            row = connection.execute(people().where(subscribers.c.email_key == address_key(email))).first()
        return None if row is None else as_subscriber(row)

    def put_subscribers(self, people: Iterable[Subscriber], *, rehearse: bool = False) -> dict[str, int]:
        """Add or update people by address, all of them or (if anything is raised) nobody.

        Returns how many were `added`, `updated`, `unchanged`, `suppressed`;
        with `rehearse`, how many would be. `people` may be endless in length
        but not call this store; other processes are kept waiting only while
        the last of it is written.
        """
        if self._database.unwritable and not rehearse:
            raise self._error(self._database.unwritable)
        with self._database.read() as connection:
            erased = Erased(connection, self._tokens.marks)
        # Not `write`: people are first gathered beside the store, and only then is it locked.
        with self._database.read_beside() as connection:
            return take_in(connection, people, erased, rehearse=rehearse)

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


def count_audience(connection: Connection, date: Any) -> Audience:
    """Count everybody who is confirmed by what an issue of that date has for them."""
    confirmed = connection.scalar(select(func.count()).select_from(subscribers).where(CONFIRMED)) or 0
    suppressed = _count_suppressed(connection)
    # From the side of those who want something of their own: they are few, the subscribers may be a million. A join
    # would leave it to the database where to begin, and SQLite goes through a million to find none.
    why = case(
        (preferences.c.feed_only, Skip.FEED_ONLY.value), (_wants_no_mail(date), Skip.PAUSED.value), else_=""
    )
    wanting = (
        select(preferences.c.choice, why.label("why"), func.count())
        .where(_is_confirmed(preferences.c.email_key), ~_is_suppressed(preferences.c.email_key))
        .group_by(preferences.c.choice, "why")
    )
    choices, skipped = Counter[str](), Counter({Skip.SUPPRESSED: suppressed})
    for choice, reason, count in connection.execute(wanting):
        if reason:
            skipped[Skip(reason)] += count
        else:
            choices[choice] += count
    choices[""] += confirmed - suppressed - sum(choices.values()) - (skipped.total() - suppressed)
    return Audience(dict(+choices), dict(+skipped))


def _count_suppressed(connection: Connection) -> int:
    # From the suppressions' side: they are few, the subscribers may be a million.
    query = select(func.count()).select_from(suppressions)
    return connection.scalar(query.where(_is_confirmed(suppressions.c.email_key))) or 0


def people() -> Select[tuple[Any, ...]]:
    """Return the query for subscribers with all that `as_subscriber` needs, and their keys."""
    known = (subscribers.c[name] for name in ("uid", "email", "name", "state", "since"))
    wanted = (preferences.c.choice, preferences.c.feed_only, preferences.c.paused_until)
    return (
        select(*known, suppressions.c.reason, *wanted, subscribers.c.email_key)
        .select_from(subscribers)
        .outerjoin(suppressions, suppressions.c.email_key == subscribers.c.email_key)
        .outerjoin(preferences, preferences.c.email_key == subscribers.c.email_key)
    )


def as_subscriber(row: Row[Any]) -> Subscriber:
    """Return a row of `people` as a noun."""
    # By place, all at once: by name, one after the other, a million take three times as long.
    values: tuple[Any, ...] = tuple(row)
    uid, email, name, state, since, reason, choice, feed_only, paused_until, _ = values
    wants = _ALL if choice is None else Preferences(tuple(choice.split()), bool(feed_only), paused_until)
    return Subscriber(uid, email, name, _STATES[state], since, reason, wants)


_ALL = Preferences()
_STATES = {state.value: state for state in SubscriberState}
