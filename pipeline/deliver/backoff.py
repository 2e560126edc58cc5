"""Decides how long a deferred delivery rests before it is tried again."""

from __future__ import annotations

from datetime import timedelta
from hashlib import sha256

#: Postfix's minimal_backoff_time and maximal_backoff_time, in seconds.
SHORTEST = 300.0
LONGEST = 4000.0
#: Up to this share is added, so that what was deferred together does not come back together.
JITTER = 0.1
#: So often a delivery whose connection failed is tried again at once: it is hardly ever its fault, but it may be.
QUICK_TRIES = 3
#: Rest before the first of those tries; doubles.
QUICK = 1.0


def backoff(attempts: int, key: str, first: float = SHORTEST, longest: float = LONGEST) -> timedelta:
    """Return `first` seconds doubling to `longest`; the same for the same attempt and key.

    `attempts` counts the tries before this one; `key` tells deliveries apart.
    """
    doubled = first * 2.0 ** min(attempts, 16)
    share = int.from_bytes(sha256(f"{key}:{attempts}".encode()).digest()[:4]) / 2**32
    return timedelta(seconds=min(doubled, longest / (1 + JITTER)) * (1 + JITTER * share))


def after_a_lost_connection(
    attempts: int, key: str, first: float = SHORTEST, longest: float = LONGEST
) -> timedelta:
    """Return the rest of a delivery whose connection failed before it was handed over: 1, 2, 4 s, then as any other."""
    if attempts < QUICK_TRIES:
        return timedelta(seconds=min(QUICK * 2**attempts, first))
    return backoff(attempts - QUICK_TRIES, key, first, longest)
