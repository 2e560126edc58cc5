"""Runs a frozen issue to its end, and says what became of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.cli.context import Context
from pipeline.cli.progress import progress
from pipeline.cli.stopping import stop_signals
from pipeline.cli.words import at_work, counted, have, sentence
from pipeline.errors import Busy, MailerUnusable, NewsletterError
from pipeline.model import EventKind, IssueState

if TYPE_CHECKING:
    from pipeline.model import IssueRecord


def carry_through(
    context: Context,
    number: int,
    *,
    as_json: bool,
    frozen: bool = True,
    due: bool = False,
    join: bool = False,
    only_copy: bool = False,
) -> int:
    """Finish an issue, print what became of it, and return the exit code.

    `frozen`: the issue is known to exist, so that a fault can say how to go on.
    The rest is as weekly.resume takes it.
    """
    from pipeline import papers, weekly
    from pipeline.deliver.receipt import exit_code, outcome

    try:
        with stop_signals(context) as stop, progress(context, number) as step:
            record = weekly.resume(
                context.project, number, step, stop, due=due, join=join, only_copy=only_copy
            )
    except (NewsletterError, OSError) as fault:
        if isinstance(fault, MailerUnusable):
            record = papers.record_of(context.project, number)
            if as_json:
                context.json(outcome(record, fault.exit_code))
            how = "is paused" if record.state is IssueState.PAUSED else "waits"
            fault.add_note(
                f"Issue {number} {how}: {have(record)} Once that is mended: newsletter resume {number}"
            )
        elif frozen and not isinstance(fault, Busy) and "newsletter resume" not in str(fault):
            fault.add_note(
                f"Issue {number} is frozen, and nothing is lost. To go on: newsletter resume {number}"
            )
        raise
    stopped = stop()
    code = exit_code(record, stopped=stopped)
    if as_json:
        context.json(outcome(record, code))
    else:
        tell(context, record, stopped=stopped)
    return code


def tell(context: Context, record: IssueRecord, *, stopped: bool) -> None:
    """Print the end of a run: what happened, what to open, what to do next."""
    counts, number = record.counts, record.number
    if stopped and counts.open and record.state is IssueState.SENDING:
        context.say(
            f"Stopped. {have(record)} `newsletter resume {number}` sends only to the {counts.open:,}."
            + doubts(record)
        )
        return
    context.say(sentence(record))
    gone = context.project.store.heard(number).get(EventKind.HARD_BOUNCE, 0) if counts.refused else 0
    if gone:
        context.say(f"No more mail goes to {counted(gone, 'reader')} whose address does not work any more.")
    others = context.project.store.runs(number)
    if counts.open and others:
        context.say(f"{at_work(others[0])}, and goes on. Next: newsletter report {number}")
        return
    if record.state is IssueState.PAUSED:
        context.say(f"{have(record)} Next: newsletter resume {number}, or newsletter cancel {number}")
        return
    root = context.project.root
    if context.project.settings.mail.mailer == "outbox" and counts.accepted:
        context.say(
            f"Mail      {root / 'outbox' / f'{number:04d}'}/  ({counted(counts.accepted, 'message')})"
        )
    context.say(f"Web page  {root / 'public' / 'issues' / str(number) / 'index.html'}")
    context.say(f"Feeds     {root / 'public' / 'feeds' / 'index.html'}")
    context.say(f"Next: {following(record)}")


def following(record: IssueRecord) -> str:
    """Name the command that helps now."""
    counts, number = record.counts, record.number
    if counts.open and record.state is not IssueState.CANCELLED:
        return f"newsletter resume {number}"
    return f"newsletter report {number}"


def doubts(record: IssueRecord) -> str:
    """Say that doubts are left, and who names them."""
    count = record.counts.in_doubt
    if not count:
        return ""
    verb = "is" if count == 1 else "are"
    return f" {count:,} {verb} in doubt: `newsletter report {record.number}` names them."
