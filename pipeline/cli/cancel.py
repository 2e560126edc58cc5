"""`newsletter cancel N`: call an issue off."""

from __future__ import annotations

import click

from pipeline.cli.asking import ask_for
from pipeline.cli.context import NUMBER, Context, Verb, pass_context
from pipeline.cli.run import doubts
from pipeline.cli.words import at_work, counted, sentence
from pipeline.errors import UsageError
from pipeline.model import IssueRecord, IssueState


@click.command(cls=Verb)
@click.argument("number", type=NUMBER)
@click.option("--yes", is_flag=True, help="Ask nothing.")
@pass_context
def command(context: Context, number: int, yes: bool) -> int:
    """Call issue NUMBER off: who does not have it yet never gets it.

    Asks for how many those are. Copies in doubt stay so, for `newsletter settle`.
    """
    from pipeline import running

    record = running.callable_off(context.project, number)
    already = record.state is IssueState.CANCELLED
    if not yes and not already:
        agree(context, record)
    standing = running.cancel(context.project, number)
    record = standing.record
    context.say(
        (f"Issue {number} was called off already. " if already else "") + sentence(record) + doubts(record)
    )
    for run in standing.runs:
        context.say(f"{at_work(run)}; it finishes what is under way, and ends.")
    context.say(f"Next: newsletter report {number}")
    return standing.code


def agree(context: Context, record: IssueRecord) -> None:
    """Have somebody's word, since this cannot be undone."""
    open_ones = record.counts.open
    if not context.interactive():
        raise UsageError("nobody is here to ask: add --yes to call the issue off.")
    context.hint(
        f"Issue {record.number}  {record.subject}\n"
        f"{counted(record.counts.accepted, 'reader')} {'has' if record.counts.accepted == 1 else 'have'} it. "
        f"{open_ones:,} will never get it, and its posts go into no other issue."
    )
    ask_for(
        open_ones,
        "Type how many will never get it",
        stopped="Stopped. Nothing has changed.",
        otherwise=f"stopped, and nothing has changed. To hold it back only: newsletter pause {record.number}",
    )
