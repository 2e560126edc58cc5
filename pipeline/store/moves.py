"""Every way a delivery may move, and the one statement that moves it; counting where they stand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, Connection, exists, func, or_, select, update
from sqlalchemy.sql import Update

from pipeline.model import Counts, DeliveryState
from pipeline.store.audience import may_be_mailed
from pipeline.store.moments import NOW
from pipeline.store.tables import deliveries, issues, subscribers

_S = DeliveryState

#: Name of a move -> states it may begin in, state it ends in. A test holds this against the
#: table in deliver/states.py; the database is never changed but through `move`.
MOVES: Mapping[str, tuple[tuple[DeliveryState, ...], DeliveryState]] = {
    "lease": ((_S.QUEUED,), _S.LEASED),
    "give back": ((_S.LEASED,), _S.QUEUED),
    "withdraw": ((_S.QUEUED, _S.LEASED), _S.WITHDRAWN),
    "cancel": ((_S.QUEUED, _S.LEASED), _S.CANCELLED),
    "arm": ((_S.LEASED,), _S.ARMED),
    # An answer that comes after its run was taken for dead is evidence.
    "accept": ((_S.ARMED, _S.IN_DOUBT), _S.ACCEPTED),
    "refuse": ((_S.LEASED, _S.ARMED), _S.REFUSED),
    "defer": ((_S.LEASED, _S.ARMED), _S.QUEUED),
    "expire": ((_S.QUEUED,), _S.EXPIRED),
    "doubt": ((_S.ARMED,), _S.IN_DOUBT),
    "try again": ((_S.IN_DOUBT,), _S.QUEUED),
}

#: Not at an end: a run, or time, still moves these.
OPEN = (_S.QUEUED, _S.LEASED, _S.ARMED)


def move(name: str, **values: Any) -> Update:
    """Return the statement that makes a move; it finds nothing where a delivery stands elsewhere."""
    begins, end = MOVES[name]
    # Spelled out: a list is expanded anew with every execution.
    stands = or_(*(deliveries.c.state == begin for begin in begins))
    return update(deliveries).where(stands).values(state=end, updated=NOW, **values)


def still_reads() -> ColumnElement[bool]:
    """Return the condition that a delivery's recipient is (still) someone an issue may go to."""
    dated = select(issues.c.date).where(issues.c.number == deliveries.c.issue)
    # Correlated by hand: by itself a subquery looks no further than the query around it.
    date = dated.correlate(deliveries).scalar_subquery()
    return exists().where(subscribers.c.uid == deliveries.c.uid, may_be_mailed(date))


#: `not_before` of what was deferred, and is due now because a person asked.
AT_ONCE = 1
#: What is queued because a relay said "later".
DEFERRED = deliveries.c.not_before > 0


def standing(state: str, deferred: bool) -> str:
    """Return the word people read for where a delivery stands."""
    if state == _S.QUEUED and deferred:
        return "deferred"
    return _S.QUEUED.value if state in OPEN else state


def tally(connection: Connection, number: int) -> Counts:
    """Count one issue's deliveries; the eight words always add up to `readers`."""
    columns = (deliveries.c.state, DEFERRED.label("deferred"))
    query = select(*columns, func.count()).where(deliveries.c.issue == number).group_by(*columns)
    words: Counter[str] = Counter()
    for state, deferred, many in connection.execute(query):
        words[standing(state, deferred)] += many
    return Counts(readers=words.total(), **words)


def tally_by_domain(connection: Connection, number: int) -> dict[str, dict[str, int]]:
    """Count one issue's deliveries by the recipient's domain, then by DeliveryState."""
    columns = (deliveries.c.domain, deliveries.c.state)
    query = (
        select(*columns, func.count())
        .where(deliveries.c.issue == number)
        .group_by(*columns)
        .order_by(*columns)
    )
    domains: dict[str, dict[str, int]] = {}
    for domain, state, many in connection.execute(query):
        domains.setdefault(domain, {})[state] = many
    return domains


def tally_by_variant(connection: Connection, number: int) -> dict[str, int]:
    """Count one issue's deliveries by variant."""
    column = deliveries.c.variant
    query = select(column, func.count()).where(deliveries.c.issue == number).group_by(column).order_by(column)
    return {name: many for name, many in connection.execute(query)}  # noqa: C416 -- rows are no pairs to mypy
