"""Who reads, who left, and that nobody who left comes back by a list."""

from __future__ import annotations

from datetime import timedelta

import pytest
from support.ledger import NOW, subscriber

from pipeline.errors import AudienceError
from pipeline.model import Decision
from pipeline.model import SubscriberState as S
from pipeline.store import audience, intake


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


def test_an_address_can_be_suppressed_before_anybody_subscribes_with_it(store):
    store.decide("ana@example.com", lambda _: Decision(suppress="complained"))
    assert store.put_subscribers([subscriber("ana@example.com")]) == counted(suppressed=1)
    assert (store.readers(), store.suppressed_readers()) == (0, 1)
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
