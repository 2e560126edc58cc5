"""One connection of a run: pulls, splices, arms, records; opened again when it ends too early."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from pipeline.deliver import points
from pipeline.deliver.points import Point
from pipeline.deliver.states import Event, move
from pipeline.deliver.supply import Ended
from pipeline.errors import AudienceError, MailerUnusable, RelayRefused, RelayUnfit
from pipeline.model import Answer, Delivery, DeliveryState, Outcome, Submission

if TYPE_CHECKING:
    from pipeline.deliver.run import Run

#: Stands for a delivery that is not under way: as final as any, so that nothing can happen to it.
_ANSWERED = DeliveryState.ACCEPTED
#: Seconds before a connection is opened again; doubles.
FIRST_PAUSE = 1.0


class Connection:
    """One of the mailer's connections at work; also what its mailer asks before it lets go of a message."""

    def __init__(self, run: Run) -> None:
        self._run = run
        #: Deliveries between being pulled and being answered. By epoch as well: one that overslept its lease while it
        #: waited here may have been leased again, by this very run.
        self._under_way: dict[tuple[int, int], DeliveryState] = {}
        self._answered = 0
        self._done = False

    def work(self) -> None:
        """Deliver until nothing is left. Raises MailerUnusable if no connection is to be had."""
        failures = 0
        while True:
            before = self._answered
            try:
                for answer in self._run.mailer.submit(self._submissions(), self):
                    points.reach(Point.HANDED_OVER)
                    self._record(answer)
                if self._done and self._run.supply.ended:
                    return
                # There may have been no more when it asked; what it had under way then has to be tried again.
                self._done = False
                fault = None
            except (RelayRefused, RelayUnfit):
                raise
            except MailerUnusable as unusable:
                fault = unusable
            # A connection that handed something over was a good one; the next may be as well.
            failures = 1 if self._answered > before else failures + 1
            if self._run.stopping:
                return
            again = failures - 1 if fault else failures - 2
            if again >= self._run.plan.reconnects:
                raise fault or MailerUnusable(
                    f"the relay ended {failures} connections in a row before a message was handed over. "
                    "Look at its log, and try again later."
                )
            if again >= 0:
                self._run.pause(FIRST_PAUSE * 2**again)

    def __call__(self, submission: Submission) -> bool:
        """Arm one delivery."""
        return self.many([submission])[0]

    def many(self, submissions: Sequence[Submission]) -> Sequence[bool]:
        """Arm several deliveries in one commit."""
        points.reach(Point.BODY_WRITTEN)
        deliveries = [submission.delivery for submission in submissions]
        for delivery in deliveries:
            move(self._under_way.get(_lease(delivery), _ANSWERED), Event.ARM)
        let_go = self._run.writer.arm(deliveries)
        for delivery, armed in zip(deliveries, let_go, strict=True):
            if armed:
                self._under_way[_lease(delivery)] = DeliveryState.ARMED
                points.reach(Point.ARMED)
        if not all(let_go):
            self._run.supply.reconsider()
        return let_go

    def _submissions(self) -> Iterator[Submission | None]:
        while True:
            try:
                delivery = self._run.supply.take(busy=bool(self._under_way))
            except Ended:
                self._done = True
                return
            if delivery is None:
                yield None
                continue
            self._run.demand_new(delivery)
            self._under_way[_lease(delivery)] = delivery.state
            try:
                submission = self._run.splicer.submission(delivery)
            except AudienceError as fault:
                # This reader's address is at fault, and will be on every try: nobody else has to wait for it.
                nothing = Submission(delivery, sender="", recipient="", message_id="", data=b"")
                self._record(Answer(nothing, Outcome.REFUSED, fault.message))
                continue
            points.reach(Point.SPLICED)
            yield submission

    def _record(self, answer: Answer) -> None:
        state = self._under_way.pop(_lease(answer.submission.delivery), _ANSWERED)
        self._answered += answer.outcome in (Outcome.ACCEPTED, Outcome.REFUSED)
        self._run.record(answer, state)


def _lease(delivery: Delivery) -> tuple[int, int]:
    return delivery.id, delivery.epoch
