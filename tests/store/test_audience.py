"""Who reads, who left, and that nobody who left comes back by a list."""

from __future__ import annotations

import itertools
import threading
from datetime import timedelta

import pytest
from support.ledger import NOW, TOKENS, URL, subscriber

from pipeline.audience.tokens import InstallationTokens
from pipeline.errors import AudienceError
from pipeline.model import (
    NO_REASON,
    Audience,
    Decision,
    Event,
    EventKind,
    Everything,
    Person,
    Preferences,
    Skip,
)
from pipeline.model import SubscriberState as S
from pipeline.store import audience, intake, open_store

DAY = timedelta(days=1)


def counted(added=0, updated=0, unchanged=0, suppressed=0):
    return {"added": added, "updated": updated, "unchanged": unchanged, "suppressed": suppressed}


def test_a_person_comes_back_as_they_were_put(store, opened):
    ana = subscriber("Ana@example.com", name="Aña 例え", suppressed="bounced")
    assert store.put_subscribers([ana]) == counted(suppressed=1)
    assert opened().subscriber("ANA@example.com") == ana
    assert store.subscriber("bo@example.com") is None


def test_the_same_list_twice_changes_nothing(store):
    people = [subscriber(f"r{n}@example.com", name=f"R{n}") for n in range(3)]
    assert store.put_subscribers(people) == counted(added=3)
    assert store.put_subscribers(people) == counted(unchanged=3)


def test_a_list_of_nobody_is_no_trouble(store):
    assert store.put_subscribers([]) == counted()
    assert store.readers() == 0


def test_a_new_name_is_taken_and_an_empty_one_never_replaces_one(store):
    store.put_subscribers([subscriber("ana@example.com", name="Ana")])
    assert store.put_subscribers([subscriber("ana@example.com", name="Ana B.")]) == counted(updated=1)
    assert store.put_subscribers([subscriber("ana@example.com")]) == counted(unchanged=1)
    assert store.subscriber("ana@example.com").name == "Ana B."


def test_another_spelling_is_the_same_person(store):
    store.put_subscribers([subscriber("ana@example.com")])
    assert store.put_subscribers([subscriber("ANA@example.com")]) == counted(unchanged=1)
    assert store.put_subscribers([subscriber("Bo@example.com"), subscriber("bO@example.com")]) == counted(
        1, 0, 1
    )
    assert [one.email for one in store.subscribers()] == ["ana@example.com", "bO@example.com"]


def test_who_left_stays_out_whatever_a_list_says(store):
    store.put_subscribers([subscriber("ana@example.com", name="Ana")])
    later = NOW + timedelta(days=1)
    assert store.unsubscribe("Ana@example.com", later)
    assert not store.unsubscribe("ana@example.com", later + timedelta(days=1))
    assert not store.unsubscribe("bo@example.com", later)
    assert store.put_subscribers([subscriber("ana@example.com", name="Other")]) == counted(suppressed=1)
    ana = store.subscriber("ana@example.com")
    assert (ana.state, ana.since, ana.name) == (S.UNSUBSCRIBED, later, "Ana")
    assert store.readers() == 0


def test_who_leaves_by_a_list_is_remembered_as_having_been_in_and_nobody_else(store, tmp_path):
    day = timedelta(days=1)
    known = {"in": S.CONFIRMED, "bounced": S.CONFIRMED, "asked": S.UNCONFIRMED, "out": S.UNSUBSCRIBED}
    store.put_subscribers(subscriber(f"{name}@example.com", state=state) for name, state in known.items())
    store.decide("bounced@example.com", lambda _: Decision(suppress="bounced"))
    leaving = [
        subscriber(f"{name}@example.com", state=S.UNSUBSCRIBED, since=NOW + day) for name in (*known, "new")
    ]
    store.put_subscribers(leaving)
    store.put_subscribers(leaving)
    for name in (*known, "new"):
        was_in = (Event(NOW + day, EventKind.LEFT, "by a list that was imported", stood_since=NOW),)
        events = store.everything(f"{name}@example.com").person.events
        assert events == (was_in if name in {"in", "bounced"} else ())


def test_an_address_can_be_suppressed_before_anybody_subscribes_with_it(store):
    store.decide("ana@example.com", lambda _: Decision(suppress="complained"))
    assert store.put_subscribers([subscriber("ana@example.com")]) == counted(suppressed=1)
    assert store.audience(NOW) == Audience({}, {Skip.SUPPRESSED: 1})
    assert store.subscriber("ana@example.com").suppressed == "complained"


def test_people_move_onwards_only(store):
    later = NOW + timedelta(days=1)
    store.put_subscribers([subscriber("ana@example.com", state=S.UNCONFIRMED)])
    assert store.readers() == 0
    assert store.put_subscribers([subscriber("ana@example.com", since=later)]) == counted(updated=1)
    assert (store.readers(), store.subscriber("ana@example.com").since) == (1, later)
    assert store.put_subscribers([subscriber("ana@example.com", state=S.UNCONFIRMED)]) == counted(unchanged=1)
    assert store.put_subscribers([subscriber("ana@example.com", state=S.UNSUBSCRIBED)]) == counted(updated=1)
    assert store.readers() == 0


