"""Asks a person for a number before what cannot be undone: whoever types it has looked."""

from __future__ import annotations

import click

from pipeline.errors import Refused


def ask_for(number: int, question: str, *, stopped: str, otherwise: str) -> None:
    """Return once a person has typed the number.

    Ctrl-C ends with 130 and says `stopped`; anything else typed raises
    Refused, which says `otherwise`.
    """
    try:
        answer = click.prompt(
            f"This cannot be undone. {question}, or press Enter to stop",
            default="",
            show_default=False,
            err=True,
        )
    except click.Abort as abort:
        click.echo(f"\n{stopped}", err=True)
        raise click.exceptions.Exit(130) from abort
    if answer.replace(",", "").strip() != str(number):
        raise Refused(f"“{answer.strip()}” is not that number: {otherwise}" if answer.strip() else otherwise)
