"""Hands leased deliveries to connections: leases ahead, keeps the pace, waits for what rests, ends when all is done."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from datetime import timedelta
from threading import Condition

from pipeline.deliver import points
from pipeline.deliver.pace import Pace
from pipeline.deliver.plan import Plan
from pipeline.deliver.points import Point
from pipeline.deliver.writer import Writer
from pipeline.edges import Store
from pipeline.model import Answer, Delivery, Outcome, Submission, Verdict

#: Deliveries leased at once, to begin with and at most: few to give back when it ends early, many when they go fast.
FEWEST, MOST = 50, 800
#: A batch that was used up sooner than this, in seconds, is followed by one twice as large.
SOON = 5.0
#: What is due again within so many seconds is always waited for.
PATIENCE = 5.0
#: Share of a lease after which its deliveries are given back rather than begun.
FRESH = 0.5
#: Seconds between two looks at whether somebody wants the run to stop.
LOOK = 0.1


class Ended(Exception):
    """Nothing is left to hand over, or nothing more is wanted."""


class Supply:
    """What is left to hand over, for all connections of a run."""

    def __init__(
        self,
        store: Store,
        writer: Writer,
        number: int,
        owner: str,
        plan: Plan,
        pace: Pace,
        should_stop: Callable[[], bool],
    ) -> None:
        self._store, self._writer, self._plan, self._pace = store, writer, plan, pace
        self._number, self._owner = number, owner
        self._should_stop = should_stop
        self._changed = Condition()
        #: Leased, with the moment until which they are fresh.
        self._leased: deque[tuple[float, Delivery]] = deque()
        self._batch = _batch(plan)
        self._asked = False
        #: Something was queued again since the ledger was asked: if it finds nothing, it may not have known.
        self._stale = False
        self._last_lease = float("-inf")
        #: The ledger had nothing that is due, so many times running, and when something will be (None: nothing queued).
        self._empty = 0
        #: How many times running the ledger gave nothing although something was due.
        self._denied = 0
        self._due: float | None = None
        #: True while nothing is left that this run could hand over; an answer of "later" changes that.
        self.exhausted = False
        self._stopped = False

    def stop(self) -> None:
        """Hand out nothing more."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    @property
    def ended(self) -> bool:
        """Whether there is nothing to hand out any more, as far as is known now."""
        return bool(self._stopped or self.exhausted or self._writer.broken or self._should_stop())

    def put_back(self) -> None:
        """Look again: a delivery is queued once more."""
        with self._changed:
            self._look_again()

    def reconsider(self) -> None:
        """Let the ledger choose again: what is leased may have been paused, cancelled or taken over."""
        with self._changed:
            self._return_all()
            self._look_again()

    def _look_again(self) -> None:
        self._empty, self.exhausted = 0, False
        self._stale = self._asked

    def take(self, busy: bool) -> Delivery | None:
        """Return the next delivery that may go; None if there is none just now and the connection is `busy`.

        Waits otherwise. Raises Ended when there is nothing more.
        """
        with self._changed:
            while True:
                if self._stopped or self._writer.broken or self._should_stop():
                    raise Ended
                self._lease_ahead()
                pause = LOOK
                if self._drop_stale():
                    pause = self._pace.wait()
                    if not pause:
                        return self._leased.popleft()[1]
                elif not self._asked:
                    pause = self._rest()
                if busy:
                    return None
                self._changed.wait(min(pause, LOOK))

    def give_back(self) -> None:
        """Give back what is leased and was not taken, where that still can be written."""
        with self._changed:
            self._return_all()

    def _return_all(self) -> None:
        while self._leased:
            self._return(self._leased.popleft()[1])

    def _return(self, delivery: Delivery) -> None:
        nothing = Submission(delivery, sender="", recipient="", message_id="", data=b"")
        self._writer.record(Verdict(Answer(nothing, Outcome.NOT_ARMED)))

    def _drop_stale(self) -> bool:
        """Give back what another run may have leased by now; tell whether anything is left."""
        now = time.monotonic()
        while self._leased and self._leased[0][0] < now:
            self._return(self._leased.popleft()[1])
            # Unless another run has it by then, it is this one's again.
            self._look_again()
        return bool(self._leased)

    def _rest(self) -> float:
        """Nothing is leased, and the ledger had nothing due: return how long to wait. Raises Ended if for too long."""
        if self._empty:
            rest = None if self._due is None else self._due - time.monotonic()
            if rest is None or rest > max(self._plan.wait, PATIENCE) or (rest <= 0 and self._denied > 1):
                # The last: queued and due, yet not ours to have, twice. It is paused, cancelled, or another run's.
                self.exhausted = True
                self._changed.notify_all()
                raise Ended
            if rest > 0:
                return rest
        self._ask()
        return LOOK

    def _lease_ahead(self) -> None:
        """Ask for more while there is still something to do, unless the ledger has said that there is no more."""
        if len(self._leased) <= self._batch // 2 and not self._empty:
            self._ask()

    def _ask(self) -> None:
        if not self._asked:
            self._asked = True
            self._writer.call(self._lease)

    def _lease(self) -> None:
        """Lease a batch; the writer's thread does this."""
        if self._stopped:
            return
        now = time.monotonic()
        if now - self._last_lease < SOON:
            self._batch = min(2 * self._batch, _batch(self._plan, MOST))
        self._last_lease = now
        leased = self._store.lease(self._number, self._owner, self._batch)
        waits = None if leased else self._store.waits(self._number)
        if leased:
            points.reach(Point.LEASED)
        with self._changed:
            self._asked = False
            self._empty = 0 if leased or self._stale else self._empty + 1
            self._stale = False
            # Due between two questions of one moment is no more than that; due twice is not ours.
            self._denied = self._denied + 1 if waits == timedelta() else 0
            self._due = None if waits is None else now + waits.total_seconds()
            self._leased.extend((now + self._plan.lease * FRESH, delivery) for delivery in leased)
            self._changed.notify_all()


def _batch(plan: Plan, most: int = FEWEST) -> int:
    """Return how many may be leased at once so that the last of them goes while the lease is young."""
    paces = [plan.per_second, plan.per_hour and plan.per_hour / 3600]
    rate = min((pace for pace in paces if pace), default=None)
    return most if rate is None else max(1, min(most, int(rate * plan.lease * FRESH / 2)))
