"""The postman between the form and a real relay: who is written to, how often, and who gets the latest issue."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest
from support.messages import by_python, demand_a_sound_message
from support.postman import in_the_ledger, rounds, subjects, texts, work

from pipeline import subscribing
from pipeline.audience.joining import Stage
from pipeline.model import Decision, DeliveryState, IssueState, LetterKind, SubscriberState
from pipeline.postman import office

ANA = "ana@example.com"
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


# --- who is written to ----------------------------------------------------------


def test_who_asks_gets_a_confirmation_by_mail_and_its_link_makes_them_a_reader(house, relay):
    house.asks()
    work(house)
    (taken,) = relay.deliveries
    demand_a_sound_message(taken.data)
    assert (taken.sender, taken.recipient) == ("letter@example.org", ANA)
    (link,) = set(re.findall(r"https://letter\.example\.org/confirm/\S+(?=\n)", texts(relay)[0]))
    project = house.open()
    assert project.store.readers() == 0
    joined = subscribing.confirm(project, link.rpartition("/")[2], "Yes.", house.now + HOUR)
    assert joined.stage is Stage.CONFIRMED
    work(house)
    assert subjects(relay) == ["Please confirm: The Headache Letter", "Welcome to The Headache Letter"]
    assert house.store.next_letter() is None
    assert house.said == []


def test_a_thousand_requests_for_one_address_make_one_confirmation_a_day(house, relay):
    house.asks(ANA)
    copied = (
        "insert into requests (email_key, email, name, at) select email_key, email, name, at from requests, "
    )
    numbers = (
        "(with recursive n(x) as (values (1) union all select x + 1 from n where x < 999) select x from n)"
    )
    in_the_ledger(house.root, copied + numbers, 999)
    assert len(house.store.requests(2000)) == 1000
    postman = house.postman()
    rounds(postman)
    assert len(relay.deliveries) == 1
    house.now += DAY - timedelta(minutes=1)
    house.asks(*["Ana@example.com"] * 10)
    rounds(postman)
    assert len(relay.deliveries) == 1
    house.now += timedelta(minutes=2)
    house.asks(*[ANA] * 10)
    rounds(postman)
    assert len(relay.deliveries) == 2
    assert house.store.requests(10) == []


def test_many_readers_letters_share_a_few_sessions(house, relay):
    house.asks(*(f"r{n}@example.com" for n in range(60)))
    work(house)
    assert Counter(each.recipient for each in relay.deliveries) == Counter(
        f"r{n}@example.com" for n in range(60)
    )
    assert relay.connections <= 8


def test_a_subscriber_who_is_asked_for_again_hears_that_nothing_is_needed(house, relay):
    house.confirms()
    house.drop()
    house.now += DAY
    house.asks()
    work(house)
    assert subjects(relay) == ["You are subscribed already: The Headache Letter"]
    project = house.open()
    for purpose in ("preferences", "unsubscribe"):
        (link,) = re.findall(rf"/{purpose}/(\S+)", texts(relay)[0])
        assert project.tokens.read(purpose, link) == project.tokens.uid(ANA)


@pytest.mark.parametrize("kind", [LetterKind.WELCOME, LetterKind.ALREADY])
def test_who_has_left_gets_no_letter_any_more(house, relay, kind):
    house.confirms()
    if kind is LetterKind.ALREADY:
        house.drop()
        house.now += DAY
        house.asks()
        project = house.open()
        subscribing.answer(project, project.store.requests(1)[0], house.now)
    assert [letter.kind for letter in house.waiting()] == [kind]
    house.leaves()
    work(house)
    assert relay.deliveries == []
    assert house.store.next_letter() is None


def test_who_leaves_while_their_letter_is_on_its_way_is_not_armed(house, relay, monkeypatch):
    house.confirms()
    real = office.Office.arm

    def leaves_first(self, letter):
        house.leaves()
        return real(self, letter)

    monkeypatch.setattr(office.Office, "arm", leaves_first)
    house.postman().round()
    assert relay.deliveries == []
    monkeypatch.undo()
    work(house)
    assert relay.deliveries == []
    assert house.store.next_letter() is None


def test_a_confirmation_whose_link_is_good_for_nothing_any_more_is_not_sent(house, relay):
    house.asks()
    project = house.open()
    subscribing.answer(project, project.store.requests(1)[0], house.now)
    house.now += 3 * DAY + HOUR
    work(house)
    assert relay.deliveries == []
    assert house.store.next_letter() is None


# --- a welcome and the latest issue ---------------------------------------------


def issue_in(relay, number=1):
    """Whether the last mail brings the issue, and whether it links it."""
    seen = by_python(relay.taken()[-1])
    return "Dear Ana, this is “it”" in seen.html, f"/issues/{number}/" in seen.text


def test_a_newcomers_welcome_brings_the_latest_issue_that_is_out(house, relay):
    house.send_issue(1)
    house.now += DAY
    house.send_issue(2, IssueState.SENDING)
    house.now += HOUR
    house.send_issue(3, IssueState.PAUSED)
    house.confirms(name="Ana")
    work(house)
    assert issue_in(relay) == (True, False)
    seen = by_python(relay.taken()[-1])
    assert "Issue 2 of November 26, 2026" in " ".join(seen.text.split())
    demand_a_sound_message(relay.taken()[-1])


def test_before_the_first_issue_a_welcome_comes_alone(house, relay):
    house.confirms(name="Ana")
    work(house)
    assert subjects(relay) == ["Welcome to The Headache Letter"]
    assert issue_in(relay) == (False, False)
    assert "latest" not in texts(relay)[0]


#: Where somebody's copy of the latest issue stands, and whether a welcome may bring it.
STANDS = {
    "queued": False,
    "leased": False,
    "armed": False,
    "accepted": False,
    "in_doubt": False,
    "refused": True,
    "withdrawn": True,
    "expired": True,
    "cancelled": True,
}


def test_nobody_is_welcomed_with_an_issue_they_may_have(house, relay):
    assert set(STANDS) == set(DeliveryState)
    people = [f"{state}@example.com" for state in STANDS]
    for email in people:
        house.confirms(email)
    house.drop()
    house.now += DAY
    house.send_issue(1)
    for state, email in zip(STANDS, people, strict=True):
        in_the_ledger(house.root, f"update deliveries set state = '{state}' where email = '{email}'")
        house.leaves(email)
    house.now += DAY
    for email in people:
        house.confirms(email)
    work(house)
    brought = {
        each.recipient.partition("@")[0]: "this is “it”" in by_python(each.data).html
        for each in relay.deliveries
    }
    assert brought == STANDS


def test_who_was_welcomed_with_an_issue_leaves_and_comes_back_is_not_welcomed_with_it_again(house, relay):
    house.send_issue(1)
    house.now += HOUR
    house.confirms(name="Ana")
    work(house)
    assert issue_in(relay) == (True, False)
    house.leaves()
    house.now += DAY
    house.confirms(name="Ana")
    work(house)
    assert issue_in(relay) == (False, False)
    house.leaves()
    house.now += DAY
    house.send_issue(2)
    house.now += DAY
    house.confirms(name="Ana")
    work(house)
    assert issue_in(relay) == (True, False)


def test_an_issue_too_long_for_gmail_is_linked_from_the_welcome(house, relay, monkeypatch):
    house.send_issue(1)
    monkeypatch.setattr("pipeline.deliver.letter.CLIP_BYTES", 5000)
    house.confirms(name="Ana")
    work(house)
    assert issue_in(relay) == (False, True)
    assert "\nIssue 1\nhttps://letter.example.org/issues/1/\n" in texts(relay)[-1]


# --- once a day -----------------------------------------------------------------


def test_who_asked_and_never_confirmed_is_erased_after_thirty_days(house, relay):
    house.confirms("confirmed@example.com")
    project = house.open()
    imported = project.store.subscriber("confirmed@example.com")
    for email, state in (("imported@example.com", "unconfirmed"), ("gone@example.com", "unsubscribed")):
        person = replace(imported, uid=project.tokens.uid(email), email=email, state=SubscriberState(state))
        project.store.decide(email, lambda _, person=person: Decision(person))
    house.asks(ANA, "twice@example.com", "gone@example.com")
    postman = house.postman()
    rounds(postman)
    house.now += timedelta(days=20)
    house.asks("twice@example.com")
    rounds(postman)
    house.now += timedelta(days=10) - HOUR
    rounds(postman)
    assert len(list(house.store.subscribers())) == 5
    house.now += DAY + HOUR
    rounds(postman)
    left = {one.email for one in house.store.subscribers()}
    assert left == {"confirmed@example.com", "imported@example.com", "gone@example.com", "twice@example.com"}
    known = house.store.everything(ANA)
    assert (known.person.subscriber, known.person.events, known.letters, known.requests) == (None, (), (), ())
    assert house.said == ["1 address(es) that nobody confirmed in 30 days were erased."]
    # Nothing is left that would keep them from asking again.
    before = len(relay.deliveries)
    house.asks(ANA)
    rounds(postman)
    assert len(relay.deliveries) == before + 1
