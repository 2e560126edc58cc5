"""Turns Ctrl-C and SIGTERM into a question that a run asks between messages."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipeline.cli.context import Context
    from pipeline.weekly import Stop

SAID = "Stopping: finishing what is under way (at most 30 s); once more ends it now."


@contextmanager
def stop_signals(context: Context) -> Iterator[Stop]:
    """Let the first signal end the run in good order, and say so at once; the second one ends it now."""
    seen: list[int] = []
    # Back to the line's beginning, and what a bar left there away.
    erase = "\r\x1b[2K" if not context.quiet and context.console.is_terminal else ""

    def note(number: int, _frame: FrameType | None) -> None:
        if seen:
            raise KeyboardInterrupt
        seen.append(number)
        if not context.quiet:
            # Straight to the terminal: a signal may come in the middle of a print, which cannot be begun twice.
            with suppress(OSError):
                os.write(2, f"{erase}{SAID}\n".encode())

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: bool(seen)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
