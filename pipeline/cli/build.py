"""`newsletter build`: the public site and the issue's files, without sending."""

from __future__ import annotations

import click

from pipeline.cli.context import NUMBER, Context, Verb, latest_option, pass_context, since_option
from pipeline.cli.words import counted


@click.command(cls=Verb)
@click.argument("number", type=NUMBER, required=False)
@since_option
@latest_option
@pass_context
def command(context: Context, number: int | None, since: str | None, latest: int | None) -> int:
    """Write the public site, and the mail of issue NUMBER (the next one by default) as files.

    Nothing is sent or frozen, and the site shows no issue before it is sent.
    """
    from pipeline import editing
    from pipeline.project import read_moment

    project = context.project
    built = editing.build(project, number, read_moment(since, project.settings), latest)
    site = built.site
    context.say(
        f"public/  {counted(site.written, 'file')} written, {site.unchanged:,} unchanged, {site.removed:,} removed"
    )
    if built.folder:
        beside = f", and {counted(built.variants, 'variant')} in variants/" if built.variants else ""
        context.say(f"{built.folder}/  email.html and email.txt of issue {built.number}{beside}")
    context.say(f"Open {project.public / 'index.html'}. Next: newsletter preview, then newsletter send")
    return 0
