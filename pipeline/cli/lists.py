"""`newsletter subscribers import` and `export`: everybody at once."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from io import BufferedReader
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipeline.cli.context import Context, Verb, json_option, pass_context
from pipeline.cli.words import counted

if TYPE_CHECKING:
    from pipeline.importing import Recognised
    from pipeline.project import Project


@click.command("import", cls=Verb)
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
    from pipeline import importing

    project = context.project
    lists = {str(file): _located(project, file) for file in files}
    heads: dict[str, Recognised] = {}

    def recognised(name: str, head: Recognised) -> None:
        heads[name] = head
        tell_recognised(context, name, head, at_length=dry_run or context.verbose)

    counts = importing.take_in(
        project,
        lists,
        lambda name, line, reason: click.echo(f"{name}:{line}: {reason}", err=True),
        said=said,
        rehearse=dry_run,
        recognised=recognised,
    )
    for name, head in heads.items() if dry_run or len(heads) > 1 else ():
        rows = ", ".join(f"{number:,} {word}" for word, number in sorted(head.rows.items()))
        context.hint(
            f"{name}: {counted(head.rows.total(), 'row')}{', by what they say: ' * bool(rows)}{rows}"
        )
    if as_json:
        context.json(counts)
    else:
        context.say(outcome(counts))
    if dry_run:
        again = " ".join(map(str, files)) + (f" --as {said}" if said else "")
        context.hint(f"A dry run: nothing was written. Next: newsletter subscribers import {again}")
    elif not as_json:
        context.say(f"{counted(project.store.readers(), 'reader')} now. Next: newsletter status")
    return 0


def outcome(counts: Mapping[str, int]) -> str:
    """Say what became of the rows; of those that were kept out, why that may be."""
    # "suppressed" is what rows say of themselves; who left before, or was forgotten, is kept out as well.
    done = [f"{count:,} {word}" for word, count in counts.items() if word != "suppressed"]
    out = counts["suppressed"]
    why = " (left before, suppressed or forgotten)" if out else ""
    return ", ".join([*done, f"{out:,} kept out{why}"])


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


@click.command(cls=Verb)
@pass_context
def export(context: Context) -> int:
    """Write everybody as CSV to standard output, quoted against formulas; `import` takes it in again."""
    from pipeline import importing

    for line in importing.export(context.project):
        sys.stdout.write(line)
    return 0
