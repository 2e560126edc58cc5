"""`newsletter approve`: seal what was looked at."""

from __future__ import annotations

import click

from pipeline.cli.context import Context, Verb, by_option, latest_option, pass_context, since_option
from pipeline.cli.words import moment, short_hash


@click.command(cls=Verb)
@by_option
@click.option(
    "--build", metavar="HASH", help="Approve only if it is still this build, as the preview shows it."
)
@since_option
@latest_option
@pass_context
def command(
    context: Context, by: str | None, build: str | None, since: str | None, latest: int | None
) -> int:
    """Seal the next issue as it is now: its mail, page, feeds, pictures, theme and settings.

    A later change makes send refuse and show what has changed. Ends with 6 if
    it may not be approved.
    """
    from pipeline import approving
    from pipeline.project import read_moment

    project = context.project
    approval = approving.approve(project, by, build, read_moment(since, project.settings), latest)
    at = moment(approval.at, project.settings.newsletter.zone)
    context.say(f"{approval.by} approved build {short_hash(approval.build)} on {at}.")
    context.say("A change from here on makes send refuse. Next: newsletter send")
    return 0
