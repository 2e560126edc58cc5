"""Decides what follows from what was heard of a reader: a line in their history, and perhaps no more mail.

Pure. Who the reader is was found by evidence; here it counts what is known of
them, and that nothing counts twice.
"""

from __future__ import annotations

from datetime import datetime

from pipeline.hear.rules import SoftBounce, judge
from pipeline.model import BOUNCED, Decision, Event, EventKind, Heard, News, Person

COMPLAINED = "complained"

KINDS = {
    News.HARD_BOUNCE: EventKind.HARD_BOUNCE,
    News.SOFT_BOUNCE: EventKind.SOFT_BOUNCE,
    News.COMPLAINT: EventKind.COMPLAINED,
}
#: After these, what bounced before says nothing any more: mail arrived there, or an editor said so.
_FRESH = (EventKind.CONFIRMED, EventKind.ALLOWED, EventKind.ADDED)


def decide(
    person: Person, heard: Heard, now: datetime, issue: int | None = None, sent: datetime | None = None
) -> Decision:
    """Decide about a bounce or a complaint; `issue` is the one whose copy it is about, `sent` since when it went out.

    Nothing follows if nobody subscribed with the address, if the same was
    heard before, or if it is about a copy from before a fresh confirmation.
    Leaving by mail is leaving, which audience/joining.py decides.
    """
    kind = KINDS.get(heard.news)
    if kind is None or person.subscriber is None or _known(person, kind, issue, now):
        return Decision()
    fresh = person.last(*_FRESH)
    if kind is not EventKind.COMPLAINED and fresh and sent and sent < fresh.at:
        return Decision()
    event = Event(now, kind, in_words(heard), issue)
    return Decision(suppress=_reason(person, heard, event, fresh, now), events=(event,))


def in_words(heard: Heard) -> str:
    """Say what was heard, for whoever reads a person's history."""
    return f"{heard.why}: {heard.words}" if heard.words else heard.why


def _known(person: Person, kind: EventKind, issue: int | None, now: datetime) -> bool:
    """Tell whether this was heard before: of that issue, or where nobody knows of which, on that day."""
    if issue is None:
        return any(event.kind is kind and event.at.date() == now.date() for event in person.events)
    return any(event.kind is kind and event.issue == issue for event in person.events)


def _reason(person: Person, heard: Heard, event: Event, fresh: Event | None, now: datetime) -> str:
    """Return why mail to the address is suppressed from now on; "" if it is not."""
    if heard.news is News.COMPLAINT:
        return COMPLAINED
    if heard.news is News.HARD_BOUNCE:
        return f"{BOUNCED}: {heard.why}"
    before = [
        SoftBounce(each.at, each.issue)
        for each in person.events
        if each.kind is EventKind.SOFT_BOUNCE and (fresh is None or each.at > fresh.at)
    ]
    again = judge(before, SoftBounce(event.at, event.issue), now)
    return f"{BOUNCED} again and again: {heard.why}" if again else ""