def test_a_list_that_has_somebody_twice_heeds_the_row_that_says_they_left(store):
    people = [
        subscriber("ana@example.com", state=S.UNSUBSCRIBED),
        subscriber("ana@example.com", name="Ana"),
        subscriber("bo@example.com", name="first"),
        subscriber("bo@example.com", name="last"),
    ]
    assert store.put_subscribers(people) == counted(added=2, unchanged=2)
    assert store.subscriber("ana@example.com").state is S.UNSUBSCRIBED
    assert store.subscriber("bo@example.com").name == "last"


@pytest.mark.parametrize("order", list(itertools.permutations(range(4)))[::3])
def test_in_whatever_order_rows_of_one_person_come_the_outcome_is_the_same(store, order):
    rows = [
        subscriber("Ana@example.com", name="Ana", state=S.UNCONFIRMED),
        subscriber("ana@example.com", suppressed="bounced", since=NOW - DAY),
        subscriber("ana@example.com", state=S.UNSUBSCRIBED, since=NOW - 2 * DAY),
        subscriber("ANA@example.com", suppressed=NO_REASON, state=S.UNCONFIRMED),
    ]
    assert store.put_subscribers(rows[n] for n in order) == counted(unchanged=3, suppressed=1)
    ana = store.subscriber("ana@example.com")
    assert (ana.name, ana.state, ana.since, ana.suppressed) == (
        "Ana",
        S.UNSUBSCRIBED,
        NOW - 2 * DAY,
        "bounced",
    )


def test_whoever_is_suppressed_here_and_left_elsewhere_has_left(store):
    store.put_subscribers([subscriber("ana@example.com", suppressed="bounced")])
    later = NOW + DAY
    left = subscriber("ana@example.com", state=S.UNSUBSCRIBED, since=later)
    assert store.put_subscribers([left]) == counted(suppressed=1)
    assert (store.subscriber("ana@example.com").state, store.subscriber("ana@example.com").since) == (
        S.UNSUBSCRIBED,
        later,
    )
    # But not the other way.
    store.put_subscribers([subscriber("bo@example.com", state=S.UNCONFIRMED, suppressed="bounced")])
    assert store.put_subscribers([subscriber("bo@example.com")]) == counted(suppressed=1)
    assert store.subscriber("bo@example.com").state is S.UNCONFIRMED


def test_what_somebody_chose_comes_along_and_what_they_chose_here_stays(store, opened):
    wants = Preferences(("bread", "weather"), feed_only=True, paused_until=NOW + DAY)
    here = subscriber("bo@example.com", preferences=Preferences(("cats",)))
    store.decide(here.email, lambda _: Decision(here))
    people = [subscriber(f"{who}@example.com", preferences=wants) for who in ("ana", "bo")]
    assert store.put_subscribers([*people, subscriber("cy@example.com")]) == counted(added=2, unchanged=1)
    assert [one.preferences for one in opened().subscribers()] == [wants, here.preferences, Preferences()]


def test_who_was_forgotten_is_not_brought_back_by_a_list(store):
    store.forget("ana@example.com", NOW)
    rows = [subscriber("ANA@example.com", suppressed="complained", preferences=Preferences(("bread",)))]
    assert store.put_subscribers([*rows, subscriber("bo@example.com")]) == counted(added=1, suppressed=1)
    seen = store.everything("ana@example.com")
    assert seen == Everything(Person(TOKENS.uid("ana@example.com")), forgotten=NOW)
    assert not seen.anything
    # Coming back by themselves is theirs to do, and then they are as anybody.
    store.decide("ana@example.com", lambda _: Decision(subscriber("ana@example.com"), allow=True))
    assert store.put_subscribers([subscriber("ana@example.com")]) == counted(unchanged=1)


def test_who_was_forgotten_under_an_earlier_secret_stays_forgotten(store, tmp_path):
    store.forget("ana@example.com", NOW)
    store.close_database()
    newer = InstallationTokens(b"another secret, long enough", [b"a secret that is long enough"])
    again = open_store(URL, tmp_path, newer)
    assert again.put_subscribers([subscriber("ana@example.com")]) == counted(suppressed=1)
    again.close_database()
    # Without the earlier secret nobody can tell any more.
    again = open_store(URL, tmp_path, InstallationTokens(b"another secret, long enough"))
    assert again.put_subscribers([subscriber("ana@example.com")]) == counted(added=1)
    again.close_database()


@pytest.mark.parametrize("somebody_before", [False, True])
def test_who_is_forgotten_while_a_list_is_read_is_not_taken_from_it(store, opened, somebody_before):
    other = opened()
    if somebody_before:
        other.forget("bo@example.com", NOW)

    def people():
        yield subscriber("ana@example.com")
        assert not other.forget("ana@example.com", NOW).known

    assert store.put_subscribers(people()) == counted(suppressed=1)
    assert store.subscriber("ana@example.com") is None


