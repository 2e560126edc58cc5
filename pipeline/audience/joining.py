"""Decides how somebody joins, leaves, comes back and chooses what they get.

Pure: what is known of a person and the moment go in, what is to be written
down comes out. Joining takes two steps (double opt-in): somebody asks with an
address, and whoever reads mail there confirms.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from enum import StrEnum

from pipeline.model import (
    BOUNCED,
    CAME_BY_FORM,
    Decision,
    Event,
    EventKind,
    LetterKind,
    Person,
    Preferences,
    Request,
    Subscriber,
    SubscriberState,
)

#: For how long a confirmation counts, and the way back for somebody who left.
CONFIRM_WITHIN = timedelta(hours=72)
UNDO_WITHIN = timedelta(minutes=10)
#: An address gets one answer to the form in so much time, whoever asks, and however often.
ONE_ANSWER_IN = timedelta(days=1)
#: By so much a clock of ours may have been wrong; a confirmation of a later moment would count for ever.
AHEAD = timedelta(hours=1)
#: Nobody pauses for longer.
LONGEST_PAUSE = timedelta(days=366)

#: What is remembered of asking by somebody who is not in, and not new either.
KNOWN_BEFORE = "by the form, being known already"
#: What is remembered of leaving that had nothing to be undone.
BEFORE_CONFIRMING = "before confirming"


class Stage(StrEnum):
    """How far somebody has come with a confirmation's link."""

    #: It can be confirmed.
    WAITING = "waiting"
    #: It was, this moment.
    CONFIRMED = "confirmed"
    #: It was before.
    ALREADY = "already"
    #: Too late, or they left since: they have to ask again.
    EXPIRED = "expired"


def answer(person: Person, request: Request, now: datetime) -> Decision:
    """Decide what follows from somebody typing an address into the form.

    Whoever is to confirm stands as before until they do: somebody who left has
    still left. An address whose owner complained, or that an editor suppressed,
    gets nothing, since anybody can type it.
    """
    last = person.last(EventKind.ASKED)
    if last is not None and abs(now - last.at) < ONE_ANSWER_IN:
        return Decision()
    if person.suppressed and not person.suppressed.startswith(BOUNCED):
        return Decision()
    known = person.subscriber
    if known and known.state is SubscriberState.CONFIRMED and not person.suppressed:
        return Decision(
            events=(Event(now, EventKind.ASKED, "by the form, being subscribed already"),),
            letters=((LetterKind.ALREADY, now),),
        )
    new = known or Subscriber(person.uid, request.email, request.name, SubscriberState.UNCONFIRMED, now)
    return Decision(
        subscriber=new,
        events=(Event(now, EventKind.ASKED, CAME_BY_FORM if known is None else KNOWN_BEFORE),),
        letters=((LetterKind.CONFIRMATION, now),),
    )


def stage(person: Person, asked_at: datetime, now: datetime) -> Stage:
    """Say what a confirmation that was asked for at that moment is still good for."""
    known = person.subscriber
    if known and known.state is SubscriberState.CONFIRMED and not person.suppressed:
        return Stage.ALREADY
    since = person.last(EventKind.LEFT, EventKind.COMPLAINED)
    refused = person.suppressed and not person.suppressed.startswith(BOUNCED)
    overtaken = since is not None and since.at >= asked_at
    if known is None or refused or overtaken or not -AHEAD <= now - asked_at <= CONFIRM_WITHIN:
        return Stage.EXPIRED
    return Stage.WAITING


def confirm(person: Person, asked_at: datetime, wording: str, now: datetime) -> Decision:
    """Decide what follows from confirming; nothing, unless it still can be.

    `wording` is what they were shown and agreed to. It is a fresh consent,
    also of somebody who left before, and proof that mail arrives there.
    """
    known = person.subscriber
    if known is None or stage(person, asked_at, now) is not Stage.WAITING:
        return Decision()
    # Who never left keeps what they had chosen; who did begins anew.
    stays = known.state is SubscriberState.CONFIRMED
    wants = known.preferences if stays else Preferences()
    return Decision(
        subscriber=replace(known, state=SubscriberState.CONFIRMED, since=now, preferences=wants),
        allow=True,
        events=(Event(now, EventKind.CONFIRMED, f"by the form: {wording}"),),
        letters=((LetterKind.WELCOME, now),),
    )


def leave(person: Person, way: str, now: datetime) -> Decision:
    """Decide what follows from leaving, `way` being how ("one click", "the page"); nothing if they have left."""
    known = person.subscriber
    if known is not None and _asks_again(person):
        # Written down, so that what they asked for counts no more.
        return Decision(events=(Event(now, EventKind.LEFT, BEFORE_CONFIRMING),))
    if known is None or known.state is SubscriberState.UNSUBSCRIBED:
        return Decision()
    was_in = known.state is SubscriberState.CONFIRMED
    return Decision(
        subscriber=replace(known, state=SubscriberState.UNSUBSCRIBED, since=now),
        events=(
            Event(now, EventKind.LEFT, way, stood_since=known.since)
            if was_in
            else Event(now, EventKind.LEFT, BEFORE_CONFIRMING),
        ),
    )


def _asks_again(person: Person) -> bool:
    """Tell whether somebody who left has asked since."""
    known, asked = person.subscriber, person.last(EventKind.ASKED)
    left = person.last(EventKind.LEFT, EventKind.COMPLAINED)
    has_left = known is not None and known.state is SubscriberState.UNSUBSCRIBED
    return has_left and asked is not None and (left is None or asked.at > left.at)


def undoable(person: Person, now: datetime) -> datetime | None:
    """Return the moment of leaving, if that can be taken back now."""
    left, known = person.last(EventKind.LEFT), person.subscriber
    if left is None or known is None or known.state is not SubscriberState.UNSUBSCRIBED or person.suppressed:
        return None
    fresh = left.at == known.since and timedelta() <= now - left.at <= UNDO_WITHIN
    return left.at if fresh and left.words != BEFORE_CONFIRMING else None


def undo(person: Person, left_at: datetime, now: datetime) -> Decision:
    """Decide what follows from taking back the leaving of that moment; nothing if it is too late."""
    at, known = undoable(person, now), person.subscriber
    if known is None or at is None or int(at.timestamp()) != int(left_at.timestamp()):
        return Decision()
    # As if nothing had happened: their consent is as old as it was.
    return Decision(
        subscriber=replace(known, state=SubscriberState.CONFIRMED, since=person.stood_since or now),
        events=(Event(now, EventKind.RETURNED),),
    )


def prefer(person: Person, wants: Preferences, now: datetime) -> Decision:
    """Decide what follows from other preferences; nothing for who is not in, or wants what they have."""
    known = person.subscriber
    until = wants.paused_until
    if until is not None:
        until = min(until, now + LONGEST_PAUSE) if until > now else None
    wants = Preferences(tuple(sorted(set(wants.categories))), wants.feed_only, until)
    if known is None or known.state is not SubscriberState.CONFIRMED or wants == known.preferences:
        return Decision()
    return Decision(
        subscriber=replace(known, preferences=wants), events=(Event(now, EventKind.CHOSE, described(wants)),)
    )


def described(wants: Preferences) -> str:
    """Say preferences in words, for an editor."""
    what = ", ".join(wants.categories) or "everything"
    if wants.feed_only:
        what = f"feeds only ({what})"
    return f"{what}, paused until {wants.paused_until:%Y-%m-%d}" if wants.paused_until else what
