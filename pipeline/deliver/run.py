"""Delivers a frozen issue: lease, splice, submit, arm, record, until nothing is due.

The order of one delivery is the promise: written down as leased, everything
but the last step done, written down as armed, the last step, its answer
written down before the next. Killed anywhere, the next run knows what is
certain, and names the rest. As many calls of the mailer as it allows work
beside each other, each in a thread of its own (connection.py); they share one
supply of deliveries (supply.py) and one writer to the ledger (writer.py).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from threading import Event as Signal
from threading import Lock, Thread

from pipeline.deliver import points
from pipeline.deliver.backoff import after_a_lost_connection, backoff
from pipeline.deliver.breaker import IDENTICAL, Breaker
from pipeline.deliver.connection import Connection
from pipeline.deliver.message import Splicer
from pipeline.deliver.pace import HOUR, Pace
from pipeline.deliver.plan import Plan
from pipeline.deliver.points import Point
from pipeline.deliver.states import EVENTS, EVIDENCE, Event, move
from pipeline.deliver.supply import LOOK, Supply
from pipeline.deliver.tally import Tally
from pipeline.deliver.writer import Writer
from pipeline.edges import Mailer, Store
from pipeline.errors import MailerUnusable, RelayRefused, StoreError
from pipeline.model import Answer, Counts, Delivery, DeliveryState, IssueState, Outcome, Verdict

#: What a connection that was cut may take to answer, in seconds.
LAST_WORDS = 2.0


def deliver(
    store: Store,
    mailer: Mailer,
    splicer: Splicer,
    number: int,
    owner: str,
    *,
    plan: Plan | None = None,
    join: bool = False,
    only_copy: bool = False,
    on_progress: Callable[[Counts], None] = lambda _: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> Counts:
    """Hand over every delivery of an issue that is due; return where all of them stand then.

    `owner` is new with every start of a process. `on_progress` hears of every
    answer, from one thread at a time; `should_stop` ends the run after the
    messages under way. Raises Busy while another run is at work, unless this
    one is to `join` it; MailerUnusable when nothing can be handed over;
    RelayRefused, the issue then being paused, when a person must see to it;
    StoreError when the ledger fails or contradicts itself. After any of them
    nothing more is armed.
    """
    store.claim(number, owner, join=join, only_copy=only_copy)
    try:
        if not join:
            _settle_by_evidence(store, mailer, splicer, number)
        run = Run(store, mailer, splicer, number, owner, plan or Plan(), on_progress, should_stop)
        try:
            run.work()
        finally:
            refused = run.refused
            if refused:
                store.set_issue_state(number, IssueState.PAUSED, refused.message)
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


class Run:
    """One process at work on one issue: what its connections share."""

    def __init__(
        self,
        store: Store,
        mailer: Mailer,
        splicer: Splicer,
        number: int,
        owner: str,
        plan: Plan,
        on_progress: Callable[[Counts], None],
        should_stop: Callable[[], bool],
    ) -> None:
        self.mailer, self.splicer, self.plan = mailer, splicer, plan
        self._on_progress, self._should_stop = on_progress, should_stop
        counts = store.counts(number)
        recent = store.handed_over(timedelta(seconds=HOUR)) if plan.per_hour else ()
        self._pace = Pace(plan.per_second, plan.per_hour, (ago.total_seconds() for ago in recent))
        self._tally, self._breaker = Tally(counts), Breaker()
        #: Guards all of what answers change.
        self._lock = Lock()
        self.writer = Writer(store, owner, plan)
        self.supply = Supply(store, self.writer, number, owner, plan, self._pace, should_stop)
        self._threads = min(mailer.connections, max(counts.open, 1))
        self._halt = Signal()
        self._faults: list[BaseException] = []
        #: Set when the relay refuses us, whoever the reader is.
        self.refused: RelayRefused | None = None

    @property
    def stopping(self) -> bool:
        """True once nothing more is to be begun."""
        return self._halt.is_set() or self._should_stop()

    def work(self) -> None:
        """Run all connections to their end. Raises what ended them too early."""
        threads = [
            Thread(target=self._connection, name=f"connection {n}", daemon=True) for n in range(self._threads)
        ]
        for thread in threads:
            thread.start()
        try:
            self._watch(threads)
        except BaseException:
            self._stop()
            self.mailer.abandon()
            _join(threads, LAST_WORDS)
            raise
        finally:
            self.supply.give_back()
            self.writer.finish()
        self._raise_faults()

    def _watch(self, threads: list[Thread]) -> None:
        """Wait for the connections; once somebody wants an end, for no longer than a drain takes."""
        deadline = None
        while any(thread.is_alive() for thread in threads):
            _join(threads, LOOK)
            if self.stopping and deadline is None:
                self._stop()
                deadline = time.monotonic() + self.plan.drain
            if deadline is not None and time.monotonic() > deadline:
                self.mailer.abandon()
                _join(threads, LAST_WORDS)
                return

    def _raise_faults(self) -> None:
        if self.writer.broken:
            raise self.writer.broken
        if self.refused:
            raise self.refused
        grave = [fault for fault in self._faults if not isinstance(fault, MailerUnusable)]
        if grave:
            raise grave[0]
        # As long as one connection saw the work to its end, the others were not missed.
        if self._faults and not (self.supply.exhausted or self.stopping):
            raise self._faults[0]

    def _connection(self) -> None:
        try:
            Connection(self).work()
        except RelayRefused as refusal:
            self._refuse(refusal)
        except MailerUnusable as fault:
            self._faults.append(fault)
        except BaseException as fault:  # shown by whoever waits for this thread
            self._faults.append(fault)
            self.writer.close(fault)
            self._stop()

    def _refuse(self, refusal: RelayRefused) -> None:
        self.refused = self.refused or refusal
        self._stop()

    def _stop(self) -> None:
        self._halt.set()
        self.supply.stop()

    def pause(self, seconds: float) -> None:
        """Rest before a connection is opened again, unless the run is to end."""
        until = time.monotonic() + seconds
        while time.monotonic() < until and not self._should_stop():
            if self._halt.wait(min(LOOK, max(until - time.monotonic(), 0))):
                return

    def demand_new(self, delivery: Delivery) -> None:
        """Raise StoreError for a delivery that was accepted in this run already."""
        with self._alarmed():
            self._tally.demand_new(delivery)

    def record(self, answer: Answer, before: DeliveryState) -> None:
        """Have an answer written down, and draw the conclusions. Raises StoreError if it cannot be true."""
        delivery = answer.submission.delivery
        with self._alarmed():
            if answer.outcome is Outcome.NOT_ARMED:
                move(before, Event.RELEASE)
                self.writer.record(Verdict(answer))
                self.supply.put_back()
                return
            self._tally.count(delivery, move(before, EVENTS[answer.outcome]))
            self.writer.record(Verdict(answer, self._rest(answer)))
            if answer.outcome is Outcome.DEFERRED:
                self.supply.put_back()
            if answer.slow_down:
                self._pace.slow_down()
            elif answer.outcome is Outcome.ACCEPTED:
                self._pace.went_well()
            if self._breaker.trips(answer):
                self._refuse(
                    RelayRefused(
                        f"the relay refused {IDENTICAL} messages in a row in the same words: {answer.reply}. "
                        "That is hardly about the readers. Mend it, then go on with: "
                        f"newsletter resume {delivery.issue}"
                    )
                )
            self._on_progress(self._tally.counts)

    @contextmanager
    def _alarmed(self) -> Iterator[None]:
        """Take turns; what contradicts itself stops all connections before they let go of anything more."""
        with self._lock:
            try:
                yield
            except StoreError as alarm:
                self.writer.close(alarm)
                raise

    def _rest(self, answer: Answer) -> timedelta | None:
        if answer.outcome is not Outcome.DEFERRED:
            return None
        delivery = answer.submission.delivery
        rest = after_a_lost_connection if answer.connection else backoff
        return rest(delivery.attempts, str(delivery.id), self.plan.first, self.plan.longest)


def _join(threads: list[Thread], seconds: float) -> None:
    until = time.monotonic() + seconds
    for thread in threads:
        thread.join(max(until - time.monotonic(), 0))
