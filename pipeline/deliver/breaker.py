"""Decides when refusals say more about us than about readers."""

from __future__ import annotations

import re

from pipeline.model import Answer, Outcome

#: Refusals in the same words, numbers aside, one after another.
IDENTICAL = 5

#: A reply code that says "never" (RFC 5321, 4.2.1), and perhaps an enhanced one (RFC 3463).
_NEVER = re.compile(r"5\d\d(?!\d)(?:[ -]+5\.\d{1,3}\.\d{1,3}(?!\S))?")
#: What differs from one reader to the next in words that are the same: a queue's number, a session, a moment.
_NUMBER = re.compile(r"\S*\d\S*")


def never(reply: str) -> bool:
    """Tell whether a relay said it; what we refused ourselves has no reply code, and says nothing of the relay."""
    return _NEVER.match(reply) is not None


def alike(reply: str) -> str:
    """Return what two refusals have in common that say the same: codes and words, numbers aside."""
    codes = _NEVER.match(reply)
    end = codes.end() if codes else 0
    return reply[:end] + _NUMBER.sub("#", reply[end:])


class Breaker:
    """Watches the relay's answers as they come, of all connections together; the caller holds a lock."""

    def __init__(self) -> None:
        self._words = ""
        self._times = 0

    def trips(self, answer: Answer) -> bool:
        """Tell whether this is the fifth refusal in the same words, numbers aside, with none accepted between."""
        if answer.outcome is Outcome.ACCEPTED:
            self._times = 0
        elif answer.outcome is Outcome.REFUSED and never(answer.reply):
            words = alike(answer.reply)
            self._times = self._times + 1 if words == self._words else 1
            self._words = words
        return self._times >= IDENTICAL
