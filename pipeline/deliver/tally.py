"""Counts a run's answers as they come, and sounds the alarm when they cannot be true."""

from __future__ import annotations

from dataclasses import replace

from pipeline.errors import StoreError
from pipeline.model import Counts, Delivery, DeliveryState

#: Deliveries on one page of the register: 4 kB, so that a million readers are 128 kB.
_PAGE = 1 << 15


class Tally:
    """Where an issue's deliveries stand, without asking the ledger after every message."""

    def __init__(self, counts: Counts) -> None:
        self.counts = counts
        #: Ids accepted in this run: page -> one bit each.
        self._accepted: dict[int, bytearray] = {}

    def demand_new(self, delivery: Delivery) -> None:
        """Raise StoreError for a delivery that was accepted in this run already."""
        page, place = divmod(delivery.id, _PAGE)
        if page in self._accepted and self._accepted[page][place >> 3] >> (place & 7) & 1:
            raise StoreError(_alarm(f"the ledger hands out delivery {delivery.id} again, which was accepted"))

    def count(self, delivery: Delivery, after: DeliveryState) -> None:
        """Count an answer. Raises StoreError for a second accept, or for more than there are readers."""
        before = "deferred" if delivery.attempts and self.counts.deferred else "queued"
        now = "deferred" if after is DeliveryState.QUEUED else after.value
        changed = {before: getattr(self.counts, before) - 1}
        changed[now] = changed.get(now, getattr(self.counts, now)) + 1
        self.counts = replace(self.counts, **changed)
        if after is DeliveryState.ACCEPTED:
            self.demand_new(delivery)
            page, place = divmod(delivery.id, _PAGE)
            self._accepted.setdefault(page, bytearray(_PAGE >> 3))[place >> 3] |= 1 << (place & 7)
            if self.counts.accepted > self.counts.readers:
                raise StoreError(
                    _alarm(f"more copies were accepted than there are readers ({self.counts.readers})")
                )


def _alarm(what: str) -> str:
    return f"{what}. Nothing more is handed over; keep the store as it is and report this."