def test_a_rehearsal_counts_the_same_and_changes_nothing(store, opened, tmp_path):
    store.put_subscribers(
        [
            subscriber("a@example.com", name="A"),
            subscriber("b@example.com", state=S.UNSUBSCRIBED),
            subscriber("c@example.com", state=S.UNCONFIRMED),
        ]
    )
    store.forget("f@example.com", NOW)
    rows = [
        *(subscriber(f"{who}@example.com", name="New") for who in "abcdef"),
        subscriber("g@example.com", suppressed="bounced", preferences=Preferences(("bread",))),
    ]
    before = (tmp_path / ".newsletter/newsletter.db").read_bytes(), list(store.subscribers())
    rehearsed = store.put_subscribers(rows, rehearse=True)
    assert ((tmp_path / ".newsletter/newsletter.db").read_bytes(), list(opened().subscribers())) == before
    assert rehearsed == store.put_subscribers(rows) == counted(added=2, updated=2, suppressed=3)


def test_a_rehearsal_keeps_nobody_waiting(store, opened):
    other = opened()
    store.put_subscribers([subscriber("ana@example.com")])

    def people():
        yield from (subscriber(f"r{n}@example.com") for n in range(intake.CHUNK + 10))
        assert other.unsubscribe("ana@example.com", NOW)

    assert store.put_subscribers(people(), rehearse=True)["added"] == intake.CHUNK + 10


def test_nothing_of_a_list_is_left_beside_the_store(store, tmp_path):
    seen = []

    def people():
        for n in range(intake.CHUNK + 10):
            if n == intake.CHUNK + 5:
                seen.extend(path.name for path in (tmp_path / ".newsletter").iterdir())
            yield subscriber(f"r{n}@example.com")

    store.put_subscribers(people())
    # Where a file can be without a name, it has none while it is used, so that a kill leaves nothing either.
    assert not [name for name in seen if name.startswith("beside")]
    assert not list((tmp_path / ".newsletter").glob("beside*"))


def test_a_list_that_breaks_off_adds_nobody(store):
    def people():
        yield from (subscriber(f"r{n}@example.com") for n in range(5000))
        raise AudienceError("line 5001 is no line")

    with pytest.raises(AudienceError):
        store.put_subscribers(people())
    assert store.readers() == 0
    assert store.put_subscribers([subscriber("ana@example.com")]) == counted(added=1)


def test_others_may_write_while_a_long_list_is_read(store, opened):
    other = opened()
    store.put_subscribers([subscriber("gone@example.com")])

    def people():
        for n in range(intake.CHUNK + 10):
            if n == intake.CHUNK + 5:  # a first part is gathered by now
                assert other.unsubscribe("gone@example.com", NOW)
            yield subscriber(f"r{n}@example.com")

    assert store.put_subscribers(people())["added"] == intake.CHUNK + 10


def test_who_leaves_while_a_list_is_decided_about_has_left(store, opened, monkeypatch):
    """From the first look at who is there to the last word written, nobody else may write: or it would be too late."""
    other = opened()
    store.put_subscribers([subscriber("ana@example.com")])
    leaving = threading.Thread(target=lambda: other.unsubscribe("ana@example.com", NOW + DAY))
    count = intake._count

    def slowly(connection):
        counted = count(connection)
        leaving.start()
        leaving.join(0.3)
        return counted

    monkeypatch.setattr(intake, "_count", slowly)
    assert store.put_subscribers([subscriber("ana@example.com", name="Ana")]) == counted(updated=1)
    leaving.join()
    ana = store.subscriber("ana@example.com")
    assert (ana.name, ana.state, ana.since) == ("Ana", S.UNSUBSCRIBED, NOW + DAY)


def test_all_are_gone_through_in_order_of_address_page_by_page(store, monkeypatch):
    monkeypatch.setattr(audience, "PAGE", 3)
    people = [subscriber(f"{letter}@example.com") for letter in "dbafceg"]
    people += [subscriber("h@example.com", state=S.UNSUBSCRIBED)]
    store.put_subscribers(people)
    assert [one.email[0] for one in store.subscribers()] == list("abcdefgh")
    assert [one.email[0] for one in store.subscribers(S.CONFIRMED)] == list("abcdefg")
    assert [one.email[0] for one in store.subscribers(S.UNSUBSCRIBED)] == ["h"]


def test_somebody_may_leave_while_all_are_gone_through(store, monkeypatch):
    monkeypatch.setattr(audience, "PAGE", 2)
    store.put_subscribers(subscriber(f"{letter}@example.com") for letter in "abcdef")
    seen = []
    for one in store.subscribers():
        seen.append(one.email[0])
        store.forget(one.email, NOW)
    assert seen == list("abcdef")
