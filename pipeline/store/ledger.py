"""The ledger: takes deliveries through their states, each step guarded in SQL and durable before it returns."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, exists, func, select, update

from pipeline.errors import Refused
from pipeline.model import (
    Answer,
    Counts,
    Delivery,
    DeliveryState,
    IssueState,
    Outcome,
    Recipient,
)
from pipeline.store.audience import may_be_mailed
from pipeline.store.engine import Part
from pipeline.store.moments import NOW, microseconds, zone
from pipeline.store.moves import OPEN, move, tally, tally_by_domain
from pipeline.store.tables import deliveries, issues, subscribers

#: How long a leased delivery may wait to be armed. Longer than the slowest relay takes over a
#: batch (RFC 5321, 4.5.3.2 gives ten minutes after the dot alone); a run that slept longer arms nothing.
LEASE = timedelta(minutes=20)
#: Longer answers of a relay are cut.
REPLY = 1000

_ANSWERS = {
    Outcome.ACCEPTED: "accept",
    Outcome.DEFERRED: "defer",
    Outcome.REFUSED: "refuse",
    Outcome.IN_DOUBT: "doubt",
    Outcome.NOT_ARMED: "give back",
}


class Ledger(Part):
    """The part of the store that knows deliveries. Every moment is the database's."""

    #: Shorter in tests.
    lease_time = LEASE

    def lease(self, number: int, owner: str, limit: int) -> Sequence[Delivery]:
        """Take up to `limit` queued deliveries that are due; withdraw those who left since the freeze.

        Nothing is due while the issue is not being sent, or by another run.
        """
        sending = select(issues.c.zone).where(
            issues.c.number == number, issues.c.state == IssueState.SENDING, issues.c.owner == owner
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

    def arm(self, delivery: Delivery, owner: str) -> bool:
        """leased -> armed, unless the lease is lost, the reader left, or the issue is paused or cancelled."""
        ours = _ours(delivery, owner)
        sending = exists().where(
            issues.c.number == delivery.issue,
            issues.c.state == IssueState.SENDING,
            issues.c.owner == owner,
        )
        with self._database.write() as connection:
            armed = move("arm").where(*ours, deliveries.c.leased_until >= NOW, _still_reads(), sending)
            if connection.execute(armed).rowcount == 1:
                return True
            connection.execute(move("withdraw").where(*ours, ~_still_reads()))
            return False

    def record(self, answer: Answer, owner: str, retry_in: timedelta | None = None) -> None:
        """Write down what became of a submission.

        `retry_in` (needed with DEFERRED) is how long it rests, by the database's
        clock. An answer of "no" to a lease that was lost meanwhile changes
        nothing. Raises StoreError if the relay took what the ledger did not let
        go: the run must stop.
        """
        delivery, outcome = answer.submission.delivery, answer.outcome
        values: dict[str, Any] = {"reply": answer.reply[:REPLY]}
        if outcome is Outcome.NOT_ARMED:
            values = {"owner": None, "leased_until": None}
        else:
            values["attempts"] = deliveries.c.attempts + 1
        if outcome is Outcome.DEFERRED:
            if retry_in is None:
                raise ValueError("a deferred delivery needs a time to rest")
            values["not_before"] = NOW + max(microseconds(retry_in), 0)
        with self._database.write() as connection:
            written = connection.execute(
                move(_ANSWERS[outcome], **values).where(*_ours(delivery, owner))
            ).rowcount
            if not written and outcome in (Outcome.ACCEPTED, Outcome.IN_DOUBT):
                raise self._database.stop(
                    f"the relay was handed delivery {delivery.id} of issue {delivery.issue}, which the ledger "
                    "did not let go. Stop every run, then look at: newsletter report"
                )

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


def _still_reads() -> ColumnElement[bool]:
    """The recipient is (still) someone an issue may go to."""
    return exists().where(subscribers.c.uid == deliveries.c.uid, may_be_mailed())


def _due(connection: Connection, number: int, limit: int) -> list[int]:
    """Return up to `limit` ids that may be leased, withdrawing those who left on the way to them."""
    queue = (
        select(deliveries.c.id, _still_reads().label("reads"))
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


def _ours(delivery: Delivery, owner: str) -> tuple[ColumnElement[bool], ...]:
    """The very lease this delivery was taken under."""
    return (
        deliveries.c.id == delivery.id,
        deliveries.c.epoch == delivery.epoch,
        deliveries.c.owner == owner,
    )


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
