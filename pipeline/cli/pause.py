"""`newsletter pause N`: hold an issue back until somebody says resume."""

from __future__ import annotations

import click

from pipeline.cli.context import NUMBER, Context, Verb, pass_context
from pipeline.cli.run import doubts
from pipeline.cli.words import at_work, have
from pipeline.model import IssueState


@click.command(cls=Verb)
@click.argument("number", type=NUMBER)
@pass_context
def command(context: Context, number: int) -> int:
    """Hold issue NUMBER back: a run at work ends before its next message, and none begins.

    Until `newsletter resume NUMBER`, or `newsletter cancel NUMBER`, nothing else is sent either.
    """
    from pipeline import running

    standing = running.pause(context.project, number)
    record = standing.record
    already = " already" if standing.before.state is IssueState.PAUSED else ""
    context.say(f"Issue {number} is paused{already}. {have(record)}{doubts(record)}")
    for run in standing.runs:
        context.say(f"{at_work(run)}; it finishes what is under way, so a few more may have it.")
    context.say(f"Next: newsletter resume {number}, or newsletter cancel {number}")
    return 0
