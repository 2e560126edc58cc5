"""What a postman remembers from one opening of the newsletter to the next: troubles, and what was said of them."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime

from pipeline.deliver.backoff import backoff
from pipeline.errors import NewsletterError

#: Seconds that a relay which cannot be used, or a newsletter that cannot be opened, is left alone; doubles.
FIRST, LONGEST = 5.0, 600.0
#: Different troubles that are remembered as said.
MOST_SAID = 100


class Memory:
    """Shared by all rounds of one postman."""

    def __init__(self, log: Callable[[str], object]) -> None:
        self.log = log
        #: When the store was last put in order.
        self.tidied: datetime | None = None
        #: How often in a row the relay could not be used, and until when (time.monotonic) it is left alone.
        self._failures, self._until = 0, 0.0
        self._said: set[str] = set()

    def once(self, text: str) -> None:
        """Say something, unless it was said since all was well."""
        if text not in self._said:
            if len(self._said) >= MOST_SAID:
                self._said.clear()
            self._said.add(text)
            self.log(text)

    def well(self, text: str) -> None:
        """Say that all is well again; what goes wrong from now on is news."""
        self._said.clear()
        self.log(text)

    @property
    def rests(self) -> float:
        """For how many seconds the relay is left alone; 0 if it may be used."""
        return max(self._until - time.monotonic(), 0.0)

    def leave_alone(self, seconds: float) -> None:
        """Leave the relay alone for a while."""
        self._until = time.monotonic() + seconds

    def unusable(self, why: str) -> None:
        """Note that the relay cannot be used; it is left alone for longer each time."""
        self.leave_alone(seconds(self._failures))
        self._failures += 1
        self.once(f"letters wait, and are tried again by themselves: {why}")

    def answered(self) -> None:
        """Note that the relay answered."""
        if self._failures:
            self._failures, self._until = 0, 0.0
            self.well("the relay takes letters again.")


def seconds(failures: int) -> float:
    """Return how long to wait after so many failures in a row."""
    return backoff(failures, "postman", FIRST, LONGEST).total_seconds()


def reason(fault: Exception) -> str:
    """Say what is wrong without naming a reader.

    Of a fault of the program only its kind and place: its words may hold an address.
    """
    if isinstance(fault, NewsletterError):
        return str(fault)
    trace, place = fault.__traceback__, ""
    while trace is not None:
        place = f"{trace.tb_frame.f_globals.get('__name__', '')}:{trace.tb_lineno}"
        trace = trace.tb_next
    return f"a fault of the program itself ({type(fault).__name__} at {place}). Please report it."
