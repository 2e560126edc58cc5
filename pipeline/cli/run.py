"""Runs a frozen issue to its end, with a bar on a terminal and plain words in a pipe."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING

from pipeline.cli.context import Context
from pipeline.cli.words import counted, sentence
from pipeline.errors import NewsletterError

if TYPE_CHECKING:
    from pipeline.model import Counts, IssueRecord
    from pipeline.weekly import Progress, Stop


def carry_through(context: Context, number: int, *, as_json: bool, frozen: bool = True) -> int:
    """Finish an issue, print what became of it, and return the exit code.

    `frozen`: the issue is known to exist, so that a fault can say how to go on.
    """
    from pipeline import weekly
    from pipeline.deliver.receipt import exit_code, outcome

    try:
        with stop_signals() as stop, progress(context, number) as step:
            record = weekly.resume(context.project, number, step, stop)
    except (NewsletterError, OSError) as fault:
        if frozen and "newsletter resume" not in str(fault):
            fault.add_note(
                f"Issue {number} is frozen, and nothing is lost. To go on: newsletter resume {number}"
            )
        raise
    stopped = stop()
    if as_json:
        context.json(outcome(record, stopped=stopped))
    else:
        tell(context, record, stopped=stopped)
    return exit_code(record, stopped=stopped)


def tell(context: Context, record: IssueRecord, *, stopped: bool) -> None:
    """Print the end of a run: what happened, what to open, what to do next."""
    counts, number = record.counts, record.number
    if stopped and counts.open:
        context.say(
            f"Stopped. {counts.accepted:,} have it, {counts.open:,} do not. "
            f"`newsletter resume {number}` sends only to those {counts.open:,}."
        )
        return
    context.say(sentence(record))
    root = context.project.root
    if context.project.settings.mail.mailer == "outbox" and counts.accepted:
        context.say(
            f"Mail      {root / 'outbox' / f'{number:04d}'}/  ({counted(counts.accepted, 'message')})"
        )
    context.say(f"Web page  {root / 'public' / 'issues' / str(number) / 'index.html'}")
    context.say(f"Feeds     {root / 'public' / 'feeds' / 'index.html'}")
    next_one = f"newsletter resume {number}" if counts.open else f"newsletter report {number}"
    context.say(f"Next: {next_one}")


@contextmanager
def stop_signals() -> Iterator[Stop]:
    """Turn Ctrl-C and SIGTERM into a question the run asks between messages; the second one ends at once."""
    seen: list[int] = []

    def note(number: int, _frame: FrameType | None) -> None:
        if seen:
            raise KeyboardInterrupt
        seen.append(number)

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: bool(seen)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def progress(context: Context, number: int) -> Iterator[Progress]:
    """Show how far a run is: a bar for a person, nothing in a pipe."""
    if context.quiet or not context.console.is_terminal:
        yield lambda _counts: None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=context.console, transient=True) as bar:
        task = bar.add_task(f"Issue {number}", total=None)

        def step(counts: Counts) -> None:
            bar.update(task, total=counts.readers, completed=counts.readers - counts.open)

        yield step
