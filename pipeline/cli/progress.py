"""Shows how far a run is: a bar where a person looks, a line now and then in a pipe."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING, Any

from pipeline.cli.words import counted, duration, rate
from pipeline.model import Counts

if TYPE_CHECKING:
    from pipeline.cli.context import Context
    from pipeline.weekly import Progress

#: Seconds between two looks at the counts: of the bar, and of the lines in a pipe.
BAR, LINES = 0.1, 1.0
#: A line follows the one before after so many seconds, or so much of the whole.
SECONDS, SHARE = 10.0, 0.1
#: The speed that is shown is that of so many seconds.
WINDOW = 30.0


class Meter:
    """Takes counts from any thread, however often, and has some of them shown.

    A run calls it after each of thousands of answers a second: most calls must
    cost no more than a look at the clock.
    """

    def __init__(
        self,
        show: Callable[[Counts, Meter], None],
        every: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._show, self._every, self._clock = show, every, clock
        self._next = float("-inf")
        self._lock = Lock()
        #: When counts were looked at, and how many copies were at their end by then.
        self._looks: deque[tuple[float, int]] = deque()

    def __call__(self, counts: Counts) -> None:
        now = self._clock()
        if now < self._next or not self._lock.acquire(blocking=False):
            return
        try:
            self._next = now + self._every
            self._looks.append((now, counts.readers - counts.open))
            while len(self._looks) > 2 and self._looks[1][0] <= now - WINDOW:
                self._looks.popleft()
            self._show(counts, self)
        finally:
            self._lock.release()

    @property
    def now(self) -> float:
        """When the counts that are shown were looked at."""
        return self._looks[-1][0]

    @property
    def speed(self) -> float:
        """Copies a second that came to their end lately."""
        (begin, before), (end, after) = self._looks[0], self._looks[-1]
        return (after - before) / (end - begin) if end > begin else 0.0

    def left(self, counts: Counts) -> float | None:
        """Seconds that the rest will take at this speed; None where nobody can tell."""
        return counts.open / self.speed if self.speed > 0 else None


@contextmanager
def progress(context: Context, number: int) -> Iterator[Progress]:
    """Show how far a run is, the way that suits where standard error leads."""
    if context.quiet:
        yield lambda _counts: None
    elif context.console.is_terminal and not context.console.is_dumb_terminal:
        with _bar(context, number) as meter:
            yield meter
    else:
        yield Meter(Lines(context.hint, number), LINES)


@contextmanager
def _bar(context: Context, number: int) -> Iterator[Meter]:
    from rich.progress import BarColumn, Progress, TextColumn

    columns = (
        TextColumn("Issue {task.fields[issue]}"),
        BarColumn(),
        TextColumn("{task.fields[words]}"),
    )
    with Progress(*columns, console=context.console, transient=True) as bar:
        task = bar.add_task("", total=None, issue=number, words="")

        def show(counts: Counts, meter: Meter) -> None:
            done = counts.readers - counts.open
            words = "  ".join([f"{done:,}/{counts.readers:,}", *_words(counts, meter)])
            bar.update(task, total=counts.readers, completed=done, words=words)

        yield Meter(show, BAR)


class Lines:
    """Prints what is ahead, then a line now and then."""

    def __init__(self, hint: Callable[[str], Any], number: int) -> None:
        self._hint, self._number = hint, number
        #: When the last line was printed, and how many copies were at their end then.
        self._said: tuple[float, int] | None = None

    def __call__(self, counts: Counts, meter: Meter) -> None:
        done = counts.readers - counts.open
        if self._said is None:
            self._hint(f"Issue {self._number}: {counts.open:,} to hand over")
        else:
            then, before = self._said
            further = done - before >= max(SHARE * counts.readers, 1)
            if counts.open == 0 or (meter.now - then < SECONDS and not further):
                return
            words = ", ".join(_words(counts, meter))
            self._hint(f"Issue {self._number}: {done:,} of {counted(counts.readers, 'reader')}, {words}")
        self._said = (meter.now, done)


def _words(counts: Counts, meter: Meter) -> list[str]:
    left = meter.left(counts)
    words = [rate(meter.speed) if meter.speed else "waiting"]
    if left is not None:
        words.append(f"{duration(left)} left")
    for word in ("refused", "deferred"):
        if getattr(counts, word):
            words.append(f"{getattr(counts, word):,} {word}")
    if counts.in_doubt:
        words.append(f"{counts.in_doubt:,} in doubt")
    return words
