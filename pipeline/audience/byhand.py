"""Decides what follows from an editor's word about one person.

Pure, as joining.py: what is known goes in, what is to be written comes out.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from pipeline.audience.joining import leave
from pipeline.model import Decision, Event, EventKind, Person, SubscriberState

#: How an event says by whom it came about.
BY_EDITOR = "by an editor"
#: A suppression that begins so is its owner's word.
COMPLAINED = "complained"


def added(_: Person, now: datetime) -> Decision:
    """Remember that an editor added them."""
    return Decision(events=(Event(now, EventKind.ADDED, BY_EDITOR),))


def removed(person: Person, now: datetime) -> Decision:
    """Decide what follows from an editor taking somebody off; nothing if they have left."""
    return leave(person, BY_EDITOR, now)


def allowed(person: Person, now: datetime) -> Decision:
    """Decide what follows from an editor lifting a suppression.

    Mail goes on as before: a bounce was about the mailbox, any other order was
    an editor's. But whoever complained said no themselves: they may ask again
    now, and get nothing until they do.
    """
    if person.suppressed is None:
        return Decision(allow=True)
    known = person.subscriber
    said_no = person.suppressed.startswith(COMPLAINED)
    stood_since = None
    if known and said_no and known.state is SubscriberState.CONFIRMED:
        stood_since = known.since
        known = replace(known, state=SubscriberState.UNSUBSCRIBED, since=now)
    words = f"{BY_EDITOR}; it was suppressed: {person.suppressed}"
    event = Event(now, EventKind.ALLOWED, words, stood_since=stood_since)
    return Decision(subscriber=known, allow=True, events=(event,))
