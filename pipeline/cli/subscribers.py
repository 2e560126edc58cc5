"""`newsletter subscribers ...`: the people who read."""

from __future__ import annotations

import click

from pipeline.cli.context import Context, Verb, json_option, pass_context
from pipeline.cli.lists import export, import_
from pipeline.cli.person import allow, document, forget, show, stand, wants
from pipeline.model import Preferences, Subscriber, SubscriberState


@click.group()
def command() -> None:
    """Import, add, remove, list, show, allow, forget and export the people who read."""


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
        context.json_list(document(person, zone) for person in people)
        return 0
    person = None
    for person in people:
        more = f"  suppressed: {person.suppressed}" if person.suppressed else ""
        if person.preferences != Preferences():
            more += f"  gets {wants(person.preferences, zone)}"
        context.say(f"{person.email:<40} {person.state:<13} {person.name}{more}".rstrip())
    if person is None:
        context.hint("There is nobody. Next: newsletter subscribers import FILE")
    return 0


def tell(context: Context, person: Subscriber, as_json: bool) -> int:
    """Print where one person stands."""
    if as_json:
        context.json(document(person, context.project.settings.newsletter.zone))
    else:
        stand(context, person)
    return 0


for each in (import_, export, show, allow, forget):
    command.add_command(each)
