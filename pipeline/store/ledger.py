"""The ledger: takes deliveries through their states, each step guarded in SQL and durable before it returns."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, Row, exists, func, select, update

from pipeline.errors import Refused
from pipeline.model import (
    Counts,
    Delivery,
    DeliveryState,
    IssueState,
    Recipient,
)
from pipeline.store.engine import Part
from pipeline.store.moments import NOW, microseconds, zone
from pipeline.store.moves import OPEN, move, still_reads, tally, tally_by_domain
from pipeline.store.tables import deliveries, issues, runs

#: How long a leased delivery may wait to be armed. Longer than the slowest relay takes over a
#: batch (RFC 5321, 4.5.3.2 gives ten minutes after the dot alone); a run that slept longer arms nothing.
LEASE = timedelta(minutes=20)


class Ledger(Part):
    """The part of the store that knows deliveries. Every moment is the database's."""

    #: Shorter in tests.
    lease_time = LEASE

    def lease(self, number: int, owner: str, limit: int) -> Sequence[Delivery]:
        """Take up to `limit` queued deliveries that are due; withdraw those who left since the freeze.

        Nothing is due while the issue is not being sent, or by another run.
        """
        sending = select(issues.c.zone).where(
            issues.c.number == number,
            issues.c.state == IssueState.SENDING,
            exists().where(runs.c.owner == owner, runs.c.issue == number),
        )
        with self._database.write() as connection:
            zone_of_issue = connection.scalar(sending)
            if zone_of_issue is None:
                return []
            late = move("give back", owner=None, leased_until=None)
            connection.execute(late.where(deliveries.c.issue == number, deliveries.c.leased_until < NOW))
            ids = _due(connection, number, limit)
            if not ids:
                return []
            taken = move(
                "lease",
                epoch=deliveries.c.epoch + 1,
                owner=owner,
                leased_until=NOW + microseconds(self.lease_time),
            )
            rows = connection.execute(taken.where(deliveries.c.id.in_(ids)).returning(deliveries)).all()
            first = update(issues).where(issues.c.number == number, issues.c.started.is_(None))
            connection.execute(first.values(started=NOW))
        return [
            _delivery(row, zone_of_issue) for row in sorted(rows, key=lambda row: (row.not_before, row.id))
        ]

    def doubts(self, number: int) -> Sequence[Delivery]:
        """Return the deliveries of an issue that are in doubt."""
        with self._database.read() as connection:
            zone_of_issue = connection.scalar(select(issues.c.zone).where(issues.c.number == number))
            query = select(deliveries).where(
                deliveries.c.issue == number, deliveries.c.state == DeliveryState.IN_DOUBT
            )
            rows = connection.execute(query.order_by(deliveries.c.id)).all()
        return [_delivery(row, zone_of_issue or "UTC") for row in rows]

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
            .values(state=IssueState.SENT, finished=func.coalesce(last, NOW))
        )
        with self._database.write() as connection:
            connection.execute(done)
            return (
                connection.scalar(select(issues.c.state).where(issues.c.number == number)) == IssueState.SENT
            )


def _due(connection: Connection, number: int, limit: int) -> list[int]:
    """Return up to `limit` ids that may be leased, withdrawing those who left on the way to them."""
    queue = (
        select(deliveries.c.id, still_reads().label("reads"))
        .where(
            deliveries.c.issue == number,
            deliveries.c.state == DeliveryState.QUEUED,
            deliveries.c.not_before <= NOW,
        )
        .order_by(deliveries.c.not_before, deliveries.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True, of=deliveries)
    )
    while rows := connection.execute(queue).all():
        gone = [row.id for row in rows if not row.reads]
        if gone:
            connection.execute(move("withdraw").where(deliveries.c.id.in_(gone)))
        if len(gone) < len(rows):
            return [row.id for row in rows if row.reads]
    return []


def _delivery(row: Row[Any], zone_of_issue: str) -> Delivery:
    confirmed = row.confirmed.astimezone(zone(zone_of_issue)).date()
    return Delivery(
        id=row.id,
        issue=row.issue,
        recipient=Recipient(uid=row.uid, email=row.email, name=row.name, confirmed=confirmed),
        state=DeliveryState(row.state),
        epoch=row.epoch,
        attempts=row.attempts,
    )
