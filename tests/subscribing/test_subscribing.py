"""Readers come, choose and go by the links they hold, and by nothing else."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from support.letter import SECRET

from pipeline import readership, subscribing
from pipeline.audience.joining import Stage
from pipeline.audience.tokens import InstallationTokens
from pipeline.errors import AudienceError
from pipeline.model import Decision, Event, EventKind, LetterKind, Preferences, SubscriberState
from pipeline.project import open_project
from pipeline.store import people

ANA = "ana@example.com"
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
WORDING = "Yes, send me The Headache Letter."


def asks(project, email=ANA, now=None):
    subscribing.ask(project, email, "", now or project.now)
    for request in project.store.requests(10):
        subscribing.answer(project, request, now or project.now)
    return [
        letter.kind for letter in project.store.letters(10) if letter.email.casefold() == email.casefold()
    ]


def confirmation(project, at=None, email=ANA):
    """The token in the confirmation that was sent at that moment."""
    return project.tokens.dated("confirm", project.tokens.uid(email), at or project.now)


def token(project, purpose="unsubscribe", email=ANA):
    return project.tokens.token(purpose, project.tokens.uid(email))


def state(project, email=ANA):
    return project.store.subscriber(email).state


@pytest.fixture
def ana(project):
    """Ana has asked and confirmed; no letter waits."""
    asks(project)
    subscribing.confirm(project, confirmation(project), WORDING, project.now + MINUTE)
    for letter in project.store.letters(10):
        project.store.settle_letter(letter, None, DAY)
    return project


def test_who_asks_and_confirms_is_a_reader_with_their_consent_on_record(project):
    assert asks(project) == [LetterKind.CONFIRMATION]
    assert state(project) is SubscriberState.UNCONFIRMED
    assert project.store.readers() == 0
    found = subscribing.asked(project, confirmation(project), project.now + HOUR)
    assert found.stage is Stage.WAITING
    assert project.store.readers() == 0
    done = subscribing.confirm(project, confirmation(project), WORDING, project.now + HOUR)
    assert (done.stage, done.person.subscriber.state) == (Stage.CONFIRMED, SubscriberState.CONFIRMED)
    assert [one.kind for one in project.store.letters(10)] == [LetterKind.CONFIRMATION, LetterKind.WELCOME]
    consent = project.store.everything(ANA).person.last(EventKind.CONFIRMED)
    assert (consent.at, consent.words) == (project.now + HOUR, f"by the form: {WORDING}")
    again = subscribing.confirm(project, confirmation(project), "Other words.", project.now + 2 * HOUR)
    assert again.stage is Stage.ALREADY
    assert project.store.everything(ANA).person.last(EventKind.CONFIRMED) == consent


def test_an_address_gets_one_answer_a_day_however_often_it_is_typed(project):
    for minute in range(0, 24 * 60, 60):
        asks(project, now=project.now + minute * MINUTE)
        asks(project, "ANA@example.com", now=project.now + minute * MINUTE)
    assert len(project.store.letters(100)) == 1
    assert len(asks(project, now=project.now + DAY)) == 2


def test_a_reader_who_asks_again_is_told_so_once_a_day(ana):
    assert asks(ana, now=ana.now + 2 * HOUR) == []
    assert asks(ana, now=ana.now + DAY) == [LetterKind.ALREADY]
    assert state(ana) is SubscriberState.CONFIRMED


@pytest.mark.parametrize(
    ("later", "stage"), [(72 * HOUR, Stage.CONFIRMED), (72 * HOUR + MINUTE, Stage.EXPIRED)]
)
def test_a_confirmation_counts_for_three_days(project, later, stage):
    asks(project)
    assert subscribing.confirm(project, confirmation(project), WORDING, project.now + later).stage is stage


def test_what_is_no_address_is_said_at_once(project):
    with pytest.raises(AudienceError, match="an @ in it"):
        subscribing.ask(project, "ana", "", project.now)
    assert project.store.requests(10) == []


def test_a_link_opens_one_door_of_one_reader(ana):
    asks(ana, "bo@example.com")
    assert subscribing.leave(ana, token(ana, "preferences"), "the page", ana.now) is None
    assert subscribing.reader(ana, "preferences", token(ana)) is None
    assert subscribing.prefer(ana, token(ana), Preferences(("bread",)), ana.now) is None
    assert subscribing.confirm(ana, token(ana), WORDING, ana.now) is None
    assert subscribing.asked(ana, ana.tokens.dated("undo", ana.tokens.uid(ANA), ana.now), ana.now) is None
    nobodys = subscribing.leave(ana, token(ana, email="nobody@example.com"), "the page", ana.now)
    assert (nobodys.person.subscriber, nobodys.undo) == (None, "")
    bos = ana.tokens.dated("undo", ana.tokens.uid("bo@example.com"), ana.now)
    subscribing.leave(ana, token(ana), "one click", ana.now + HOUR)
    assert not subscribing.undo(ana, token(ana), bos, ana.now + HOUR)
    assert state(ana) is SubscriberState.UNSUBSCRIBED


def test_leaving_is_one_step_and_can_be_taken_back_for_ten_minutes(ana):
    at = ana.now + HOUR
    first = subscribing.leave(ana, token(ana), "the page", at)
    second = subscribing.leave(ana, token(ana), "the page", at + 9 * MINUTE)
    assert first.undo == second.undo != ""
    assert ana.store.readers() == 0
    assert subscribing.left(ana, ana.tokens.uid(ANA), at + 11 * MINUTE).undo == ""
    assert not subscribing.undo(ana, token(ana), first.undo, at + 11 * MINUTE)
    assert subscribing.undo(ana, token(ana), first.undo, at + 10 * MINUTE)
    assert ana.store.readers() == 1
    assert not subscribing.undo(ana, token(ana), first.undo, at + 10 * MINUTE)
    kinds = [event.kind for event in ana.store.everything(ANA).person.events]
    assert kinds[:2] == [EventKind.RETURNED, EventKind.LEFT]


def test_taking_back_an_earlier_leaving_does_not_undo_a_later_one(ana):
    first = subscribing.leave(ana, token(ana), "the page", ana.now + HOUR)
    subscribing.undo(ana, token(ana), first.undo, ana.now + HOUR + MINUTE)
    subscribing.leave(ana, token(ana), "one click", ana.now + HOUR + 2 * MINUTE)
    assert not subscribing.undo(ana, token(ana), first.undo, ana.now + HOUR + 3 * MINUTE)


def test_a_link_to_leave_works_after_two_years_and_another_secret(ana):
    old = token(ana)
    ana.store.close_database()
    environ = {
        "NEWSLETTER_SECRET": "a newer secret, long enough too",
        "NEWSLETTER_SECRET_OLD": "not the one",
    }
    assert subscribing.reader(open_project(ana.root, environ=environ), "unsubscribe", old) is None
    (ana.root / ".newsletter/secret.old").write_text(SECRET)
    del environ["NEWSLETTER_SECRET_OLD"]
    new = open_project(ana.root, "2028-01-04T08:00", environ)
    assert subscribing.leave(new, old, "one click", new.now).person.subscriber.email == ANA
    assert new.store.readers() == 0


def test_coming_back_after_leaving_needs_a_fresh_consent(ana):
    subscribing.prefer(ana, token(ana, "preferences"), Preferences(("bread",)), ana.now + HOUR)
    subscribing.leave(ana, token(ana), "one click", ana.now + 2 * HOUR)
    assert subscribing.confirm(ana, confirmation(ana), WORDING, ana.now + 3 * HOUR).stage is Stage.EXPIRED
    later = ana.now + 2 * DAY
    assert asks(ana, now=later) == [LetterKind.CONFIRMATION]
    assert state(ana) is SubscriberState.UNSUBSCRIBED
    back = subscribing.confirm(ana, confirmation(ana, later), "Newer words.", later + HOUR)
    assert back.stage is Stage.CONFIRMED
    assert back.person.subscriber.preferences == Preferences()
    assert back.person.last(EventKind.CONFIRMED).words == "by the form: Newer words."


def test_who_left_asked_again_and_leaves_again_has_said_no_to_that(ana):
    now = ana.now + HOUR
    subscribing.leave(ana, token(ana), "the page", now)
    asks(ana, now=now + 2 * DAY)
    again = confirmation(ana, now + 2 * DAY)
    assert subscribing.asked(ana, again, now + 3 * DAY).stage is Stage.WAITING
    for _ in range(2):  # a mail program that got no answer asks again
        left = subscribing.leave(ana, token(ana), "one click", now + 3 * DAY)
        assert left.undo == ""
    assert subscribing.asked(ana, again, now + 3 * DAY).stage is Stage.EXPIRED
    assert subscribing.confirm(ana, again, WORDING, now + 3 * DAY).stage is Stage.EXPIRED
    assert state(ana) is SubscriberState.UNSUBSCRIBED
    told = [event.words for event in left.person.events if event.kind is EventKind.LEFT]
    assert told == ["before confirming", "the page"]
    # They can still come back, by asking anew.
    asks(ana, now=now + 4 * DAY)
    assert subscribing.confirm(
        ana, confirmation(ana, now + 4 * DAY), WORDING, now + 4 * DAY + MINUTE
    ).stage is (Stage.CONFIRMED)


def test_a_confirmation_of_a_time_to_come_counts_for_nothing(project):
    asks(project)
    for ahead, stage in ((HOUR, Stage.WAITING), (HOUR + MINUTE, Stage.EXPIRED), (1000 * DAY, Stage.EXPIRED)):
        link = confirmation(project, project.now + ahead)
        assert subscribing.asked(project, link, project.now).stage is stage
    assert subscribing.confirm(project, link, WORDING, project.now).stage is Stage.EXPIRED
    assert state(project) is SubscriberState.UNCONFIRMED


@pytest.mark.parametrize(
    ("reason", "letters", "stage"),
    [("bounced: 5.1.1", [LetterKind.CONFIRMATION], Stage.CONFIRMED), ("complained", [], Stage.EXPIRED)],
)
def test_a_mailbox_that_bounced_may_come_back_and_who_complained_is_left_alone(ana, reason, letters, stage):
    ana.store.decide(ANA, lambda _: Decision(suppress=reason))
    later = ana.now + DAY
    assert asks(ana, now=later) == letters
    assert subscribing.confirm(ana, confirmation(ana, later), WORDING, later).stage is stage
    assert ana.store.readers() == (1 if letters else 0)


def test_preferences_are_kept_in_order_and_within_bounds(ana):
    now, mine = ana.now + HOUR, token(ana, "preferences")
    chosen = Preferences(("weather", "bread", "weather"), paused_until=now + 10_000 * DAY)
    person = subscribing.prefer(ana, mine, chosen, now)
    wants = person.subscriber.preferences
    assert (wants.categories, wants.paused_until) == (("bread", "weather"), now + 366 * DAY)
    assert person.events[0].words == "bread, weather, paused until 2027-01-05"
    assert len(subscribing.prefer(ana, mine, wants, now).events) == len(person.events)
    past = subscribing.prefer(ana, mine, Preferences(paused_until=now), now)
    assert past.subscriber.preferences == Preferences()


def test_who_has_left_chooses_nothing(ana):
    subscribing.leave(ana, token(ana), "one click", ana.now)
    person = subscribing.prefer(ana, token(ana, "preferences"), Preferences(("bread",)), ana.now)
    assert (person.subscriber.state, person.subscriber.preferences) == (
        SubscriberState.UNSUBSCRIBED,
        Preferences(),
    )


def test_a_link_of_somebody_forgotten_opens_nothing(ana):
    ana.store.forget(ANA, ana.now)
    assert subscribing.leave(ana, token(ana), "one click", ana.now).person.subscriber is None
    assert subscribing.asked(ana, confirmation(ana), ana.now) is None
    assert asks(ana, now=ana.now) == [LetterKind.CONFIRMATION]


def test_what_can_be_chosen_are_the_categories_of_the_posts(project):
    assert subscribing.choosable(project) == (
        ("alternative-therapies", "Alternative Therapies"),
        *[pair for pair in subscribing.choosable(project) if pair[0] != "alternative-therapies"],
    )
    assert len(subscribing.choosable(project)) > 1


def test_an_editor_who_removes_somebody_unconfirmed_leaves_nothing_to_take_back(project):
    asks(project)
    readership.remove(project, ANA)
    assert state(project) is SubscriberState.UNSUBSCRIBED
    assert subscribing.left(project, project.tokens.uid(ANA), project.now).undo == ""


def test_who_complains_after_leaving_is_not_brought_back_by_undoing_that(ana):
    at = ana.now + HOUR
    way_back = subscribing.leave(ana, token(ana), "one click", at).undo
    gone = replace(ana.store.subscriber(ANA), since=at + MINUTE)
    ana.store.decide(ANA, lambda _: Decision(gone, events=(Event(at + MINUTE, EventKind.COMPLAINED),)))
    assert not subscribing.undo(ana, token(ana), way_back, at + 2 * MINUTE)


def test_who_is_suppressed_by_a_list_is_offered_no_way_back(ana):
    at = ana.now + HOUR
    said = replace(
        ana.store.subscriber(ANA), state=SubscriberState.UNSUBSCRIBED, since=at, suppressed="complained"
    )
    ana.store.put_subscribers([said])
    assert state(ana) is SubscriberState.UNSUBSCRIBED
    assert subscribing.left(ana, ana.tokens.uid(ANA), at + MINUTE).undo == ""


def test_who_was_forgotten_and_came_back_under_another_secret_still_leaves_by_an_old_link(
    project, monkeypatch
):
    old = token(project)
    readership.add(project, ANA, "Ana")
    readership.add(project, "cleo@example.com", "Cleo")
    changed = open_project(
        project.root,
        "2026-01-04T08:00",
        {"NEWSLETTER_SECRET": "quite another secret, long enough", "NEWSLETTER_SECRET_OLD": SECRET},
    )
    readership.forget(changed, ANA)
    monkeypatch.setattr(people, "SKEW", 0)
    left = subscribing.leave(changed, old, "one click", changed.now)
    assert left.person.subscriber is None
    # Asked again and again, it is not looked for among all of them again.
    with monkeypatch.context() as patch:
        patch.setattr(
            InstallationTokens, "uids", lambda _, email: ("x", "y") if email == "" else pytest.fail(email)
        )
        assert subscribing.reader(changed, "unsubscribe", old) is None
    readership.allow(changed, ANA)
    readership.add(changed, ANA, "Ana")
    readership.add(changed, "bo@example.com", "Bo")
    assert token(changed) != old
    assert subscribing.reader(changed, "unsubscribe", old).subscriber.email == ANA
    left = subscribing.leave(changed, old, "one click", changed.now)
    assert (left.person.subscriber.email, state(changed)) == (ANA, SubscriberState.UNSUBSCRIBED)
    assert state(changed, "bo@example.com") is SubscriberState.CONFIRMED
    assert subscribing.undo(changed, old, left.undo, changed.now)
    assert state(changed) is SubscriberState.CONFIRMED
    changed.store.close_database()
