"""`newsletter subscribers show`, `allow` and `forget`: all about one person."""

from __future__ import annotations

from datetime import datetime, tzinfo
from typing import TYPE_CHECKING, Any

import click

from pipeline.cli.asking import ask_for_address
from pipeline.cli.context import Context, Verb, json_option, pass_context
from pipeline.cli.words import counted, moment
from pipeline.errors import UsageError
from pipeline.model import (
    CAME_BY_FORM,
    EventKind,
    Everything,
    Person,
    Preferences,
    Subscriber,
    SubscriberState,
)

if TYPE_CHECKING:
    from pipeline.readership import Known


@click.command(cls=Verb)
@click.argument("email")
@json_option
@pass_context
def show(context: Context, email: str, as_json: bool) -> int:
    """Print all that is kept about one person: where they stand, what they chose, what happened, every copy.

    That is what somebody may ask for (GDPR, article 15).
    """
    from pipeline import readership

    known = readership.known(context.project, email)
    zone = context.project.settings.newsletter.zone
    if as_json:
        context.json(whole(known, zone))
        return 0
    everything, person = known.everything, known.everything.person
    if person.subscriber:
        stand(context, person.subscriber)
        at, how = consent(person)
        context.say(f"  consent: {f'{moment(at, zone)}, ' if at else ''}{how}")
        context.say(f"  gets {wants(person.subscriber.preferences, zone)}")
    else:
        context.say(f"{known.email}\n  not among the subscribers")
        if person.suppressed:
            context.say(f"  suppressed: {person.suppressed}")
    if everything.forgotten:
        context.say(f"  forgotten on {moment(everything.forgotten, zone)}: no import brings them back")
    for title, lines in _sections(everything, zone):
        if lines:
            context.say(f"\n{title}")
        for line in lines:
            context.say(f"  {line}".rstrip())
    if known.files:
        context.say("\nFiles")
    for file in known.files:
        context.say(f"  {file}")
    return 0


@click.command(cls=Verb)
@click.argument("email")
@click.option("--yes", is_flag=True, help="Ask nothing.")
@json_option
@pass_context
def forget(context: Context, email: str, yes: bool, as_json: bool) -> int:
    """Erase one person wherever they stand, also somebody who is not among the subscribers (GDPR, article 17).

    What stays is a mark that says nothing without the installation's secret
    and the address, so that no import brings them back, and the counts of
    issues. Works while an issue is sent: what is not armed is withdrawn.
    """
    from pipeline import readership

    if not yes:
        agree(context, email)
    erased = readership.forget(context.project, email)
    found = erased.found
    if as_json:
        numbers = {"known": found.known, "withdrawn": found.withdrawn, "under_way": found.under_way}
        context.json({**numbers, "copies": found.copies, "files": erased.files})
        return 0
    context.say(
        f"{email} is forgotten"
        + ("." if found.known or erased.files else "; nothing was known of them.")
        + " No import brings them back."
    )
    if found.copies:
        context.say(f"{counted(found.copies, 'delivery')} stay counted, without saying whose they are.")
    if found.withdrawn:
        context.say(f"{counted(found.withdrawn, 'copy')} withdrawn that had not left.")
    if found.under_way:
        context.say(
            f"{counted(found.under_way, 'copy')} may be leaving this very moment; it cannot be called back."
        )
    if erased.files:
        context.say(f"{counted(erased.files, 'file')} removed from outbox/.")
    context.hint(
        "What is not ours to erase: backups of the store, lists that you imported them from, the relay's log."
    )
    return 0


def agree(context: Context, email: str) -> None:
    """Have somebody's word, since this cannot be undone."""
    if not context.interactive():
        raise UsageError("nobody is here to ask: add --yes to forget them.")
    ask_for_address(
        email,
        "Type the address once more to erase all that is kept about it",
        stopped="Stopped. Nothing has changed.",
        otherwise=f"nothing has changed. To send them nothing more: newsletter subscribers remove {email}",
    )


@click.command(cls=Verb)
@click.argument("email", nargs=-1, required=True)
@pass_context
def allow(context: Context, email: tuple[str, ...]) -> int:
    """Lift the suppression of each EMAIL, for one when a bounce was a mistake; the reason stays on record.

    Whoever complained gets nothing until they ask again by the form. Of
    somebody who was forgotten it lifts the mark, so that they can be added.
    """
    from pipeline import readership

    for one in email:
        before = readership.allow(context.project, one)
        if before.forgotten:
            context.say(f"{one} was forgotten; they can be added and imported again.")
        elif before.person.suppressed is None:
            context.say(f"{one} was not suppressed.")
        else:
            context.say(f"{one} was suppressed ({before.person.suppressed}), and is not any more.")
        if before.person.subscriber:
            stand(context, readership.find(context.project, one))
    return 0


