"""`newsletter hear`: read what came back."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from pipeline.cli.context import Context, Verb, json_option, pass_context
from pipeline.cli.words import counted
from pipeline.model import News

if TYPE_CHECKING:
    from pipeline.hearing import Tally

#: One message, and several.
NAMES = {
    News.HARD_BOUNCE: ("hard bounce", "hard bounces"),
    News.SOFT_BOUNCE: ("soft bounce", "soft bounces"),
    News.COMPLAINT: ("complaint", "complaints"),
    News.UNSUBSCRIBE: ("left by mail", "left by mail"),
}


@click.command(cls=Verb)
@click.argument("source", type=click.Choice(["-"]), required=False, metavar="[-]")
@click.option("--stdin", is_flag=True, help="The same as -: read one message from standard input.")
@click.option("-n", "--dry-run", is_flag=True, help="Say what would follow; write nothing, take nothing out.")
@json_option
@pass_context
def command(context: Context, source: str | None, stdin: bool, dry_run: bool, as_json: bool) -> int:
    """Read the mailbox of [hear.mailbox]: bounces, complaints, mails by which readers leave.

    With - one message from standard input, as a mail server pipes it. What is
    understood leaves the mailbox once it is written down; what only a person
    can understand stays.
    """
    from pipeline import hearing

    project = context.project
    piped = bool(source or stdin)
    mailbox = project.pipe(sys.stdin.buffer) if piped else project.mailbox()
    tally = hearing.listen(project, mailbox, project.now, dry_run=dry_run)
    if as_json:
        context.json(tally.document())
    else:
        tell(context, tally, dry_run, piped)
    return 0


def tell(context: Context, tally: Tally, dry_run: bool, piped: bool) -> None:
    """Print what was heard."""
    if not tally.read:
        context.say("Nothing has come back.")
        return
    news = [f"{count:,} {NAMES[kind][count != 1]}" for kind, count in tally.news.items()]
    context.say(f"{counted(tally.read, 'message')}: {', '.join(news) or 'no news of readers'}.")
    if tally.suppressed:
        addresses = "1 address" if tally.suppressed == 1 else f"{tally.suppressed:,} addresses"
        context.say(
            f"No more mail goes to {addresses}." if not dry_run else f"No more mail would go to {addresses}."
        )
    quiet = [f"{count:,} {kind}" for kind, count in tally.nothing.most_common()]
    quiet += [f"{tally.repeated:,} heard before"] * bool(tally.repeated)
    quiet += [f"{tally.unknown:,} about nobody we know"] * bool(tally.unknown)
    if quiet:
        context.say(f"Besides: {', '.join(quiet)}.")
    for said, count in tally.against_us.most_common(5):
        context.say(f"  {count:,} x {said}")
    if tally.left:
        there = "gone with the pipe" if piped else "still in the mailbox"
        context.say(f"{counted(tally.left, 'message')} for a person to read, {there}.")
    context.hint("Nothing was written down." if dry_run else "Next: newsletter subscribers list")
