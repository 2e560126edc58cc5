"""One person at a time: what is decided is written down whole, what is known is shown, who is forgotten is gone."""

from __future__ import annotations

from datetime import timedelta

import pytest
from support.ledger import NOW, TOKENS, answer, arm, frozen, record, subscriber

from pipeline.model import (
    CAME_BY_FORM,
    Audience,
    Counts,
    Decision,
    DeliveryState,
    Event,
    EventKind,
    LetterKind,
    Outcome,
    Preferences,
    Skip,
)
from pipeline.model import SubscriberState as S
from pipeline.store.driver import DRIVER

ANA = "ana@example.com"
DAY = timedelta(days=1)
FILE = ".newsletter/newsletter.db"


def wants(store, email, **what):
    store.decide(email, lambda _: Decision(subscriber=subscriber(email, preferences=Preferences(**what))))


def test_a_decision_is_written_down_whole_and_read_back(store, opened):
    ana = subscriber(
        "Ana@example.com", name="Aña", preferences=Preferences(("bread", "weather"), paused_until=NOW)
    )
    event = Event(NOW, EventKind.CONFIRMED, "by the form: “Yes, send it.”")
    store.decide(ana.email, lambda _: Decision(ana, events=(event,), letters=((LetterKind.WELCOME, NOW),)))
    seen = opened().everything("ANA@example.com")
    assert (seen.person.subscriber, seen.person.events, seen.person.suppressed) == (ana, (event,), None)
    assert [(one.kind, one.email, one.name, one.at) for one in seen.letters] == [
        (LetterKind.WELCOME, "Ana@example.com", "Aña", NOW)
    ]
    assert opened().subscriber(ANA) == ana


def test_a_decision_that_fails_leaves_nothing_behind(store):
    def twice(_):
        # The second letter cannot be written, after everything else was.
        return Decision(subscriber(ANA), events=(Event(NOW, EventKind.ASKED),), letters=((None, NOW),))

    with pytest.raises(Exception, match=r"(?i)null"):
        store.decide(ANA, twice)


def test_a_decision_is_shown_what_happened_before_the_newest_first(store):
    for day in range(3):
        store.decide(
            ANA, lambda _, day=day: Decision(events=(Event(NOW + day * DAY, EventKind.SOFT_BOUNCE),))
        )
    store.decide("bo@example.com", lambda _: Decision(events=(Event(NOW, EventKind.LEFT),)))
    seen = []
    store.decide(ANA, lambda person: seen.append(person) or Decision())
    assert [event.at for event in seen[0].events] == [NOW + 2 * DAY, NOW + DAY, NOW]
    assert seen[0].subscriber is None
    assert seen[0].uid == TOKENS.uid(ANA)


def test_somebody_is_found_by_their_id_and_nobody_by_nobodys(store):
    store.put_subscribers([subscriber(ANA)])
    assert store.person(TOKENS.uid(ANA)).subscriber.email == ANA
    assert store.person(TOKENS.uid("bo@example.com")) is None
    called = []
    assert store.decide_by_uid(TOKENS.uid("bo@example.com"), called.append) is None
    assert not called


def test_a_suppression_is_made_once_and_lifted_whole(store):
    store.put_subscribers([subscriber(ANA)])
    store.decide(ANA, lambda _: Decision(suppress="bounced"))
    store.decide(ANA, lambda _: Decision(suppress="complained"))
    assert store.subscriber(ANA).suppressed == "bounced"
    store.decide(ANA, lambda _: Decision(allow=True))
    assert (store.subscriber(ANA).suppressed, store.readers()) == (None, 1)


