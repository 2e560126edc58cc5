"""Whatever people do, in whatever order: nobody is a reader who did not say so after they last said no."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.audience import joining
from pipeline.audience.joining import Stage
from pipeline.model import (
    Decision,
    Event,
    EventKind,
    LetterKind,
    Person,
    Preferences,
    Request,
    SubscriberState,
)

NOW = datetime(2026, 11, 28, 9, 0, tzinfo=UTC)
STEPS = st.sampled_from(["ask", "confirm", "confirm first", "leave", "undo", "choose", "complain", "bounce"])
WAITS = st.sampled_from([1, 5, 9 * 60, 11 * 60, 3600, 25 * 3600, 73 * 3600])


def apply(person: Person, decision: Decision) -> Person:
    """What the store makes of a decision, in as many words."""
    suppressed = None if decision.allow else person.suppressed
    suppressed = suppressed or decision.suppress or None
    subscriber = decision.subscriber or person.subscriber
    return replace(
        person,
        subscriber=subscriber and replace(subscriber, suppressed=suppressed),
        suppressed=suppressed,
        events=(*reversed(decision.events), *person.events),
    )


@example([("ask", 1), ("confirm", 1), ("leave", 1), ("ask", 25 * 3600), ("leave", 1)])
@given(st.lists(st.tuples(STEPS, WAITS), max_size=25))
def test_no_order_of_steps_makes_a_reader_of_somebody_who_did_not_say_so(steps):
    person, now, letters = Person("0" * 32), NOW, []
    for step, wait in steps:
        now += timedelta(seconds=wait)
        asked = [at for kind, at in letters if kind is LetterKind.CONFIRMATION]
        left = person.last(EventKind.LEFT)
        decision = Decision()
        if step == "ask":
            decision = joining.answer(person, Request(1, "ana@example.com", "", now), now)
        elif step.startswith("confirm") and asked:
            at = asked[0] if step.endswith("first") else asked[-1]
            decision = joining.confirm(person, at, "Yes.", now)
        elif step == "leave":
            decision = joining.leave(person, "one click", now)
        elif step == "undo" and left:
            decision = joining.undo(person, left.at, now)
        elif step == "choose":
            decision = joining.prefer(person, Preferences(("bread",)), now)
        elif step == "complain" and person.subscriber:
            gone = replace(person.subscriber, state=SubscriberState.UNSUBSCRIBED, since=now)
            decision = Decision(gone, suppress="complained", events=(Event(now, EventKind.COMPLAINED),))
        elif step == "bounce":
            decision = Decision(suppress="bounced", events=(Event(now, EventKind.HARD_BOUNCE),))
        letters += decision.letters
        person = apply(person, decision)
        believe(person, letters)
        if step == "leave":
            asked = [at for kind, at in letters if kind is LetterKind.CONFIRMATION]
            assert Stage.WAITING not in [joining.stage(person, at, now) for at in asked]


def believe(person: Person, letters: list[tuple[LetterKind, datetime]]) -> None:
    answers = [at for kind, at in letters if kind is not LetterKind.WELCOME]
    assert all(later - earlier >= joining.ONE_ANSWER_IN for earlier, later in pairwise(answers))
    yes = person.last(EventKind.CONFIRMED, EventKind.RETURNED)
    no = person.last(EventKind.LEFT, EventKind.COMPLAINED)
    if person.subscriber and person.subscriber.state is SubscriberState.CONFIRMED:
        assert yes is not None
        assert no is None or no.at < yes.at
    if person.suppressed == "complained":
        assert person.subscriber.state is SubscriberState.UNSUBSCRIBED
        assert (
            joining.answer(person, Request(1, "ana@example.com", "", NOW), NOW + timedelta(days=999))
            == Decision()
        )


@given(st.timedeltas(timedelta(0), timedelta(days=9)))
def test_a_confirmation_is_good_for_what_its_page_said(later):
    person = apply(
        Person("0" * 32), joining.answer(Person("0" * 32), Request(1, "a@example.com", "", NOW), NOW)
    )
    said = joining.stage(person, NOW, NOW + later)
    did = joining.confirm(person, NOW, "Yes.", NOW + later)
    assert (said is Stage.WAITING) == (did.subscriber is not None) == (later <= joining.CONFIRM_WITHIN)


def test_preferences_are_said_in_words():
    assert joining.described(Preferences()) == "everything"
    until = datetime(2026, 12, 24, tzinfo=UTC)
    assert (
        joining.described(Preferences(("a", "b"), True, until))
        == "feeds only (a, b), paused until 2026-12-24"
    )
