"""Asks a person to type something before what cannot be undone: whoever types it has looked."""

from __future__ import annotations

import click

from pipeline.errors import Refused


def ask_for(number: int, question: str, *, stopped: str, otherwise: str) -> None:
    """Return once a person has typed the number, with or without commas.

    Ctrl-C ends with 130 and says `stopped`; anything else typed raises
    Refused, which says `otherwise`.
    """
    answer = _ask(question, stopped)
    if answer.replace(",", "") != str(number):
        raise Refused(f"“{answer}” is not that number: {otherwise}" if answer else otherwise)


def ask_for_address(address: str, question: str, *, stopped: str, otherwise: str) -> None:
    """Do the same with an address, in any case."""
    answer = _ask(question, stopped)
    if answer.casefold() != address.strip().casefold():
        raise Refused(f"“{answer}” is not that address: {otherwise}" if answer else otherwise)


def _ask(question: str, stopped: str) -> str:
    try:
        answer: str = click.prompt(
            f"This cannot be undone. {question}, or press Enter to stop",
            default="",
            show_default=False,
            err=True,
        )
    except click.Abort as abort:
        click.echo(f"\n{stopped}", err=True)
        raise click.exceptions.Exit(130) from abort
    return answer.strip()