def test_an_issue_goes_to_those_who_want_mail_on_its_day(store):
    store.put_subscribers(subscriber(f"r{n}@example.com") for n in range(7))
    wants(store, "r0@example.com", feed_only=True)
    wants(store, "r1@example.com", paused_until=NOW + timedelta(seconds=1))
    wants(store, "r2@example.com", paused_until=NOW)
    wants(store, "r3@example.com", categories=("bread", "weather"))
    store.decide("r4@example.com", lambda _: Decision(suppress="bounced"))
    wants(store, "r5@example.com", feed_only=True)
    store.decide("r5@example.com", lambda _: Decision(suppress="bounced"))
    assert store.audience(NOW) == Audience(
        {"": 2, "bread weather": 1}, {Skip.SUPPRESSED: 2, Skip.FEED_ONLY: 1, Skip.PAUSED: 1}
    )
    assert store.audience(NOW + DAY).choices == {"": 3, "bread weather": 1}
    assert store.freeze(frozen(), [], NOW) == 3


def test_preferences_that_ask_for_everything_again_leave_no_trace(store, tmp_path):
    wants(store, ANA, categories=("bread",))
    wants(store, ANA)
    assert store.subscriber(ANA).preferences == Preferences()
    with DRIVER.connect(tmp_path / FILE) as connection:
        assert connection.execute("SELECT count(*) FROM preferences").fetchone() == (0,)
    connection.close()


@pytest.mark.parametrize("change", [{"feed_only": True}, {"paused_until": NOW + DAY}])
def test_who_wants_no_mail_any_more_gets_none_that_is_not_armed_yet(sending, change):
    one, two = sending.lease(1, "run", 2)
    wants(sending, one.recipient.email, **change)
    wants(sending, two.recipient.email, paused_until=NOW)
    assert [arm(sending, delivery, "run") for delivery in (one, two)] == [False, True]
    assert sending.counts(1) == Counts(readers=5, queued=4, withdrawn=1)


def test_who_asked_long_ago_and_never_confirmed_is_erased_and_nobody_else(store):
    asked, confirmed = Event(NOW, EventKind.ASKED, CAME_BY_FORM), Event(NOW, EventKind.CONFIRMED)
    # All at the same moment: what is known of somebody, not a clock, says which came first.
    known = Event(NOW, EventKind.ASKED, "by the form, being known already")
    again = Event(NOW + DAY, EventKind.ASKED)
    people = {
        "asked": (S.UNCONFIRMED, (asked,)),
        "also": (S.UNCONFIRMED, (asked, Event(NOW + DAY, EventKind.SOFT_BOUNCE))),
        "again": (S.UNCONFIRMED, (asked, again)),
        "imported": (S.UNCONFIRMED, ()),
        "typed": (S.UNCONFIRMED, (known,)),
        "added": (S.UNCONFIRMED, (Event(NOW, EventKind.ADDED), asked)),
        "confirmed": (S.CONFIRMED, (asked, confirmed)),
        "demoted": (S.UNCONFIRMED, (asked, confirmed)),
        "left": (S.UNSUBSCRIBED, (asked,)),
    }
    for name, (state, happened) in people.items():
        person = subscriber(f"{name}@example.com", state=state)
        letters = ((LetterKind.CONFIRMATION, NOW),)
        store.decide(
            person.email, lambda _, p=person, e=happened, m=letters: Decision(p, events=e, letters=m)
        )
    store.decide("also@example.com", lambda _: Decision(suppress="bounced"))
    assert store.erase_unconfirmed(NOW - DAY, 10) == 0
    assert [store.erase_unconfirmed(NOW, 1) for _ in range(3)] == [1, 1, 0]
    left = {one.email.partition("@")[0] for one in store.subscribers()}
    assert left == set(people) - {"asked", "also"}
    assert len(store.letters(20)) == len(left)
    gone = store.everything("also@example.com").person
    assert (gone.subscriber, gone.events, gone.suppressed) == (None, (), "bounced")


# --- forgetting ------------------------------------------------------------------