def stand(context: Context, person: Subscriber) -> None:
    """Print where one person stands."""
    zone = context.project.settings.newsletter.zone
    context.say(f"{person.email}  {person.name}".rstrip())
    context.say(f"  {person.state} since {moment(person.since, zone)}")
    if person.suppressed:
        context.say(f"  suppressed: {person.suppressed}")


def consent(person: Person) -> tuple[datetime | None, str]:
    """Return when somebody agreed, None if that is not known, and how."""
    event = person.last(EventKind.CONFIRMED) or person.last(EventKind.ADDED)
    if event:
        return event.at, event.words
    if person.stood_since:
        return person.stood_since, "with a list that was imported"
    if any(one.kind is EventKind.ASKED and one.words == CAME_BY_FORM for one in person.events):
        return None, "asked by the form, not confirmed"
    if person.subscriber and person.subscriber.state is SubscriberState.UNCONFIRMED:
        return None, "with a list that was imported, not confirmed"
    return None, "with a list that was imported"


def wants(chosen: Preferences, zone: tzinfo) -> str:
    """Say what somebody wants to get: "everything", "weather, by feed only, paused until ..."."""
    parts = [", ".join(chosen.categories) or "everything"]
    if chosen.feed_only:
        parts.append("by feed only")
    if chosen.paused_until:
        parts.append(f"paused until {moment(chosen.paused_until, zone)}")
    return ", ".join(parts)


def document(person: Subscriber, zone: tzinfo) -> dict[str, Any]:
    """Return a person as `list --json` prints them; scripts rely on its keys."""
    return {
        "email": person.email,
        "name": person.name,
        "state": str(person.state),
        "since": person.since.astimezone(zone).isoformat(),
        "suppressed": person.suppressed,
    }


def whole(known: Known, zone: tzinfo) -> dict[str, Any]:
    """Return all that is kept, as `show --json` prints it: the same keys first, then the rest."""
    everything, person = known.everything, known.everything.person

    def iso(value: Any) -> str | None:
        return None if value is None else value.astimezone(zone).isoformat()

    nobody = {"email": known.email, "name": "", "state": None, "since": None, "suppressed": person.suppressed}
    chosen = person.subscriber.preferences if person.subscriber else None
    return {
        **(document(person.subscriber, zone) if person.subscriber else nobody),
        "consent": {"at": iso(consent(person)[0]), "how": consent(person)[1]} if person.subscriber else None,
        "preferences": chosen
        and {
            "categories": list(chosen.categories),
            "feed_only": chosen.feed_only,
            "paused_until": iso(chosen.paused_until),
        },
        "events": [
            {
                "at": iso(one.at),
                "kind": str(one.kind),
                "issue": one.issue,
                "words": one.words,
                "stood_since": iso(one.stood_since),
            }
            for one in person.events
        ],
        "copies": [
            {"issue": one.issue, "state": str(one.state), "reply": one.reply, "updated": iso(one.updated)}
            for one in everything.copies
        ],
        "letters": [
            {"kind": str(one.kind), "at": iso(one.at), "attempts": one.attempts} for one in everything.letters
        ],
        "requests": [
            {"email": one.email, "name": one.name, "at": iso(one.at)} for one in everything.requests
        ],
        "files": list(known.files),
        "forgotten": iso(everything.forgotten),
    }


def _sections(everything: Everything, zone: tzinfo) -> list[tuple[str, list[str]]]:
    """Return what is kept besides, each with its title; as lines."""
    happened = [
        f"{moment(one.at, zone)}  {one.kind:<12} {f'issue {one.issue}: ' if one.issue else ''}{one.words}"
        + (f", confirmed since {moment(one.stood_since, zone)}" if one.stood_since else "")
        for one in everything.person.events
    ]
    copies = [
        f"{moment(one.updated, zone)}  issue {one.issue:<6} {one.state:<10} {one.reply}"
        for one in everything.copies
    ]
    letters = [f"{moment(one.at, zone)}  {one.kind}" for one in everything.letters]
    asked = [f"{moment(one.at, zone)}  {one.email}  {one.name}" for one in everything.requests]
    return [
        ("What happened, the newest first", happened),
        ("Copies", copies),
        ("Letters that wait", letters),
        ("Asked by the form, not looked at yet", asked),
    ]
