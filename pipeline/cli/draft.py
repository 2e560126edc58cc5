"""`newsletter draft`: write issues/NNNN.md to edit."""

from __future__ import annotations

import click

from pipeline.cli.context import Context, Verb, latest_option, pass_context, since_option


@click.command(cls=Verb)
@since_option
@latest_option
@pass_context
def command(context: Context, since: str | None, latest: int | None) -> int:
    """Write issues/NNNN.md to edit: subject, preheader, posts in order, your note.

    A post you delete from the list comes back next time. `newsletter send` uses the draft if there is one.
    """
    from pipeline import editing
    from pipeline.project import read_moment

    project = context.project
    path = editing.draft(project, read_moment(since, project.settings), latest)
    if path is None:
        context.say("Nothing is new, so there is nothing to draft.")
    else:
        context.say(f"Wrote {path}. Edit it, then: newsletter check")
    return 0
