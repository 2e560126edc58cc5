"""Takes in people by the million: gathers them beside the store, then decides about all of them at once.

Only for the second part is the store kept from others. What is gathered lies
in a file, so a list takes no more memory the longer it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import count, islice
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    FromClause,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    and_,
    case,
    delete,
    false,
    func,
    literal,
    literal_column,
    not_,
    or_,
    select,
    update,
)
from sqlalchemy.dialects import sqlite as dialect
from sqlalchemy.sql import Select

from pipeline.model import NO_REASON, EventKind, Preferences, Subscriber, SubscriberState, address_key
from pipeline.store.erased import Erased
from pipeline.store.moments import NOW, Moment, as_microseconds, from_microseconds
from pipeline.store.sqlite import BESIDE
from pipeline.store.tables import events, preferences, subscribers, suppressions

CHUNK = 2000
#: How an event says that somebody left elsewhere.
BY_LIST = "by a list that was imported"
_ALL = Preferences()
_S = SubscriberState
#: Of two rows with one address the higher rank counts: who left, then who confirmed, then the later one.
_RANK = {_S.UNCONFIRMED: 0, _S.CONFIRMED: 1 << 40, _S.UNSUBSCRIBED: 1 << 41}
#: Of two reasons the one that begins with the lower digit counts.
_GRAVITY = {"complained": "0", "bounced": "1", NO_REASON: "3"}
_OTHER = "2"

_beside = MetaData(schema=BESIDE)
incoming = Table(
    "incoming",
    _beside,
    Column("email_key", String(320)),
    Column("rank", BigInteger, nullable=False),
    Column("uid", String(32), nullable=False),
    Column("email", String(320), nullable=False),
    Column("domain", String(255), nullable=False),
    Column("name", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("since", Moment, nullable=False),
    #: A digit of _GRAVITY and the reason. Here and in `wants` "" is nothing: NULL takes the driver longer.
    Column("suppressed", Text, nullable=False),
    #: What they want, as `_wants` writes it.
    Column("wants", Text, nullable=False),
    #: No PRIMARY KEY by the column: one tree for rows and key, in the order in which they are written later.
    PrimaryKeyConstraint("email_key"),
    sqlite_with_rowid=False,
)


def _gathering() -> str:
    """Return the statement that adds a row, or merges it with the one whose address it has."""
    new = dialect.insert(incoming)
    said, higher = new.excluded, new.excluded.rank > incoming.c.rank
    apart = ("email_key", "name", "suppressed")
    merged: dict[str, ColumnElement[Any]] = {
        column.name: case((higher, said[column.name]), else_=column)
        for column in incoming.columns
        if column.name not in apart
    }
    named = or_(incoming.c.name == _NONE, and_(higher, said.name != _NONE))
    merged["name"] = case((named, said.name), else_=incoming.c.name)
    graver = and_(said.suppressed != _NONE, said.suppressed < incoming.c.suppressed)
    some = or_(incoming.c.suppressed == _NONE, graver)
    merged["suppressed"] = case((some, said.suppressed), else_=incoming.c.suppressed)
    return str(new.on_conflict_do_update(["email_key"], set_=merged).compile(dialect=dialect.dialect()))


_NONE: ColumnElement[str] = literal_column("''")
#: As text: what SQLAlchemy does for each row of a statement takes longer than the database.
_GATHER = _gathering()


def _there(table: FromClause, *where: ColumnElement[bool]) -> ColumnElement[bool]:
    """Return the condition that an incoming row's address is in a table."""
    same = table.c.email_key == incoming.c.email_key
    return select(table.c.email_key).where(same, *where).correlate(incoming).exists()


_mine = subscribers.c.email_key == incoming.c.email_key
#: As they stand; by another name, since the rows of `subscribers` themselves are changed under it.
_now = subscribers.alias("now")
_here = _there(_now)
_gone = _there(_now, _now.c.state == _S.UNSUBSCRIBED)
_known = _there(suppressions)
#: Whoever left or is suppressed stays so, whatever a row says.
_stays_out = or_(_known, _gone, incoming.c.suppressed != "")


def take_in(
    connection: Connection,
    people: Iterable[Subscriber],
    erased: Erased,
    *,
    rehearse: bool = False,
) -> dict[str, int]:
    """Add or update people by address within a transaction; count what became of each row.

    With `rehearse` nothing is written, and nobody is kept waiting.
    """
    incoming.create(connection)
    rows = _gather(connection, erased.leave_out(people))
    if not rehearse:
        # From here on others wait: a transaction that has read could be too late to write.
        connection.execute(delete(suppressions).where(false()))
    _take_back(connection, erased)
    counted = _count(connection)
    if not rehearse:
        _write(connection, counted)
    # The rest are rows with an address that stood in another one, too.
    counted["unchanged"] += rows - sum(counted.values()) - erased.taken_back
    counted["suppressed"] += erased.left_out + erased.taken_back
    return counted


def _take_back(connection: Connection, erased: Erased) -> None:
    """Drop those who were forgotten while the others were gathered."""
    if erased.look_again(connection):
        for chunk in _chunks(connection, select(incoming.c.email_key, incoming.c.email)):
            gone = [key for key, email in chunk if erased.has(email)]
            if gone:
                erased.taken_back += len(gone)
                connection.execute(delete(incoming).where(incoming.c.email_key.in_(gone)))


def _count(connection: Connection) -> dict[str, int]:
    """Count what becomes of everybody."""
    fates = {
        "added": and_(not_(_stays_out), not_(_here)),
        "updated": and_(not_(_stays_out), _changes()),
        "suppressed": _stays_out,
    }
    # Sums, not groups: these would be sorted, and for that all of them held in memory.
    sums = [func.coalesce(func.sum(case((fate, 1), else_=0)), 0) for fate in fates.values()]
    *counts, everybody = connection.execute(select(*sums, func.count()).select_from(incoming)).one()
    return {**dict(zip(fates, counts, strict=True)), "unchanged": everybody - sum(counts)}


