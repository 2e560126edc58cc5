"""Decides when refusals say more about us than about readers."""

from __future__ import annotations

from pipeline.model import Answer, Outcome

#: Refusals in the same words, one after another.
IDENTICAL = 5


class Breaker:
    """Watches the relay's answers as they come, of all connections together; the caller holds a lock."""

    def __init__(self) -> None:
        self._words = ""
        self._times = 0

    def trips(self, answer: Answer) -> bool:
        """Tell whether this answer is the fifth refusal of the relay in the same words, with none accepted between."""
        if answer.outcome is Outcome.ACCEPTED:
            self._times = 0
        # What we refused ourselves has no reply code, and says nothing of the relay.
        elif answer.outcome is Outcome.REFUSED and answer.reply.startswith("5"):
            self._times = self._times + 1 if answer.reply == self._words else 1
            self._words = answer.reply
        return self._times >= IDENTICAL
