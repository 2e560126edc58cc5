"""Decides when the next message may go: the pace that was set, and a relay that asks for less."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable
from threading import Lock

HOUR = 3600.0
#: What sleeping too long may be caught up with, in seconds: a burst nobody notices.
CATCH_UP = 0.05
#: Seconds between two messages once a relay has asked for fewer; doubles each time it asks again.
FIRST_GAP = 0.5
LONGEST_GAP = 60.0
#: What an accepted message leaves of the gap, and what is too small to wait for.
RECOVERY = 0.7
NO_GAP = 0.005


class Pace:
    """One run's pace, for all of its connections together.

    `recent` says how many seconds ago messages of this hour were handed over,
    the oldest first.
    """

    def __init__(
        self,
        per_second: float | None = None,
        per_hour: float | None = None,
        recent: Iterable[float] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock, self._lock = clock, Lock()
        self._interval = 1 / per_second if per_second else 0.0
        self._per_hour = per_hour
        now = clock()
        #: When each message of the last hour went; kept only where an hour has a limit.
        self._hour = deque(now - ago for ago in recent) if per_hour else deque[float]()
        self._next = now
        self._gap = 0.0
        self._asked = float("-inf")

    def wait(self) -> float:
        """Return the seconds until the next message may go; at 0 it is counted as gone."""
        with self._lock:
            now = self._clock()
            due = max(self._next, self._hour_allows(now))
            if due > now:
                return due - now
            self._next = max(self._next, now - CATCH_UP) + max(self._interval, self._gap)
            if self._per_hour:
                self._hour.append(now)
            return 0.0

    def slow_down(self) -> None:
        """Heed a relay that asked for fewer messages; all connections hear it at once, so it counts once."""
        with self._lock:
            now = self._clock()
            if now - self._asked < max(self._gap, FIRST_GAP):
                return
            self._asked = now
            self._gap = min(max(2 * self._gap, FIRST_GAP), LONGEST_GAP)
            self._next = max(self._next, now + self._gap)

    def went_well(self) -> None:
        """Come back to speed, accept by accept."""
        if self._gap:
            with self._lock:
                self._gap = self._gap * RECOVERY if self._gap > NO_GAP else 0.0

    def _hour_allows(self, now: float) -> float:
        if not self._per_hour:
            return now
        # Fewer than one an hour is one in a longer time.
        span, limit = HOUR * max(1 / self._per_hour, 1), max(int(self._per_hour), 1)
        while self._hour and self._hour[0] <= now - span:
            self._hour.popleft()
        return now if len(self._hour) < limit else self._hour[len(self._hour) - limit] + span
