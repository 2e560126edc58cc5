"""Takes in people by the million: gathers them in a temporary table, then decides about all of them at once."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Index,
    MetaData,
    String,
    Table,
    Text,
    and_,
    case,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    update,
)

from pipeline.model import Subscriber, SubscriberState, address_key
from pipeline.store.moments import NOW, Moment
from pipeline.store.tables import subscribers, suppressions

CHUNK = 2000
#: Ranks a row that says somebody left above every row that does not.
_LEFT = 1 << 40

incoming = Table(
    "incoming",
    MetaData(),
    #: Of two rows with one address the higher counts: one that says they left, else the later one.
    Column("rank", BigInteger, nullable=False),
    Column("email_key", String(320), nullable=False),
    Column("uid", String(32), nullable=False),
    Column("email", String(320), nullable=False),
    Column("domain", String(255), nullable=False),
    Column("name", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("since", Moment, nullable=False),
    Column("suppressed", Text),
    #: added, updated, unchanged or suppressed; null until it is decided.
    Column("fate", String(16)),
    Index("ix_incoming", "email_key", "rank"),
    prefixes=["TEMPORARY"],
)
_mine = subscribers.c.email_key == incoming.c.email_key


def take_in(connection: Connection, people: Iterable[Subscriber]) -> dict[str, int]:
    """Add or update people by address within a transaction; count what became of each row."""
    incoming.create(connection)
    rows = (_row(person, place) for place, person in enumerate(people))
    while chunk := list(islice(rows, CHUNK)):
        connection.execute(insert(incoming), chunk)
    twice = _drop_doubles(connection)
    _decide(connection)
    _write(connection)
    counted = connection.execute(select(incoming.c.fate, func.count()).group_by(incoming.c.fate)).all()
    incoming.drop(connection)
    result = {"added": 0, "updated": 0, "unchanged": twice, "suppressed": 0}
    for fate, number in counted:
        result[fate] += number
    return result


def _row(person: Subscriber, place: int) -> dict[str, Any]:
    left = person.state is SubscriberState.UNSUBSCRIBED
    return {
        "rank": place + _LEFT * left,
        "email_key": address_key(person.email),
        "uid": person.uid,
        "email": person.email,
        "domain": person.email.rpartition("@")[2],
        "name": person.name,
        "state": person.state,
        "since": person.since,
        "suppressed": person.suppressed,
    }


def _drop_doubles(connection: Connection) -> int:
    other = incoming.alias("other")
    beaten = exists().where(other.c.email_key == incoming.c.email_key, other.c.rank > incoming.c.rank)
    return connection.execute(delete(incoming).where(beaten)).rowcount


def _decide(connection: Connection) -> None:
    """Give every row its fate. Whoever left or is suppressed stays so, whatever the row says."""
    known = exists().where(suppressions.c.email_key == incoming.c.email_key)
    connection.execute(
        insert(suppressions).from_select(
            ["email_key", "reason", "since"],
            select(incoming.c.email_key, incoming.c.suppressed, incoming.c.since).where(
                incoming.c.suppressed.is_not(None), ~known
            ),
        )
    )
    left = exists().where(_mine, subscribers.c.state == SubscriberState.UNSUBSCRIBED)
    changes = exists().where(_mine, or_(_renames(), _moves()))
    fate = case(
        (or_(known, left), "suppressed"),
        (~exists().where(_mine), "added"),
        (changes, "updated"),
        else_="unchanged",
    )
    connection.execute(update(incoming).values(fate=fate))


def _renames() -> ColumnElement[bool]:
    # An empty name never replaces one.
    return and_(incoming.c.name != "", incoming.c.name != subscribers.c.name)


def _moves() -> ColumnElement[bool]:
    # Only onwards: unconfirmed, confirmed, unsubscribed.
    confirmed, left = SubscriberState.CONFIRMED, SubscriberState.UNSUBSCRIBED
    return or_(
        and_(subscribers.c.state == SubscriberState.UNCONFIRMED, incoming.c.state.in_([confirmed, left])),
        and_(subscribers.c.state == confirmed, incoming.c.state == left),
    )


def _write(connection: Connection) -> None:
    names = ["email_key", "uid", "email", "domain", "name", "state", "since"]
    new = select(*(incoming.c[name] for name in names), NOW, NOW).where(~exists().where(_mine))
    updated = select(incoming.c.email_key).where(incoming.c.fate == "updated")

    def told(name: str, where: ColumnElement[bool]) -> ColumnElement[Any]:
        """Return what the row says where it counts, else what stands."""
        said = select(incoming.c[name]).where(_mine, where).correlate(subscribers).scalar_subquery()
        return func.coalesce(said, subscribers.c[name])

    connection.execute(
        update(subscribers)
        .where(subscribers.c.email_key.in_(updated))
        .values(
            name=told("name", _renames()),
            state=told("state", _moves()),
            since=told("since", _moves()),
            updated=NOW,
        )
    )
    connection.execute(insert(subscribers).from_select([*names, "created", "updated"], new))
