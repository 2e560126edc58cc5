"""Writes to the ledger for all connections: gathers what they want written, and commits once for all.

A commit costs a disk its time whether it holds one change or fifty. An arm
waits until it is durable. A verdict is only queued: whatever the same
connection arms next stands behind it, in the same transaction or a later one,
so nothing is let go before the answer to what went before is written down.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue

from pipeline.deliver import points
from pipeline.deliver.plan import Plan
from pipeline.deliver.points import Point
from pipeline.edges import Store
from pipeline.model import Delivery, Verdict

#: So long, in seconds, a verdict waits for an arm whose commit it can share. Killed meanwhile, its delivery is in
#: doubt: the one that its connection had under way, as always.
HOLD = 0.02


@dataclass(slots=True)
class _Arm:
    """A connection waits for these to be armed."""

    deliveries: Sequence[Delivery]
    #: Which of them are, or why nothing is any more.
    told: SimpleQueue[Sequence[bool] | BaseException] = field(default_factory=SimpleQueue)


class _Nudge:
    """Verdicts are there to be written when nothing else comes."""


_Task = Callable[[], None]


class Writer:
    """One thread that alone writes to the ledger while a run is at work."""

    def __init__(self, store: Store, owner: str, plan: Plan) -> None:
        self._store, self._owner, self._give_up = store, owner, plan.give_up
        self._wanted: SimpleQueue[_Arm | _Nudge | _Task | None] = SimpleQueue()
        #: Beside the queue, because a verdict that woke this thread would cost more than it takes to write it.
        self._verdicts: deque[Verdict] = deque()
        self._nudged = False
        #: Why the ledger cannot be written; nothing is tried on it again.
        self.broken: BaseException | None = None
        #: Why nothing more is armed.
        self._closed: BaseException | None = None
        self._thread = threading.Thread(target=self._write_all, name="ledger", daemon=True)
        self._thread.start()

    def close(self, why: BaseException) -> None:
        """Arm nothing more from now on; verdicts are still written."""
        self._closed = self._closed or why

    def record(self, verdict: Verdict) -> None:
        """Have a verdict written, before anything that is asked for later."""
        self._verdicts.append(verdict)
        if not self._nudged:
            self._nudged = True
            self._wanted.put(_Nudge())

    def arm(self, deliveries: Sequence[Delivery]) -> Sequence[bool]:
        """Return which of them are armed, once that is durable. Raises what keeps everything from being armed."""
        arm = _Arm(deliveries)
        self._wanted.put(arm)
        told = arm.told.get()
        if isinstance(told, BaseException):
            raise told
        return told

    def call(self, task: _Task) -> None:
        """Have the ledger asked something else, between two commits."""
        self._wanted.put(task)

    def finish(self) -> None:
        """Write what is left and end the thread; `broken` says whether that worked."""
        self._wanted.put(None)
        self._thread.join()

    def _write_all(self) -> None:
        going = True
        while going:
            arms: list[_Arm] = []
            tasks: list[_Task] = []
            for want in self._gathered():
                if isinstance(want, _Arm):
                    arms.append(want)
                elif want is None:
                    going = False
                elif not isinstance(want, _Nudge):
                    tasks.append(want)
            self._nudged = False
            # Whatever was recorded before one of these was asked for is in here.
            verdicts = [self._verdicts.popleft() for _ in range(len(self._verdicts))]
            self._write(verdicts, arms)
            for task in tasks:
                self._unless_broken(task)

    def _gathered(self) -> list[_Arm | _Nudge | _Task | None]:
        """Wait for one wish, and take whatever has come beside it; verdicts wait a little for an arm to go with."""
        gathered = [self._wanted.get()]
        try:
            if isinstance(gathered[0], _Nudge):
                gathered.append(self._wanted.get(timeout=HOLD))
            while True:
                gathered.append(self._wanted.get_nowait())
        except Empty:
            return gathered

    def _write(self, verdicts: Sequence[Verdict], arms: Sequence[_Arm]) -> None:
        closed = self._closed
        wanted = [] if closed else [delivery for arm in arms for delivery in arm.deliveries]
        armed: Sequence[bool] = ()

        def commit() -> None:
            nonlocal armed
            armed = self._store.commit(self._owner, verdicts, wanted, self._give_up)

        if verdicts or wanted:
            self._unless_broken(commit)
        if not self.broken:
            for _ in verdicts:
                points.reach(Point.RECORDED)
        at = 0
        for arm in arms:
            arm.told.put(self.broken or closed or armed[at : at + len(arm.deliveries)])
            at += len(arm.deliveries)

    def _unless_broken(self, task: _Task) -> None:
        if self.broken:
            return
        try:
            task()
        except BaseException as fault:  # whoever waits must be told, whatever it is
            self.broken = fault
