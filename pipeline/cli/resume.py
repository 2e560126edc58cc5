"""`newsletter resume N`: finish an issue that was interrupted."""

from __future__ import annotations

import click

from pipeline.cli.context import NUMBER, Context, Verb, json_option, pass_context
from pipeline.cli.run import carry_through


@click.command(cls=Verb)
@click.argument("number", type=NUMBER)
@json_option
@pass_context
def command(context: Context, number: int, as_json: bool) -> int:
    """Finish issue NUMBER from its frozen bytes: publish, and deliver to those who do not have it.

    Nobody gets it twice: whoever is on record as having it is left alone. Safe to repeat.
    """
    return carry_through(context, number, as_json=as_json, frozen=False)
