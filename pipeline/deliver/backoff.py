"""Decides how long a deferred delivery rests before it is tried again."""

from __future__ import annotations

from datetime import timedelta
from hashlib import sha256

#: Postfix's minimal_backoff_time and maximal_backoff_time, in seconds.
SHORTEST = 300.0
LONGEST = 4000.0
#: Up to this share is added, so that what was deferred together does not come back together.
JITTER = 0.1


def backoff(attempts: int, key: str) -> timedelta:
    """Return 300 s doubling to 4,000 s; the same for the same attempt and key.

    `attempts` counts the tries before this one; `key` tells deliveries apart.
    """
    doubled = SHORTEST * 2.0 ** min(attempts, 16)
    share = int.from_bytes(sha256(f"{key}:{attempts}".encode()).digest()[:4]) / 2**32
    return timedelta(seconds=min(doubled, LONGEST / (1 + JITTER)) * (1 + JITTER * share))
