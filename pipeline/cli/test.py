"""`newsletter test`: one real copy, to look at in a real inbox."""

from __future__ import annotations

import click

from pipeline.cli.context import Context, Verb, by_option, latest_option, pass_context, since_option
from pipeline.cli.words import counted, short_hash
from pipeline.errors import UsageError
from pipeline.model import LetterKind


@click.command(cls=Verb)
@click.option(
    "--to", multiple=True, metavar="ADDRESS", help="Where the copy goes; may be given several times."
)
@click.option(
    "--letter",
    type=click.Choice([kind.value for kind in LetterKind]),
    help="Not the issue but this letter, as somebody new gets it.",
)
@click.option(
    "--categories", metavar="SLUGS", default="", help="As readers of these get it, with commas between them."
)
@by_option
@since_option
@latest_option
@pass_context
def command(
    context: Context,
    to: tuple[str, ...],
    letter: str | None,
    categories: str,
    by: str | None,
    since: str | None,
    latest: int | None,
) -> int:
    """Send one copy of the next issue, marked [TEST], counted nowhere.

    It goes through the mailer as every copy will. Its links to leave change
    nothing. The preview remembers which build was tested.
    """
    from pipeline import approving
    from pipeline.project import read_moment

    project = context.project
    where = f"  {project.root / 'outbox' / 'mail'}/" if project.settings.mail.mailer == "outbox" else ""
    if letter:
        if by is not None or since is not None or latest is not None or categories:
            raise UsageError(
                "--categories, --by, --since and --latest are about the next issue, not about a letter."
            )
        count = approving.try_letter(project, LetterKind(letter), to)
        context.say(f"{counted(count, 'test copy')} of the letter {letter!r} handed over.{where}")
        return 0
    choice = " ".join(categories.replace(",", " ").split())
    trial = approving.try_out(project, to, by, read_moment(since, project.settings), latest, choice)
    context.say(
        f"{counted(len(to) or 1, 'test copy')} of build {short_hash(trial.build)} handed over.{where}"
    )
    context.say("Look at it in your inbox. Next: newsletter approve, or newsletter send")
    return 0
