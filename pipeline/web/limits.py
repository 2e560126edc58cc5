"""How often one client may ask; what happened before the program began is not known."""

from __future__ import annotations

import math
import time

from limits import RateLimitItem, parse
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

#: Posts of one client, of whatever form; a person in front of a form needs a few.
POSTS = "120/minute"
#: Clients that are remembered; with more, counting begins anew rather than fill the memory.
MOST_CLIENTS = 100_000


class Limits:
    """Counts what clients do. Used by several threads."""

    def __init__(self, subscribing: str) -> None:
        """`subscribing` is how often one may ask for the newsletter, like "10/hour"."""
        self._storage = MemoryStorage()
        self._window = FixedWindowRateLimiter(self._storage)
        self._subscribing, self._posts = parse(subscribing), parse(POSTS)

    def post(self, client: str) -> int:
        """Count one post of a client; 0 if that is fine, else in how many seconds it will be."""
        return self._count(self._posts, "post", client)

    def subscribe(self, client: str) -> int:
        """Count one address that a client asks with; 0 if that is fine, else in how many seconds it will be."""
        return self._count(self._subscribing, "subscribe", client)

    def _count(self, item: RateLimitItem, what: str, client: str) -> int:
        if len(self._storage.storage) > MOST_CLIENTS:
            self._storage.reset()
        if self._window.hit(item, what, client):
            return 0
        return max(1, math.ceil(self._window.get_window_stats(item, what, client).reset_time - time.time()))
