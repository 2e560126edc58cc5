"""Since when somebody agrees, and how, is told truthfully, whatever they and their editor do afterwards."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from pipeline import importing, readership, subscribing
from pipeline.cli.person import consent
from pipeline.model import Decision, EventKind, SubscriberState

ANA = "ana@example.com"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
AGREED = datetime(2024, 5, 5, tzinfo=UTC)
BY_A_LIST = "with a list that was imported"


def take_in(project, row, header="email,confirmed"):
    path = project.root / "list.csv"
    path.write_text(f"{header}\n{row}\n", encoding="utf-8")
    return importing.take_in(project, {"list.csv": path}, lambda *_: None)


def ask(project, now=None):
    subscribing.ask(project, ANA, "", now or project.now)
    for request in project.store.requests(10):
        subscribing.answer(project, request, now or project.now)


def told(project):
    return consent(readership.known(project, ANA).everything.person)


def token(project):
    return project.tokens.token("unsubscribe", project.tokens.uid(ANA))


LEAVING = {
    "the page": lambda project: subscribing.leave(project, token(project), "the page", project.now + HOUR),
    "an editor": lambda project: readership.remove(project, ANA),
    "a list": lambda project: take_in(project, f"{ANA},2025-01-01", "email,unsubscribed_at"),
    "a complaint": lambda project: (
        project.store.decide(ANA, lambda _: Decision(suppress="complained")),
        readership.allow(project, ANA),
    ),
}


@pytest.mark.parametrize("way", LEAVING)
@pytest.mark.parametrize("asked", [False, True])
def test_who_came_with_a_list_and_left_had_agreed_on_the_day_that_the_list_said(project, way, asked):
    take_in(project, f"{ANA},2024-05-05T00:00Z")
    if asked:
        ask(project)
    assert told(project) == (AGREED, BY_A_LIST)
    LEAVING[way](project)
    assert project.store.subscriber(ANA).state is SubscriberState.UNSUBSCRIBED
    assert told(project) == (AGREED, BY_A_LIST)
    ask(project, project.now + 2 * DAY)
    assert told(project) == (AGREED, BY_A_LIST)


def test_taking_back_that_one_left_leaves_the_day_of_consent_as_it_was(project):
    take_in(project, f"{ANA},2024-05-05T00:00Z")
    for hours in (1, 2):
        left = subscribing.leave(project, token(project), "the page", project.now + hours * HOUR)
        assert project.store.subscriber(ANA).since == project.now + hours * HOUR
        assert subscribing.undo(project, token(project), left.undo, project.now + hours * HOUR)
        assert project.store.subscriber(ANA).since == AGREED
    assert told(project) == (AGREED, BY_A_LIST)


def test_who_came_by_the_form_and_never_confirmed_has_not_agreed(project):
    ask(project)
    assert told(project) == (None, "asked by the form, not confirmed")
    readership.remove(project, ANA)
    assert told(project) == (None, "asked by the form, not confirmed")


def test_who_was_on_a_list_as_unconfirmed_did_not_come_by_the_form(project):
    take_in(project, f"{ANA},unconfirmed", "email,status")
    ask(project)
    assert told(project) == (None, f"{BY_A_LIST}, not confirmed")
    assert project.store.erase_unconfirmed(project.now + 60 * DAY, 10) == 0


def test_a_consent_by_the_form_counts_whatever_an_editor_says_later(project):
    take_in(project, f"{ANA},2024-05-05T00:00Z")
    readership.remove(project, ANA)
    later = project.now + 2 * DAY
    ask(project, later)
    confirmation = project.tokens.dated("confirm", project.tokens.uid(ANA), later)
    subscribing.confirm(project, confirmation, "Yes.", later + HOUR)
    assert told(project) == (later + HOUR, "by the form: Yes.")
    readership.add(project, ANA, "Ana")
    assert told(project) == (later + HOUR, "by the form: Yes.")
    subscribing.leave(project, token(project), "one click", later + DAY)
    assert told(project) == (later + HOUR, "by the form: Yes.")
    left = readership.known(project, ANA).everything.person.last(EventKind.LEFT)
    assert left.stood_since == later + HOUR
