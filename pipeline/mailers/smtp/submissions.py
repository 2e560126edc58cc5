"""Pulls submissions for connections, and takes back those of which nothing was written."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from pipeline.mailers.smtp.together import rest
from pipeline.model import Submission


class Source:
    """The submissions that one call of `submit` was given, for all of its connections."""

    def __init__(self, submissions: Iterable[Submission | None]) -> None:
        self._submissions = iter(submissions)
        #: No more will come.
        self.ended = False

    def next(self) -> Submission | None:
        """Return the next one; None if there is none now, or never again."""
        if self.ended:
            return None
        try:
            return next(self._submissions)
        except StopIteration:
            self.ended = True
            return None

    def stop(self) -> None:
        """Have no more come."""
        self.ended = True


class Pull:
    """What one connection pulls."""

    def __init__(self, source: Source) -> None:
        self._source = source
        #: Pulled, and for the next session to begin with.
        self.waiting: deque[Submission] = deque()

    def next(self) -> Submission | None:
        """Return the next one, which may take its time; None if there is none now, or never again."""
        return self.waiting.popleft() if self.waiting else self._source.next()

    def first(self) -> Submission | None:
        """Return the next one when nothing is under way on this connection; None is the end then."""
        submission = self.next()
        while submission is None and not self._source.ended:
            rest()
            submission = self.next()
        return submission