def _gather(connection: Connection, people: Iterable[Subscriber]) -> int:
    """Write all rows beside the store; return how many there were."""
    rows = map(_row, people, count())
    gathered = 0
    while chunk := list(islice(rows, CHUNK)):
        connection.exec_driver_sql(_GATHER, chunk)
        gathered += len(chunk)
    return gathered


def _row(person: Subscriber, place: int) -> tuple[Any, ...]:
    """Return the columns of `incoming`."""
    reason, wants = person.suppressed, person.preferences
    return (
        address_key(person.email),
        _RANK[person.state] + place,
        person.uid,
        person.email,
        person.email.rpartition("@")[2],
        person.name,
        person.state.value,
        as_microseconds(person.since),
        "" if reason is None else _GRAVITY.get(reason, _OTHER) + reason,
        "" if wants is _ALL or wants == _ALL else _wants(wants),
    )


def _wants(wants: Preferences) -> str:
    until = wants.paused_until
    return f"{int(wants.feed_only)} {'' if until is None else as_microseconds(until)} {wants.choice}"


def _chunks(connection: Connection, query: Any) -> Iterator[Sequence[Any]]:
    """Yield the rows of a query about the incoming, a chunk at a time, while others are written."""
    after = ""
    while True:
        page = query.where(incoming.c.email_key > after).order_by(incoming.c.email_key).limit(CHUNK)
        rows = connection.execute(page).all()
        if rows:
            yield rows
        if len(rows) < CHUNK:
            return
        after = rows[-1].email_key


def _renames() -> ColumnElement[bool]:
    # An empty name never replaces one.
    return and_(incoming.c.name != "", incoming.c.name != subscribers.c.name)


def _leaves() -> ColumnElement[bool]:
    return and_(subscribers.c.state != _S.UNSUBSCRIBED, incoming.c.state == _S.UNSUBSCRIBED)


def _moves() -> ColumnElement[bool]:
    # Only onwards: unconfirmed, confirmed, unsubscribed.
    return or_(
        and_(subscribers.c.state == _S.UNCONFIRMED, incoming.c.state == _S.CONFIRMED),
        _leaves(),
    )


def _changes() -> ColumnElement[bool]:
    return _there(subscribers, or_(_renames(), _moves()))


def _write(connection: Connection, counted: Mapping[str, int]) -> None:
    """Write down what was decided; what it is decided by, last. Goes through everybody only for what was counted."""
    if counted["updated"] or counted["suppressed"]:
        _write_leaving(connection)
    if counted["updated"]:
        _update(connection, not_(_stays_out), or_(_renames(), _moves()))
    if counted["suppressed"]:
        # Who must not be mailed anyway may still have left.
        _update(connection, _stays_out, _leaves())
    if not counted["added"] and not counted["suppressed"]:
        return
    _write_preferences(connection)
    names = ["email_key", "uid", "email", "domain", "name", "state", "since"]
    new = select(*(incoming.c[name] for name in names), NOW, NOW)
    _insert(connection, subscribers, [*names, "created", "updated"], new.order_by(incoming.c.email_key))
    reason = func.substr(incoming.c.suppressed, 2)
    orders = select(incoming.c.email_key, reason, incoming.c.since).where(incoming.c.suppressed != "")
    _insert(connection, suppressions, ["email_key", "reason", "since"], orders)


def _write_leaving(connection: Connection) -> None:
    """Remember of those who were in, and leave by this list, since when they had stood confirmed."""
    values = [incoming.c.email_key, incoming.c.since, literal(EventKind.LEFT.value), literal(BY_LIST)]
    were_in = and_(subscribers.c.state == _S.CONFIRMED, incoming.c.state == _S.UNSUBSCRIBED)
    leaving = select(*values, subscribers.c.since).where(_mine, were_in)
    names = ["email_key", "at", "kind", "words", "stood_since"]
    connection.execute(dialect.insert(events).from_select(names, leaving))


def _write_preferences(connection: Connection) -> None:
    """Write down what those want who are new; who is known has chosen here."""
    new = select(incoming.c.email_key, incoming.c.wants).where(incoming.c.wants != "", not_(_here))
    for chunk in _chunks(connection, new):
        rows = []
        for key, wants in chunk:
            feed_only, until, choice = wants.split(" ", 2)
            paused = from_microseconds(int(until)) if until else None
            rows.append(
                {"email_key": key, "choice": choice, "feed_only": feed_only == "1", "paused_until": paused}
            )
        connection.execute(dialect.insert(preferences).on_conflict_do_nothing(["email_key"]), rows)


def _insert(connection: Connection, table: Table, names: list[str], rows: Select[Any]) -> None:
    """Insert those rows whose address is not in the table yet.

    By the conflict, not by looking first: for what reads the table that it
    writes, SQLite holds all rows in memory.
    """
    new = dialect.insert(table).from_select(names, rows)
    connection.execute(new.on_conflict_do_nothing(["email_key"]))


def _update(connection: Connection, rows: ColumnElement[bool], where: ColumnElement[bool]) -> None:
    """Change those whom these rows are about as far as they say something new."""
    connection.execute(
        update(subscribers)
        .where(_mine, rows, where)
        .values(
            name=case((_renames(), incoming.c.name), else_=subscribers.c.name),
            state=case((_moves(), incoming.c.state), else_=subscribers.c.state),
            since=case((_moves(), incoming.c.since), else_=subscribers.c.since),
            updated=NOW,
        )
    )
