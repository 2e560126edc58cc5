"""What reports and the pace ask of the ledger: when answers came, how fast, and what relays said."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    and_,
    exists,
    func,
    or_,
    select,
    tuple_,
    type_coerce,
)

from pipeline.model import DeliveryState, EventKind, Refusal, RefusedCopy
from pipeline.store.engine import Part
from pipeline.store.moments import EPOCH, NOW, microseconds, zone
from pipeline.store.moves import DEFERRED
from pipeline.store.tables import deliveries, events, issues

#: Of one issue: stretches of time, things relays said, and domains of each. A screen holds no more.
STRETCHES = 60
REFUSALS = 50
DOMAINS = 5
#: Answers of the last hours that are remembered for the pace, the newest ones.
ANSWERS = 200_000
#: Recipients read in one go while going through all of an issue's.
PAGE = 5000

#: In microseconds since 1970.
_answered = type_coerce(deliveries.c.answered, BigInteger)
_NOT_ACCEPTED = or_(
    deliveries.c.state.in_([DeliveryState.REFUSED, DeliveryState.EXPIRED, DeliveryState.IN_DOUBT]),
    and_(deliveries.c.state == DeliveryState.QUEUED, DEFERRED),
)


class Figures(Part):
    """The part of the store that says how it went."""

    def handed_over(self, within: timedelta) -> Sequence[timedelta]:
        """How long ago each delivery of any issue was answered, for those within that time; the oldest first."""
        recent = select(NOW - _answered).where(_answered >= NOW - microseconds(within))
        with self._database.read() as connection:
            spans = connection.scalars(recent.order_by(_answered.desc()).limit(ANSWERS)).all()
        return [timedelta(microseconds=max(span, 0)) for span in reversed(spans)]

    def enrolled(self, number: int) -> Iterator[str]:
        """Yield the ids of an issue's recipients, in flat memory; each page of them is read at one moment."""
        theirs = select(deliveries.c.uid).where(deliveries.c.issue == number)
        for (uid,) in self._pages(theirs, (deliveries.c.uid,), ("",)):
            yield uid

    def refused(self, number: int) -> Iterator[RefusedCopy]:
        """Yield the copies of an issue that were refused for good, in the order of the answers.

        In flat memory, but for those that were refused one after the other.
        """
        copies = select(_answered, deliveries.c.id, deliveries.c.uid, deliveries.c.reply).where(
            deliveries.c.issue == number,
            deliveries.c.state == DeliveryState.REFUSED,
            _answered.is_not(None),
        )
        row: list[Sequence[Any]] = []
        for copy in self._pages(copies, (_answered, deliveries.c.id), (0, 0)):
            if row and self._accepted_between(number, row[-1][0], copy[0]):
                yield from _told(row)
                row = []
            row.append(copy)
        yield from _told(row)

    def _accepted_between(self, number: int, first: int, last: int) -> bool:
        # Hidden from the planner, which would rather go through all that were accepted than through a moment's answers.
        issue = func.coalesce(deliveries.c.issue, 0)
        found = exists().where(
            # What was answered in the same moment may have come before or after.
            _answered > first,
            _answered < last,
            issue == number,
            deliveries.c.state == DeliveryState.ACCEPTED,
        )
        with self._database.read() as connection:
            return bool(connection.scalar(select(found)))

    def _pages(
        self, query: Select[Any], keys: Sequence[ColumnElement[Any]], after: Sequence[str | int]
    ) -> Iterator[Sequence[Any]]:
        """Yield a query's rows in the order of its first columns, the `keys`, from behind `after` on."""
        page = query.order_by(*keys).limit(PAGE)
        while True:
            with self._database.read() as connection:
                rows = connection.execute(page.where(tuple_(*keys) > tuple_(*after))).all()
            yield from rows
            if len(rows) < PAGE:
                return
            after = rows[-1][: len(keys)]

    def heard(self, number: int) -> Mapping[EventKind, int]:
        """Count what was heard of an issue since: bounces and complaints."""
        about = select(events.c.kind, func.count()).where(events.c.issue == number).group_by(events.c.kind)
        with self._database.read() as connection:
            return {EventKind(kind): count for kind, count in connection.execute(about)}

    def refusals(self, number: int) -> Sequence[Refusal]:
        """What the relay said where it did not accept, the most frequent first; the fifty most frequent."""
        said = (deliveries.c.state, deliveries.c.reply)
        here = and_(deliveries.c.issue == number, _NOT_ACCEPTED)
        many = func.count()
        most = select(*said, many).where(here).group_by(*said).order_by(many.desc(), *said).limit(REFUSALS)
        with self._database.read() as connection:
            counts = {(state, reply): count for state, reply, count in connection.execute(most)}
            where = (
                select(*said, deliveries.c.domain)
                .where(here, deliveries.c.reply.in_({reply for _, reply in counts}))
                .group_by(*said, deliveries.c.domain)
                .order_by(deliveries.c.domain)
            )
            domains: dict[tuple[str, str], list[str]] = {key: [] for key in counts}
            for state, reply, domain in connection.execute(where):
                found = domains.get((state, reply), [])
                if domain and len(found) < DOMAINS:
                    found.append(domain)
        return [
            Refusal(DeliveryState(state), reply, count, tuple(domains[state, reply]))
            for (state, reply), count in counts.items()
        ]

    def over_time(self, number: int) -> Sequence[tuple[datetime, int]]:
        """Start of each stretch of time and how many were accepted in it; at most sixty stretches, equally long.

        They reach from the first to the last that was accepted, in whole
        seconds; some may be empty.
        """
        # What was settled by a person, or accepted before answers had a column of their own.
        when = type_coerce(func.coalesce(deliveries.c.answered, deliveries.c.updated), BigInteger)
        here = and_(deliveries.c.issue == number, deliveries.c.state == DeliveryState.ACCEPTED)
        second = microseconds(timedelta(seconds=1))
        with self._database.read() as connection:
            in_zone = zone(connection.scalar(select(issues.c.zone).where(issues.c.number == number)) or "UTC")
            first, last = (
                connection.scalar(select(end).where(here)) for end in (func.min(when), func.max(when))
            )
            if first is None or last is None:
                return []
            seconds = (last - first) // second // STRETCHES + 1
            stretch = ((when - first) // (seconds * second)).label("stretch")
            rows = connection.execute(select(stretch, func.count()).where(here).group_by("stretch"))
            counts: dict[int, int] = {int(place): count for place, count in rows}
        start = EPOCH + timedelta(microseconds=first)
        return [
            ((start + timedelta(seconds=seconds * place)).astimezone(in_zone), counts.get(place, 0))
            for place in range(max(counts) + 1)
        ]


def _told(row: Sequence[Sequence[Any]]) -> Iterator[RefusedCopy]:
    for _, _, uid, reply in row:
        yield RefusedCopy(uid, reply, len(row))
