"""Delivers a frozen issue: lease, splice, submit, record, until nothing is due.

The order of one delivery is the promise: written down as leased, everything
but the last step done, written down as armed, the last step, its answer
written down before the next. Killed anywhere, the next run knows what is
certain, and names the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress

from pipeline.deliver import points
from pipeline.deliver.backoff import backoff
from pipeline.deliver.message import Splicer
from pipeline.deliver.points import Point
from pipeline.deliver.states import EVENTS, EVIDENCE, Event, move
from pipeline.deliver.tally import Tally
from pipeline.edges import Mailer, Store
from pipeline.errors import AudienceError, StoreError
from pipeline.model import Answer, Counts, Delivery, DeliveryState, Outcome, Submission

#: Deliveries leased at once: few enough to give back at once, enough that leasing costs nothing.
BATCH = 100
#: Stands for a delivery that is not under way: as final as any, so that nothing can happen to it.
_ANSWERED = DeliveryState.ACCEPTED


def deliver(
    store: Store,
    mailer: Mailer,
    splicer: Splicer,
    number: int,
    owner: str,
    *,
    on_progress: Callable[[Counts], None] = lambda _: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> Counts:
    """Hand over every delivery of an issue that is due; return where all of them stand then.

    `owner` is new with every start of a process. `on_progress` hears of every
    answer; `should_stop` ends the run after the message under way. Raises
    Busy while another run is at work, MailerUnusable when nothing can be
    handed over, StoreError when the ledger fails or contradicts itself; after
    any of them nothing more is armed.
    """
    store.claim(number, owner)
    try:
        _settle_by_evidence(store, mailer, splicer, number)
        run = _Run(store, mailer, splicer, number, owner, on_progress, should_stop)
        # One connection; more of them are more threads in this call.
        run.connection()
        if store.close(number):
            points.reach(Point.CLOSED)
        counts = store.counts(number)
    except BaseException:
        with suppress(StoreError):
            store.release(number, owner)
        raise
    store.release(number, owner)
    return counts


def _settle_by_evidence(store: Store, mailer: Mailer, splicer: Splicer, number: int) -> None:
    """Settle the doubts of earlier runs where the relay can tell what it took."""
    for delivery in store.doubts(number):
        evidence = EVIDENCE.get(mailer.look_up(splicer.submission(delivery)))
        if evidence:
            store.settle(delivery, accepted=move(delivery.state, evidence) is DeliveryState.ACCEPTED)


class _Run:
    """One process at work on one issue."""

    def __init__(
        self,
        store: Store,
        mailer: Mailer,
        splicer: Splicer,
        number: int,
        owner: str,
        on_progress: Callable[[Counts], None],
        should_stop: Callable[[], bool],
    ) -> None:
        self._store = store
        self._mailer = mailer
        self._splicer = splicer
        self._number = number
        self._owner = owner
        self._on_progress = on_progress
        self._should_stop = should_stop
        self._tally = Tally(store.counts(number))
        #: Deliveries between lease and answer, by id.
        self._under_way: dict[int, DeliveryState] = {}

    def connection(self) -> None:
        """Deliver through one of the mailer's connections until nothing is due."""
        for answer in self._mailer.submit(self._submissions(), self._arm):
            points.reach(Point.HANDED_OVER)
            self._record(answer)

    def _submissions(self) -> Iterator[Submission]:
        while not self._should_stop():
            leased = self._store.lease(self._number, self._owner, BATCH)
            points.reach(Point.LEASED)
            if not leased:
                return
            for delivery in leased:
                if self._should_stop():
                    return
                self._tally.demand_new(delivery)
                self._under_way[delivery.id] = delivery.state
                submission = self._splice(delivery)
                if submission:
                    yield submission

    def _splice(self, delivery: Delivery) -> Submission | None:
        try:
            submission = self._splicer.submission(delivery)
        except AudienceError as fault:
            # This reader's address is at fault, and will be on every try: nobody else has to wait for it.
            nothing = Submission(delivery, sender="", recipient="", message_id="", data=b"")
            self._record(Answer(nothing, Outcome.REFUSED, fault.message))
            return None
        points.reach(Point.SPLICED)
        return submission

    def _arm(self, submission: Submission) -> bool:
        points.reach(Point.BODY_WRITTEN)
        delivery = submission.delivery
        armed = move(self._under_way.get(delivery.id, _ANSWERED), Event.ARM)
        if not self._store.arm(delivery, self._owner):
            return False
        self._under_way[delivery.id] = armed
        points.reach(Point.ARMED)
        return True

    def _record(self, answer: Answer) -> None:
        delivery = answer.submission.delivery
        before = self._under_way.pop(delivery.id, _ANSWERED)
        if answer.outcome is Outcome.NOT_ARMED:
            move(before, Event.RELEASE)
            self._store.record(answer, self._owner)
            return
        after = move(before, EVENTS[answer.outcome])
        self._tally.count(delivery, after)
        retry_in = (
            backoff(delivery.attempts, str(delivery.id)) if answer.outcome is Outcome.DEFERRED else None
        )
        self._store.record(answer, self._owner, retry_in)
        points.reach(Point.RECORDED)
        self._on_progress(self._tally.counts)
