"""Works round after round in a thread of its own, and opens the newsletter again when its ledger failed."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from threading import Event
from typing import TYPE_CHECKING

from pipeline.errors import StoreError
from pipeline.postman.memory import Memory, reason, seconds
from pipeline.postman.office import Office

if TYPE_CHECKING:
    from pipeline.project import Project

#: Seconds between two looks at whether to stop.
LOOK = 0.5


class Postman:
    """One thread's work, from the form to the relay; `wake` and `abandon` may be called from any other.

    `log` is given a line for an operator now and then.
    """

    def __init__(
        self, open_project: Callable[[], Project], clock: Callable[[], datetime], log: Callable[[str], object]
    ) -> None:
        self._open_project, self._clock = open_project, clock
        self._memory = Memory(log)
        self._called = Event()
        self._office: Office | None = None
        #: How often in a row no round was possible.
        self._failures = 0

    def run(self, stop: Event) -> None:
        """Work until `stop` is set; a `wake` after that ends a rest at once. Never raises."""
        while not stop.is_set():
            self._called.clear()
            try:
                self._rest(self.round(stop), stop, heed=True)
            except Exception as fault:  # whatever it is, readers still want their mail
                self._office = None
                self._memory.once(f"letters wait, and whoever asked by the form with them: {reason(fault)}")
                self._rest(seconds(self._failures), stop, heed=False)
                self._failures += 1

    def wake(self) -> None:
        """Say that there may be something to do."""
        self._called.set()

    def abandon(self) -> None:
        """Cut the connections to the relay; what was armed and has no answer never goes again."""
        office = self._office
        if office is not None:
            office.project.single_mailer.abandon()

    def round(self, stop: Event | None = None) -> float:
        """Answer a batch of requests, bring a batch of letters away; return the seconds until another is worth it.

        Raises StoreError if the ledger fails, SettingsError if the newsletter
        cannot be opened; the next round opens it again.
        """
        try:
            if self._office is None:
                self._office = Office(self._open_project(), self._clock, self._memory)
            pause = self._office.round(stop or Event())
        except StoreError:
            self._office = None
            raise
        if self._office.stale:
            self._office = None
        if self._failures:
            self._failures = 0
            self._memory.well("the newsletter could be opened again; letters go on.")
        return pause

    def _rest(self, pause: float, stop: Event, *, heed: bool) -> None:
        """Let time pass until the end or, if somebody calling is to be heeded, until then."""
        until = time.monotonic() + pause
        while not stop.is_set() and (left := until - time.monotonic()) > 0:
            if self._called.wait(min(left, LOOK)):
                if heed:
                    return
                stop.wait(min(left, LOOK))
