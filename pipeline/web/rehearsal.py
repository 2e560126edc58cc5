"""Makes every page and letter once before the first reader comes, so that a fault in a theme is its editor's to see."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pipeline.audience.joining import Stage
from pipeline.letters import Letters
from pipeline.model import BOUNCED, Person, Subscriber, SubscriberState
from pipeline.subscribing import Joining, Leaving
from pipeline.web import choosing, joining, leaving
from pipeline.web.pages import SAID

if TYPE_CHECKING:
    from pipeline.web.visit import Visit


def rehearse(visit: Visit) -> None:
    """Make every page and letter for somebody who does not exist. Raises ThemeError; writes nothing."""
    uid = "0" * 32
    ana = Subscriber(uid, "ana@example.org", "Ana", SubscriberState.CONFIRMED, visit.now)
    person = Person(uid, ana)
    joining.form(visit)
    for stage in Stage:
        joining.stands(visit, Joining(person, stage))
    leaving.button(visit, person)
    for undo in ("", "a token"):
        leaving.left(visit, Leaving(person, undo))
    form = choosing.form_of(ana.preferences, visit.now)
    choosing.show(visit, person, form, dict.fromkeys(choosing.ANCHORS, "pause_wrong"))
    bounced = replace(person, suppressed=BOUNCED)
    choosing.show(visit, bounced, replace(form, what=choosing.SOME), saved=True)
    for what in SAID:
        visit.pages.say(what, visit.place, hint="asked_hint", address=ana.email, email=ana.email)
    visit.pages.say_too_often(visit.place, 2)
    visit.pages.say_wrong_link(visit.place)
    visit.pages.say_not_found(visit.place)
    for word in ("address_missing", "address_wrong", "what_missing", "categories_missing", "left_line"):
        visit.pages.word(word)
    Letters(visit.project).rehearse(visit.now)
