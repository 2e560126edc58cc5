"""Pulls submissions for one connection, and takes back those of which nothing was written."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from pipeline.model import Submission


class Pull:
    """The submissions that one call of `submit` was given."""

    def __init__(self, submissions: Iterable[Submission | None]) -> None:
        self._submissions = iter(submissions)
        #: Pulled, and for the next session to begin with.
        self.waiting: deque[Submission] = deque()
        self._ended = False

    def next(self) -> Submission | None:
        """Return the next one, which may take its time; None if there is none now, or never again."""
        if self.waiting:
            return self.waiting.popleft()
        if self._ended:
            return None
        try:
            return next(self._submissions)
        except StopIteration:
            self._ended = True
            return None

    def first(self) -> Submission | None:
        """Return the next one when nothing is under way; None is the end then."""
        submission = self.next()
        while submission is None and not self._ended:
            submission = self.next()
        return submission