def test_who_is_forgotten_stands_nowhere_and_every_issue_still_adds_up(sending, tmp_path):
    queued, leased, armed, doubt, accepted = sending.lease(1, "run", 5)
    sending.commit("run", [], [armed, doubt, accepted], DAY)
    record(sending, answer(doubt, Outcome.IN_DOUBT), "run")
    record(sending, answer(accepted, Outcome.ACCEPTED, "250 2.0.0 Ok: queued as 4Zf9"), "run")
    record(sending, answer(queued, Outcome.NOT_ARMED), "run")
    people = [one.recipient.email for one in (queued, leased, armed, doubt, accepted)]
    for email in people:
        sending.ask(email, "", NOW)
        sending.decide(
            email,
            lambda _, email=email: Decision(
                subscriber(email, name="Reader", preferences=Preferences(("bread",))),
                suppress="bounced",
                events=(Event(NOW, EventKind.CHOSE, "bread"),),
                letters=((LetterKind.WELCOME, NOW),),
            ),
        )
        assert sending.forget(email, NOW).known
    assert sending.counts(1) == Counts(readers=5, queued=1, accepted=1, in_doubt=1, withdrawn=2)
    assert not arm(sending, leased, "run")
    record(sending, answer(armed, Outcome.ACCEPTED, "250 2.0.0 Ok: queued as 7Qx3"), "run")
    assert sending.counts(1) == Counts(readers=5, accepted=2, in_doubt=1, withdrawn=2)
    assert list(sending.doubts(1)) == []
    assert [doubt.recipient.email for doubt in sending.doubts(1, forgotten=True)] == [""]
    assert list(sending.subscribers()) == []
    sending.close_database()
    with DRIVER.connect(tmp_path / FILE) as connection:
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        dump = repr([connection.execute(f"SELECT * FROM {name}").fetchall() for (name,) in tables])
    connection.close()
    for queued_as in ("4Zf9", "7Qx3"):
        assert queued_as not in dump  # under which the relay's log has the address
    for email in people:
        assert email not in dump
        assert TOKENS.uid(email) not in dump


@pytest.mark.parametrize(
    ("said", "stays"),
    [
        ("550 5.1.1 no user jane here", "550 5.1.1"),
        ("550 Host unknown (Name server: jane-doe.example)", "550"),
        ("the address jane needs SMTPUTF8", ""),
    ],
)
def test_of_what_a_relay_said_of_somebody_who_is_forgotten_only_its_codes_stay(sending, said, stays):
    (one,) = sending.lease(1, "run", 1)
    record(sending, answer(one, Outcome.REFUSED, said), "run")
    found = sending.forget(one.recipient.email, NOW)
    assert found.copies == 1
    assert [(refusal.reply, refusal.domains) for refusal in sending.refusals(1)] == [(stays, ())]


def test_forgetting_an_address_nobody_knows_marks_it_all_the_same(store, tmp_path):
    assert not store.forget(ANA, NOW).known
    assert not store.forget("ANA@example.com", NOW).known
    with DRIVER.connect(tmp_path / FILE) as connection:
        assert connection.execute("SELECT mark FROM forgotten").fetchall() == [TOKENS.marks(ANA)]
    connection.close()
    store.decide(ANA, lambda _: Decision(subscriber(ANA), allow=True))
    with DRIVER.connect(tmp_path / FILE) as connection:
        assert connection.execute("SELECT count(*) FROM forgotten").fetchone() == (0,)
    connection.close()


def test_everything_about_a_person_names_their_copies_by_issue(sending):
    (one,) = sending.lease(1, "run", 1)
    arm(sending, one, "run")
    record(sending, answer(one, Outcome.REFUSED, "550 5.1.1 no such user"), "run")
    sending.ask(one.recipient.email, "Ana", NOW)
    seen = sending.everything(one.recipient.email)
    assert [(copy.issue, copy.state, copy.reply) for copy in seen.copies] == [
        (1, DeliveryState.REFUSED, "550 5.1.1 no such user")
    ]
    assert [(asked.email, asked.name, asked.at) for asked in seen.requests] == [
        (one.recipient.email, "Ana", NOW)
    ]
    assert sending.everything("nobody@example.com").person.subscriber is None


def test_who_left_is_not_made_a_reader_by_what_they_prefer(store):
    store.decide(
        ANA, lambda _: Decision(subscriber(ANA, state=S.UNSUBSCRIBED, preferences=Preferences(("a",))))
    )
    assert store.audience(NOW) == Audience({}, {})
