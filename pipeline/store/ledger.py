"""The ledger: takes deliveries through their states, each step guarded in SQL and durable before it returns."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    BindParameter,
    Connection,
    and_,
    bindparam,
    exists,
    func,
    select,
    update,
)

from pipeline.errors import Refused
from pipeline.model import (
    Counts,
    Delivery,
    DeliveryState,
    IssueState,
    Recipient,
)
from pipeline.store.engine import Part
from pipeline.store.given import Number, Prepared, parameters
from pipeline.store.moments import NOW, from_microseconds, microseconds, zone
from pipeline.store.moves import (
    AT_ONCE,
    DEFERRED,
    OPEN,
    move,
    still_reads,
    tally,
    tally_by_domain,
    tally_by_variant,
)
from pipeline.store.tables import deliveries, issues, runs, variants
from pipeline.store.witness import next_generation

_here = deliveries.c.issue == bindparam("the_issue")
_run: BindParameter[str] = bindparam("run")
_SENDING = select(issues.c.zone).where(
    issues.c.number == bindparam("the_issue"),
    issues.c.state == IssueState.SENDING,
    exists().where(runs.c.owner == _run, runs.c.issue == issues.c.number),
)
#: The queue's index leads to what is leased, however long the ledger.
_LATE = move("give back", owner=None, leased_until=None).where(_here, deliveries.c.leased_until < NOW)
_QUEUE = Prepared(
    select(deliveries.c.id, still_reads().label("reads"))
    .where(_here, deliveries.c.state == DeliveryState.QUEUED, deliveries.c.not_before <= NOW)
    .order_by(deliveries.c.not_before, deliveries.c.id)
    .limit(bindparam("limit"))
    .with_for_update(skip_locked=True, of=deliveries)
)
_LEFT = move("withdraw").where(deliveries.c.id == Number(0))
#: What a Delivery is made of.
_COLUMNS = [
    deliveries.c[name]
    for name in (
        "id",
        "issue",
        "uid",
        "email",
        "name",
        "confirmed",
        "state",
        "epoch",
        "attempts",
        "variant",
    )
]
_TAKE = Prepared(
    move(
        "lease",
        epoch=deliveries.c.epoch + 1,
        owner=_run,
        leased_until=NOW + bindparam("span", type_=BigInteger),
    )
    .where(deliveries.c.id == Number(0))
    .returning(*_COLUMNS)
)
_DOUBTS = Prepared(
    select(*_COLUMNS).where(_here, deliveries.c.state == DeliveryState.IN_DOUBT).order_by(deliveries.c.id)
)
_FIRST = (
    update(issues)
    .where(issues.c.number == bindparam("the_issue"), issues.c.started.is_(None))
    .values(started=NOW)
)


class Ledger(Part):
    """The part of the store that knows deliveries. Every moment is the database's."""

    #: How long a leased delivery may wait to be armed. Longer than the slowest relay takes over a batch (RFC
    #: 5321, 4.5.3.2 gives ten minutes after the dot alone); a run that slept longer arms nothing.
    lease_time = timedelta(minutes=20)

    def lease(self, number: int, owner: str, limit: int) -> Sequence[Delivery]:
        """Take up to `limit` queued deliveries that are due; withdraw those who left since the freeze.

        Nothing is due while the issue is not being sent, or for a run that is
        not at work on it. What another run leased and left lying is due again.
        """
        here = {"the_issue": number, "run": owner}
        with self._database.write() as connection:
            zone_of_issue = connection.scalar(_SENDING, here)
            if zone_of_issue is None:
                return []
            connection.execute(_LATE, here)
            ids = _due(connection, here | {"limit": limit})
            if not ids:
                return []
            taken = parameters(([one] for one in ids), run=owner, span=microseconds(self.lease_time))
            rows = {row[0]: row for row in _TAKE.rows(connection, taken)}
            if connection.execute(_FIRST, here).rowcount:
                self._remember_file(connection, number)
            generation = next_generation(connection)
        self._database.note(generation)
        return [_delivery(rows[one], zone_of_issue) for one in ids if one in rows]

    def _remember_file(self, connection: Connection, number: int) -> None:
        if self._database.witness is not None:
            mine = update(issues).where(issues.c.number == number)
            connection.execute(mine.values(file=self._database.witness.file()))

    def hurry(self, number: int) -> int:
        """Make every deferred delivery due now; how many there are. They still count as deferred."""
        resting = update(deliveries).where(
            deliveries.c.issue == number, deliveries.c.state == DeliveryState.QUEUED, DEFERRED
        )
        with self._database.write() as connection:
            return connection.execute(resting.values(not_before=AT_ONCE)).rowcount

    def waits(self, number: int) -> timedelta | None:
        """How long until the next queued delivery is due, 0 if it is; None if nothing is queued."""
        queue = and_(deliveries.c.issue == number, deliveries.c.state == DeliveryState.QUEUED)
        with self._database.read() as connection:
            left = connection.scalar(select(func.min(deliveries.c.not_before) - NOW).where(queue))
        return None if left is None else timedelta(microseconds=max(left, 0))

    def doubts(self, number: int, *, forgotten: bool = False) -> Sequence[Delivery]:
        """Return the deliveries of an issue that are in doubt; those of people who were forgotten only if asked for.

        Those have no address: no relay, and no reader, can be asked about them.
        """
        with self._database.read() as connection:
            zone_of_issue = connection.scalar(select(issues.c.zone).where(issues.c.number == number))
            rows = _DOUBTS.rows(connection, {"the_issue": number})
        doubts = [_delivery(row, zone_of_issue or "UTC") for row in rows]
        return [doubt for doubt in doubts if forgotten or doubt.recipient.email]

    def settle(self, delivery: Delivery, accepted: bool) -> None:
        """in_doubt -> accepted, or back to queued, by evidence or by a person.

        What goes back to queued opens a sent issue again. Raises Refused if it
        is not in doubt (any more).
        """
        settled = (
            move("accept") if accepted else move("try again", not_before=0, owner=None, leased_until=None)
        )
        mine = settled.where(
            deliveries.c.id == delivery.id,
            deliveries.c.epoch == delivery.epoch,
            deliveries.c.state == DeliveryState.IN_DOUBT,
        )
        with self._database.write() as connection:
            if connection.execute(mine).rowcount != 1:
                raise Refused(f"delivery {delivery.id} of issue {delivery.issue} is not in doubt (any more)")
            if not accepted:
                again = update(issues).where(
                    issues.c.number == delivery.issue, issues.c.state == IssueState.SENT
                )
                connection.execute(again.values(state=IssueState.SENDING, finished=None))

    def counts(self, number: int) -> Counts:
        """Count deliveries; the eight always add up to `readers`."""
        with self._database.read() as connection:
            return tally(connection, number)

    def by_domain(self, number: int) -> dict[str, dict[str, int]]:
        """Recipient domain -> DeliveryState -> count."""
        with self._database.read() as connection:
            return tally_by_domain(connection, number)

    def by_variant(self, number: int) -> dict[str, int]:
        """Name of the variant -> how many readers it was frozen for; "" is the whole issue."""
        with self._database.read() as connection:
            # A million deliveries are not gone through for an issue that all readers got whole.
            if connection.scalar(select(exists().where(variants.c.issue == number))):
                return tally_by_variant(connection, number)
            readers = tally(connection, number).readers
        return {"": readers} if readers else {}

    def close(self, number: int) -> bool:
        """Mark the issue sent if nothing is left to hand over; True if it now is.

        A doubt does not keep it open: only evidence or a person ends that.
        """
        here = deliveries.c.issue == number
        last = select(func.max(deliveries.c.updated)).where(here).scalar_subquery()
        done = (
            update(issues)
            .where(
                issues.c.number == number,
                issues.c.state.in_([IssueState.SENDING, IssueState.PAUSED]),
                ~exists().where(here, deliveries.c.state.in_(OPEN)),
            )
            .values(state=IssueState.SENT, why="", finished=func.coalesce(last, NOW))
        )
        with self._database.write() as connection:
            connection.execute(done)
            return (
                connection.scalar(select(issues.c.state).where(issues.c.number == number)) == IssueState.SENT
            )


def _due(connection: Connection, asked: dict[str, object]) -> list[int]:
    """Return ids that may be leased, in order, withdrawing those who left on the way to them."""
    while rows := _QUEUE.rows(connection, asked):
        gone = [[one] for one, reads in rows if not reads]
        if gone:
            connection.execute(_LEFT, parameters(gone))
        if len(gone) < len(rows):
            return [one for one, reads in rows if reads]
    return []


@lru_cache(maxsize=4096)
def _day(confirmed: int, zone_of_issue: str) -> date:
    """Return the day that a moment is in; an import gives thousands of readers the same one."""
    return from_microseconds(confirmed).astimezone(zone(zone_of_issue)).date()


def _delivery(row: Sequence[Any], zone_of_issue: str) -> Delivery:
    one, issue, uid, email, name, confirmed, state, epoch, attempts, variant = row
    recipient = Recipient(uid, email, name, _day(confirmed, zone_of_issue))
    return Delivery(one, issue, recipient, DeliveryState(state), epoch, attempts, variant)
