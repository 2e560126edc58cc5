"""`newsletter subscribers ...`: the people who read."""

from __future__ import annotations

import sys
from io import BufferedReader
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipeline.cli.context import Context, Verb, json_option, pass_context
from pipeline.cli.words import counted, moment
from pipeline.model import Subscriber, SubscriberState

if TYPE_CHECKING:
    from pipeline.project import Project
    from pipeline.readership import Recognised


@click.group()
def command() -> None:
    """Import, add, remove, list, show and export the people who read."""


@command.command("import", cls=Verb)
@click.argument(
    "files",
    metavar="FILE...",
    nargs=-1,
    required=True,
    type=click.Path(path_type=Path, dir_okay=False, allow_dash=True),
)
@click.option(
    "--as",
    "said",
    metavar="STATE",
    type=click.Choice(["confirmed", "unconfirmed", "unsubscribed", "suppressed"]),
    help="What people are of whom a row says nothing.",
)
@click.option("-n", "--dry-run", is_flag=True, help="Only say what would become of the rows.")
@json_option
@pass_context
def import_(context: Context, files: tuple[Path, ...], said: str | None, dry_run: bool, as_json: bool) -> int:
    """Take in CSV files with a header row, as Mailchimp, Substack, Ghost, Buttondown, Kit and listmonk write them.

    Importing says that these people have consented: they become confirmed
    unless a column (status, unsubscribed_at, ...) says otherwise. Who has left
    or is suppressed stays so. Rows that cannot be used go to standard error
    with line and reason. --as unsubscribed is for a file of those who left.
    """
    from pipeline import readership

    project = context.project
    lists = {str(file): _located(project, file) for file in files}
    heads: dict[str, Recognised] = {}

    def recognised(name: str, head: Recognised) -> None:
        heads[name] = head
        tell_recognised(context, name, head, at_length=dry_run or context.verbose)

    counts = readership.take_in(
        project,
        lists,
        lambda name, line, reason: click.echo(f"{name}:{line}: {reason}", err=True),
        said=said,
        rehearse=dry_run,
        recognised=recognised,
    )
    for name, head in heads.items() if dry_run or len(heads) > 1 else ():
        rows = ", ".join(f"{number:,} {word}" for word, number in sorted(head.rows.items()))
        context.hint(f"{name}: {counted(head.rows.total(), 'row')}{': ' * bool(rows)}{rows}")
    if as_json:
        context.json(counts)
    else:
        context.say(", ".join(f"{count:,} {word}" for word, count in counts.items()))
    if dry_run:
        again = " ".join(map(str, files)) + (f" --as {said}" if said else "")
        context.hint(f"A dry run: nothing was written. Next: newsletter subscribers import {again}")
    elif not as_json:
        context.say(f"{counted(project.store.readers(), 'reader')} now. Next: newsletter status")
    return 0


def tell_recognised(context: Context, name: str, head: Recognised, *, at_length: bool) -> None:
    """Say what a list was taken for, and what an editor should look at before relying on it."""
    if head.service or at_length:
        taken = f"taken for {head.service}: " if head.service else ""
        context.hint(f"{name}: {taken}{head.used}")
    if head.named:
        context.hint(f"{name}: its name says of everybody in it: {head.named}")
    for title in head.ignored:
        click.echo(
            f"warning: {name}: the column “{title}” is not heeded. If it says who left, call it “status”.",
            err=True,
        )
    if head.note:
        click.echo(f"warning: {name}: {head.note}.", err=True)


def _located(project: Project, file: Path) -> Path | BufferedReader:
    """Find a file named on the command line: from where we stand, else from the newsletter's folder; - is stdin."""
    if str(file) == "-":
        return open(sys.stdin.fileno(), "rb", closefd=False)
    return file if file.exists() or file.is_absolute() else project.root / file


@command.command(cls=Verb)
@click.argument("email")
@click.option("--name", default="", help="What the mail calls them.")
@json_option
@pass_context
def add(context: Context, email: str, name: str, as_json: bool) -> int:
    """Add one person who has consented."""
    from pipeline import readership

    return tell(context, readership.add(context.project, email, name), as_json)


@command.command(cls=Verb)
@click.argument("email")
@json_option
@pass_context
def remove(context: Context, email: str, as_json: bool) -> int:
    """Make one person leave: no issue goes to them any more, and no import brings them back."""
    from pipeline import readership

    return tell(context, readership.remove(context.project, email), as_json)


@command.command("list", cls=Verb)
@click.option("--state", type=click.Choice([str(state) for state in SubscriberState]), help="Only these.")
@json_option
@pass_context
def list_(context: Context, state: str | None, as_json: bool) -> int:
    """List everybody, or those in one state, by address."""
    people = context.project.store.subscribers(SubscriberState(state) if state else None)
    zone = context.project.settings.newsletter.zone
    if as_json:
        context.json([document(person, zone) for person in people])
        return 0
    person = None
    for person in people:
        suppressed = f"  suppressed: {person.suppressed}" if person.suppressed else ""
        context.say(f"{person.email:<40} {person.state:<13} {person.name}{suppressed}".rstrip())
    if person is None:
        context.hint("There is nobody. Next: newsletter subscribers import FILE")
    return 0


@command.command(cls=Verb)
@click.argument("email")
@json_option
@pass_context
def show(context: Context, email: str, as_json: bool) -> int:
    """Print all that is known of one person."""
    from pipeline import readership

    return tell(context, readership.find(context.project, email), as_json)


@command.command(cls=Verb)
@pass_context
def export(context: Context) -> int:
    """Write everybody as CSV to standard output, quoted against formulas; `import` takes it in again."""
    from pipeline import readership

    for line in readership.export(context.project):
        sys.stdout.write(line)
    return 0


def document(person: Subscriber, zone: Any) -> dict[str, Any]:
    """Return a person as `list --json` prints them; scripts rely on its keys."""
    return {
        "email": person.email,
        "name": person.name,
        "state": str(person.state),
        "since": person.since.astimezone(zone).isoformat(),
        "suppressed": person.suppressed,
    }


def tell(context: Context, person: Subscriber, as_json: bool) -> int:
    """Print where one person stands."""
    zone = context.project.settings.newsletter.zone
    if as_json:
        context.json(document(person, zone))
        return 0
    context.say(f"{person.email}  {person.name}".rstrip())
    context.say(f"  {person.state} since {moment(person.since, zone)}")
    if person.suppressed:
        context.say(f"  suppressed: {person.suppressed}")
    return 0
