"""Names the moments at which a run may be killed and nothing may come out wrong.

In production nothing happens at any of them; a test sets `hook` to die there.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum


class Point(StrEnum):
    """A moment in one delivery's life, in order."""

    LEASED = "leased"
    SPLICED = "spliced"
    #: The relay has everything but the final dot.
    BODY_WRITTEN = "body written"
    ARMED = "armed"
    #: After the dot, its answer not yet recorded.
    HANDED_OVER = "handed over"
    RECORDED = "recorded"
    #: The issue is closed.
    CLOSED = "closed"


def _nothing(point: Point) -> None:
    """Let it pass."""


hook: Callable[[Point], None] = _nothing


def reach(point: Point) -> None:
    """Pass a point."""
    hook(point)
