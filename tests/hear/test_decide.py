"""Decisions about bounces and complaints: from what is known of a person, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from pipeline.audience import joining
from pipeline.hear.decide import decide
from pipeline.model import (
    BOUNCED,
    Decision,
    Event,
    EventKind,
    Heard,
    News,
    Nothing,
    Person,
    Subscriber,
    SubscriberState,
)

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
DAY = timedelta(days=1)
ANA = Subscriber("0" * 32, "ana@reader.example", "", SubscriberState.CONFIRMED, NOW - 100 * DAY)
PERSON = Person(ANA.uid, ANA)
HARD = Heard(News.HARD_BOUNCE, why="there is no such mailbox", words="550 5.1.1 no")
SOFT = Heard(News.SOFT_BOUNCE, why="the mailbox is full")
COMPLAINT = Heard(News.COMPLAINT, why="called it spam")


def test_a_hard_bounce_suppresses_at_once():
    assert decide(PERSON, HARD, NOW, 7) == Decision(
        suppress="bounced: there is no such mailbox",
        events=(Event(NOW, EventKind.HARD_BOUNCE, "there is no such mailbox: 550 5.1.1 no", 7),),
    )


def test_a_complaint_suppresses_at_once_and_no_form_lifts_that():
    decided = decide(PERSON, COMPLAINT, NOW, 7)
    assert decided.suppress == "complained"
    assert not decided.suppress.startswith(BOUNCED)
    suppressed = replace(PERSON, suppressed=decided.suppress)
    assert joining.answer(suppressed, joining.Request(1, ANA.email, "", NOW), NOW) == Decision()


def test_a_soft_bounce_is_only_remembered():
    assert decide(PERSON, SOFT, NOW, 7) == Decision(
        events=(Event(NOW, EventKind.SOFT_BOUNCE, "the mailbox is full", 7),)
    )


@pytest.mark.parametrize("heard", [HARD, SOFT, COMPLAINT])
def test_what_was_heard_of_an_issue_is_not_heard_of_it_again(heard):
    [event] = decide(PERSON, heard, NOW - DAY, 7).events
    again = replace(PERSON, events=(event,))
    assert decide(again, heard, NOW, 7) == Decision()
    assert decide(again, heard, NOW, 8) != Decision()


@pytest.mark.parametrize("heard", [HARD, SOFT, COMPLAINT])
def test_without_an_issue_it_counts_once_a_day(heard):
    [event] = decide(PERSON, heard, NOW, None).events
    again = replace(PERSON, events=(event,))
    assert decide(again, heard, NOW + timedelta(hours=1), None) == Decision()
    assert decide(again, heard, NOW + DAY, None) != Decision()


def test_what_bounced_before_a_fresh_confirmation_counts_no_more():
    bounces = tuple(Event(NOW - days * DAY, EventKind.SOFT_BOUNCE, "", days) for days in (7, 21, 40))
    assert decide(replace(PERSON, events=bounces), SOFT, NOW, 99).suppress
    confirmed = Event(NOW - 10 * DAY, EventKind.CONFIRMED)
    fresh = replace(PERSON, events=(bounces[0], confirmed, *bounces[1:]))
    assert decide(fresh, SOFT, NOW, 99).suppress == ""
    assert decide(replace(PERSON, events=(confirmed,)), HARD, NOW, 98, NOW - 11 * DAY) == Decision()
    assert decide(replace(PERSON, events=(confirmed,)), HARD, NOW, 98, NOW - 9 * DAY).suppress


@pytest.mark.parametrize("heard", [HARD, SOFT, COMPLAINT])
def test_nothing_follows_for_an_address_that_nobody_subscribed_with(heard):
    assert decide(Person("0" * 32), heard, NOW, 7) == Decision()


@pytest.mark.parametrize("nothing", list(Nothing))
def test_nothing_follows_from_nothing(nothing):
    assert decide(PERSON, Heard(News.NOTHING, nothing), NOW, 7) == Decision()
