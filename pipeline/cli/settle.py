"""`newsletter settle N`: a person ends doubts."""

from __future__ import annotations

from collections.abc import Sequence

import click

from pipeline.cli.context import NUMBER, Context, Verb, pass_context
from pipeline.cli.words import counted, sentence
from pipeline.errors import Refused, UsageError
from pipeline.model import Delivery, IssueState

#: So many addresses are named before a question.
SHOWN = 12
#: Stands for the address that is not there any more.
FORGOTTEN = "(somebody who was forgotten)"


@click.command(cls=Verb)
@click.argument("number", type=NUMBER)
@click.argument("address", nargs=-1)
@click.option("--accepted", is_flag=True, help="They have it: nothing more is sent to them.")
@click.option("--again", is_flag=True, help="They do not have it: they get one more copy.")
@click.option("--yes", is_flag=True, help="Ask nothing.")
@pass_context
def command(
    context: Context, number: int, address: tuple[str, ...], accepted: bool, again: bool, yes: bool
) -> int:
    """Say what became of copies of issue NUMBER that are in doubt: of each ADDRESS, or of all.

    A copy is in doubt when it was handed over and the relay's answer was lost.
    Look into the relay's log, or ask a reader, before you say.
    """
    from pipeline import papers, running

    if accepted == again:
        raise UsageError("say which it is: --accepted (they have it) or --again (they get one more copy).")
    chosen = running.doubts(context.project, number, address, accepted=accepted)
    if not chosen:
        left = papers.record_of(context.project, number).counts.in_doubt
        context.say(
            f"{counted(left, 'copy')} in doubt, and only of people who were forgotten: nothing can go to them. "
            f"To end that: newsletter settle {number} --accepted"
            if left
            else f"Nothing is in doubt in issue {number}. Next: newsletter report {number}"
        )
        return 0
    if not address and not yes and context.interactive():
        agree(context, chosen, accepted=accepted)
    record = running.settle(context.project, number, chosen, accepted=accepted)
    became = "accepted: nothing more goes to them" if accepted else "to be handed over once more"
    context.say(f"{counted(len(chosen), 'copy')} settled as {became}.")
    context.say(sentence(record))
    open_again = record.counts.open and record.state is not IssueState.CANCELLED
    context.say(f"Next: newsletter {'resume' if open_again else 'report'} {number}")
    return 0


def agree(context: Context, chosen: Sequence[Delivery], *, accepted: bool) -> None:
    """Show who it is about, and have somebody's word."""
    for doubt in chosen[:SHOWN]:
        context.hint(f"  {doubt.recipient.email or FORGOTTEN}")
    if len(chosen) > SHOWN:
        context.hint(f"  … and {len(chosen) - SHOWN:,} more")
    question = "They have it?" if accepted else "They do not have it, and get one more copy?"
    try:
        sure = click.confirm(f"{counted(len(chosen), 'copy')} in doubt. {question}", err=True)
    except click.Abort as stopped:
        click.echo("\nStopped. Nothing has changed.", err=True)
        raise click.exceptions.Exit(130) from stopped
    if not sure:
        raise Refused("stopped, and nothing has changed.")
