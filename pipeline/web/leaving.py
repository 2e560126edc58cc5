"""Answers those who leave: a mail program's own button, the link in the mail, and the way back for ten minutes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import PlainTextResponse, Response

from pipeline import subscribing
from pipeline.model import Person, SubscriberState
from pipeline.web.joining import address_of, preferences_of, wrong_link

if TYPE_CHECKING:
    from pipeline.web.visit import Visit

#: What a mail program posts (RFC 8058, 3.1).
ONE_CLICK = ("List-Unsubscribe", "One-Click")


def question(visit: Visit) -> Response:
    """Show the button, or that there is nothing to leave any more."""
    person = subscribing.reader(visit.project, subscribing.UNSUBSCRIBE, visit.token)
    if person is None or person.subscriber is None:
        return wrong_link(visit)
    if person.subscriber.state is SubscriberState.UNSUBSCRIBED:
        return left(visit, subscribing.left(visit.project, person.uid, visit.now))
    return button(visit, person)


def button(visit: Visit, person: Person) -> Response:
    """Show the button."""
    return visit.pages.respond(
        "leave",
        visit.pages.titled("leave"),
        visit.place,
        address=address_of(person),
        preferences=preferences_of(visit, person),
    )


def leave(visit: Visit) -> Response:
    """Let somebody leave, whatever else was posted: whoever has the token may. Or take it back."""
    back = visit.field("undo")
    if back:
        return _undo(visit, back)
    one_click = visit.field(ONE_CLICK[0]).strip() == ONE_CLICK[1]
    way = "one click" if one_click else "the page"
    found = subscribing.leave(visit.project, visit.token, way, visit.now)
    if found is None:
        return wrong_link(visit)
    if one_click:
        # No redirect and no cookie; a program reads this, if anybody (RFC 8058, 3.1).
        return PlainTextResponse(visit.pages.word("left_line") + "\n")
    # Of somebody who was forgotten there is nothing to show; a mail program is told that they are out, which is true.
    return left(visit, found) if found.person.subscriber else wrong_link(visit)


def left(visit: Visit, found: subscribing.Leaving) -> Response:
    """Show that somebody is out, and the way back if there still is one."""
    return visit.pages.say(
        "left",
        visit.place,
        hint="undo_hint" if found.undo else "",
        undo=found.undo,
        link=None if found.undo else ("subscribe_again", f"{visit.place.up}subscribe"),
        address=address_of(found.person),
    )


def _undo(visit: Visit, back: str) -> Response:
    person = subscribing.reader(visit.project, subscribing.UNSUBSCRIBE, visit.token)
    if person is None:
        return wrong_link(visit)
    taken_back = subscribing.undo(visit.project, visit.token, back, visit.now)
    # Pressed twice: it has been taken back before.
    is_in = person.subscriber and person.subscriber.state is not SubscriberState.UNSUBSCRIBED
    if taken_back or is_in:
        preferences = ("preferences", preferences_of(visit, person))
        return visit.pages.say("undone", visit.place, link=preferences, address=address_of(person))
    again = ("subscribe_again", f"{visit.place.up}subscribe")
    return visit.pages.say("undo_late", visit.place, status=410, button=again)
