"""Answers those who come: the form for an address, and the link by which its owner confirms."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from pipeline import subscribing
from pipeline.audience.addresses import LONGEST, normalise
from pipeline.audience.joining import Stage
from pipeline.deliver.trial import SAMPLE
from pipeline.deliver.trial import TOKEN as TRIAL
from pipeline.errors import AudienceError
from pipeline.model import IssueState, Person
from pipeline.web.pages import apart, masked

if TYPE_CHECKING:
    from starlette.responses import Response

    from pipeline.web.visit import Visit

#: The field that no person sees; programs fill in whatever there is.
TRAP = "topic"
MINUTE = 60
#: What stands for a token where there is no reader.
NOBODYS = (TRIAL, SAMPLE)


def form(visit: Visit) -> Response:
    """Show the form."""
    return _form(visit)


def ask(visit: Visit) -> Response:
    """Note that somebody asks with this address: the same answer after the same work, whoever that is."""
    pages, email = visit.pages, visit.field("email").strip()
    known = _is_address(email)
    if visit.from_elsewhere:
        # Any site can have its visitors' browsers post this; none can have them press our button, or read its own
        # words on our page.
        return _form(visit, email, once_more=True) if known else _form(visit)
    if not known:
        fault = pages.word("address_wrong" if email else "address_missing")
        return _form(visit, email, fault=fault, status=422)
    if visit.field(TRAP):
        return _asked(visit, email)
    wait = visit.limits.subscribe(visit.client)
    if wait:
        answer = pages.say_too_often(visit.place, math.ceil(wait / MINUTE))
        answer.headers["Retry-After"] = str(wait)
        return answer
    subscribing.ask(visit.project, email, "", visit.now)
    return _asked(visit, email)


def _is_address(text: str) -> bool:
    try:
        normalise(text)
    except AudienceError:
        return False
    return True


def _form(
    visit: Visit, email: str = "", *, fault: str = "", once_more: bool = False, status: int = 200
) -> Response:
    last = visit.project.store.last_issue()
    latest = None
    if last is not None and last.published and last.state is not IssueState.CANCELLED:
        url = visit.pages.issue(last.number, visit.place)
        latest = {"number": last.number, "subject": last.subject, "url": url}
    return visit.pages.respond(
        "subscribe",
        visit.pages.titled("subscribe"),
        visit.place,
        path="subscribe",
        status=status,
        email=email[: 2 * LONGEST],
        fault=fault,
        once_more=once_more,
        latest=latest,
        trap=TRAP,
    )


def _asked(visit: Visit, email: str) -> Response:
    another = ("another_address", f"{visit.place.up}subscribe")
    return visit.pages.say(
        "asked", visit.place, hint="asked_hint", link=another, email=apart(email[:LONGEST])
    )


def confirmation(visit: Visit) -> Response:
    """Show the button that confirms."""
    found = subscribing.asked(visit.project, visit.token, visit.now)
    if found is None:
        return wrong_link(visit)
    return stands(visit, found)


def confirm(visit: Visit) -> Response:
    """Take in who confirms."""
    if visit.from_elsewhere:
        return confirmation(visit)
    found = subscribing.confirm(visit.project, visit.token, visit.pages.consent, visit.now)
    if found is None:
        return wrong_link(visit)
    return stands(visit, found)


def stands(visit: Visit, found: subscribing.Joining) -> Response:
    """Show how far somebody has come."""
    pages, place, address = visit.pages, visit.place, address_of(found.person)
    if found.stage is Stage.WAITING:
        return pages.respond("confirm", pages.titled("confirm"), place, address=address)
    if found.stage is Stage.EXPIRED:
        return pages.say(
            "confirm_expired", place, status=410, button=("subscribe_again", f"{place.up}subscribe")
        )
    preferences = ("preferences", preferences_of(visit, found.person))
    what = "confirmed" if found.stage is Stage.CONFIRMED else "already"
    return pages.say(what, place, link=preferences, address=address)


def address_of(person: Person) -> str:
    """Return an address so that its owner knows which it is."""
    return masked(person.subscriber.email) if person.subscriber else ""


def preferences_of(visit: Visit, person: Person) -> str:
    """Return where somebody's preferences are."""
    token = visit.project.tokens.token(subscribing.PREFERENCES, person.uid)
    return f"{visit.place.up}preferences/{token}"


def wrong_link(visit: Visit) -> Response:
    """Answer a token that is not ours, or nobody's any more: always the same, but for a test copy's."""
    if visit.token in NOBODYS:
        return visit.pages.say("test_link", visit.place)
    return visit.pages.say_wrong_link(visit.place)
