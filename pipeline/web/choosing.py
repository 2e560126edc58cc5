"""Answers those who choose what they get: everything, some categories, a pause, or feeds alone."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING

from pipeline import subscribing
from pipeline.audience.joining import LONGEST_PAUSE
from pipeline.model import BOUNCED, Person, Preferences, SubscriberState
from pipeline.web.joining import address_of, wrong_link

if TYPE_CHECKING:
    from starlette.responses import Response

    from pipeline.web.visit import Visit

#: What can be chosen as to mail.
ALL, SOME, FEED = "all", "some", "feed"
#: Field -> where its fault's link leads.
ANCHORS = {"what": "what-all", "categories": "category-1", "until": "until"}


@dataclass(frozen=True, slots=True)
class Form:
    """What stands in the form."""

    what: str
    categories: Collection[str]
    #: As a browser writes a day, like 2026-01-31; "" for no pause.
    until: str


@dataclass(frozen=True, slots=True)
class Bounds:
    """What can be chosen."""

    #: Slug -> name.
    categories: Mapping[str, str]
    #: First and last day that a pause may end on.
    first: date
    last: date


def form_of(wants: Preferences, now: datetime) -> Form:
    """Return the form that says what stands."""
    until = wants.paused_until
    day = until.astimezone(now.tzinfo).date().isoformat() if until and until > now else ""
    what = FEED if wants.feed_only else SOME if wants.categories else ALL
    return Form(what, wants.categories, day)


def read(fields: Mapping[str, Sequence[str]], bounds: Bounds) -> tuple[Form, dict[str, str]]:
    """Read what was posted; what is wrong with it by field, as keys of words."""
    what = fields.get("what", [""])[-1]
    ticked = [slug for slug in bounds.categories if slug in fields.get("category", ())]
    until = fields.get("until", [""])[-1].strip()
    faults = {}
    if what not in (ALL, SOME, FEED):
        faults["what"] = "what_missing"
    if what == SOME and not ticked:
        faults["categories"] = "categories_missing"
    if until and not _within(until, bounds):
        faults["until"] = "pause_wrong"
    return Form(what, ticked, until), faults


def wanted(form: Form, now: datetime) -> Preferences:
    """Return the preferences that a form without faults asks for; days begin in the zone of `now`."""
    until = datetime.combine(date.fromisoformat(form.until), time(), now.tzinfo) if form.until else None
    categories = () if form.what == ALL else tuple(sorted(form.categories))
    return Preferences(categories, form.what == FEED, until)


def _within(day: str, bounds: Bounds) -> bool:
    try:
        return len(day) == 10 and bounds.first <= date.fromisoformat(day) <= bounds.last
    except ValueError:
        return False


def form(visit: Visit) -> Response:
    """Show what stands."""
    person = subscribing.reader(visit.project, subscribing.PREFERENCES, visit.token)
    if person is None or person.subscriber is None:
        return wrong_link(visit)
    return show(visit, person, form_of(person.subscriber.preferences, visit.now))


def choose(visit: Visit) -> Response:
    """Write down what somebody chose, and show it."""
    person = subscribing.reader(visit.project, subscribing.PREFERENCES, visit.token)
    if person is None or person.subscriber is None:
        return wrong_link(visit)
    form, faults = read(visit.fields, _bounds(visit, person.subscriber.preferences))
    if faults or visit.from_elsewhere:
        return show(visit, person, form, faults)
    stands = subscribing.prefer(visit.project, visit.token, wanted(form, visit.now), visit.now)
    if stands is None or stands.subscriber is None:
        return wrong_link(visit)
    return show(visit, stands, form_of(stands.subscriber.preferences, visit.now), saved=True)


def _bounds(visit: Visit, stands: Preferences) -> Bounds:
    """Say what can be chosen: the categories that posts have now, and those that were chosen when they had."""
    offered = dict(visit.categories())
    for slug in stands.categories:
        offered.setdefault(slug, slug)
    today = visit.now.date()
    return Bounds(offered, today + timedelta(days=1), today + LONGEST_PAUSE - timedelta(days=1))


def show(
    visit: Visit, person: Person, form: Form, faults: Mapping[str, str] | None = None, *, saved: bool = False
) -> Response:
    """Show a form, what is wrong with it, and whether it was saved."""
    pages, place = visit.pages, visit.place
    if person.subscriber is None or person.subscriber.state is not SubscriberState.CONFIRMED:
        again = ("subscribe_again", f"{place.up}subscribe")
        return pages.say("left", place, link=again, address=address_of(person))
    bounds = _bounds(visit, person.subscriber.preferences)
    days = {"first": pages.day(bounds.first), "last": pages.day(bounds.last)}
    said = {field: pages.word(key, **days) for field, key in (faults or {}).items()}
    return pages.respond(
        "preferences",
        pages.titled("preferences"),
        place,
        status=422 if faults else 200,
        address=address_of(person),
        form={"what": form.what, "categories": list(form.categories), "until": form.until},
        faults={field: said.get(field, "") for field in ANCHORS},
        wrong=[{"at": ANCHORS[field], "text": text} for field, text in said.items()],
        saved=saved,
        # Only who bounced can come back by the form.
        subscribe_again=f"{place.up}subscribe" if (person.suppressed or "").startswith(BOUNCED) else "",
        categories=[{"slug": slug, "name": name} for slug, name in bounds.categories.items()],
        first=bounds.first.isoformat(),
        last=bounds.last.isoformat(),
        leave=f"{place.up}unsubscribe/{visit.project.tokens.token(subscribing.UNSUBSCRIBE, person.uid)}",
    )
