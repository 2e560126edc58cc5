"""`newsletter resume N`: go on with an issue that was interrupted or paused."""

from __future__ import annotations

import click

from pipeline.cli.context import NUMBER, Context, Verb, join_option, json_option, pass_context
from pipeline.cli.run import carry_through


@click.command(cls=Verb)
@click.argument("number", type=NUMBER)
@click.option("--due", is_flag=True, help="Leave deferred copies alone whose rest is not over.")
@join_option
@click.option(
    "--only-copy", is_flag=True, help="No other copy of this newsletter's ledger is in use: I have looked."
)
@json_option
@pass_context
def command(context: Context, number: int, due: bool, join: bool, only_copy: bool, as_json: bool) -> int:
    """Go on with issue NUMBER from its frozen bytes: publish, and deliver to those who do not have it.

    Nobody gets it twice: whoever is on record as having it is left alone. What
    the relay deferred is tried at once. Safe to repeat.
    """
    return carry_through(
        context, number, as_json=as_json, frozen=False, due=due, join=join, only_copy=only_copy
    )
