"""Single mails: asked for without a look, waiting for a relay, and on the wire at most once."""

from __future__ import annotations

import time
from datetime import timedelta

from support.ledger import NOW, subscriber

from pipeline.model import Decision, Event, EventKind, LetterKind
from pipeline.model import SubscriberState as S

ANA = "ana@example.com"
DAY = timedelta(days=1)


def write(store, email=ANA, kind=LetterKind.CONFIRMATION):
    store.decide(email, lambda _: Decision(subscriber(email), letters=((kind, NOW),)))


def test_a_request_waits_until_it_is_answered_once(store, opened):
    store.ask("Ana@example.com", "Ana", NOW)
    store.ask("bo@example.com", "", NOW)
    asked = store.requests(10)
    assert [(one.email, one.name, one.at) for one in asked] == [
        ("Ana@example.com", "Ana", NOW),
        ("bo@example.com", "", NOW),
    ]
    decide = lambda person: Decision(subscriber("Ana@example.com"), letters=((LetterKind.CONFIRMATION, NOW),))  # noqa: E731
    assert store.answer(asked[0], decide) is not None
    assert opened().answer(asked[0], decide) is None
    assert [one.email for one in store.requests(10)] == ["bo@example.com"]
    assert len(store.letters(10)) == 1


def test_a_letter_is_armed_by_one_process_only(store, opened):
    write(store)
    (letter,) = store.letters(10)
    assert store.arm_letter(letter)
    assert not opened().arm_letter(letter)
    assert store.letters(10) == []
    store.settle_letter(letter, None, DAY)
    assert store.next_letter() is None


def test_a_letter_to_somebody_who_is_gone_is_never_armed(store):
    write(store)
    (letter,) = store.letters(10)
    store.forget(ANA, NOW)
    assert not store.arm_letter(letter)


def test_what_became_of_a_letter_is_its_readers_and_nobodys_once_they_are_erased(store):
    refused = Event(NOW, EventKind.LETTER, "confirmation was refused: 550 no")
    for email in (ANA, "bo@example.com"):
        write(store, email)
    letters = store.letters(10)
    for letter in letters:
        store.arm_letter(letter)
    store.settle_letter(letters[0], timedelta(seconds=60), DAY, refused)
    assert refused not in store.everything(ANA).person.events
    store.settle_letter(letters[0], None, DAY, refused)
    store.settle_letter(letters[0], None, DAY, refused)
    assert [one for one in store.everything(ANA).person.events if one == refused] == [refused]
    store.forget("bo@example.com", NOW)
    store.settle_letter(letters[1], None, DAY, refused)
    assert not store.everything("bo@example.com").anything


def test_what_is_done_with_is_never_taken_for_another_with_its_number(store):
    write(store)
    (old,) = store.letters(10)
    assert store.withdraw_letter(old)
    write(store, "bo@example.com", LetterKind.WELCOME)
    (new,) = store.letters(10)
    assert new.id == old.id
    assert not store.arm_letter(old)
    assert not store.withdraw_letter(old)
    store.settle_letter(old, None, DAY)
    assert store.letters(10) == [new]
    store.withdraw_letter(new)
    store.decide(ANA, lambda _: Decision(letters=((LetterKind.CONFIRMATION, NOW + DAY),)))
    assert [one.id for one in store.letters(10)] == [old.id]
    assert not store.arm_letter(old)
    store.ask(ANA, "", NOW)
    (first,) = store.requests(10)
    store.answer(first, lambda _: Decision())
    store.ask("bo@example.com", "", NOW)
    assert store.answer(first, lambda _: Decision()) is None
    assert [one.email for one in store.requests(10)] == ["bo@example.com"]


def test_only_a_confirmation_goes_to_somebody_who_is_not_in(store):
    emails = {kind: f"{kind}@example.com" for kind in LetterKind}
    for kind, email in emails.items():
        write(store, email, kind)
        store.decide(email, lambda _, email=email: Decision(subscriber(email, state=S.UNSUBSCRIBED)))
    armed = {letter.kind: store.arm_letter(letter) for letter in store.letters(10)}
    assert armed == {kind: kind is LetterKind.CONFIRMATION for kind in LetterKind}
    for kind, email in emails.items():
        store.decide(email, lambda _, email=email: Decision(subscriber(email), suppress="bounced"))
        assert kind is LetterKind.CONFIRMATION or not any(map(store.arm_letter, store.letters(10)))


def test_a_letter_is_withdrawn_only_while_nobody_has_armed_it(store):
    write(store)
    write(store, "bo@example.com", LetterKind.WELCOME)
    armed, waiting = store.letters(10)
    store.arm_letter(armed)
    assert not store.withdraw_letter(armed)
    assert store.withdraw_letter(waiting)
    assert not store.withdraw_letter(waiting)
    assert store.sweep_letters(timedelta()) == 1
    assert store.next_letter() is None


def test_a_deferred_letter_rests_and_is_given_up_in_the_end(store):
    write(store)
    (letter,) = store.letters(10)
    store.arm_letter(letter)
    store.settle_letter(letter, timedelta(seconds=0.2), DAY)
    assert store.letters(10) == []
    assert timedelta() < store.next_letter() <= timedelta(seconds=0.2)
    time.sleep(0.25)
    (again,) = store.letters(10)
    assert (again.id, again.attempts) == (letter.id, 1)
    store.arm_letter(again)
    store.settle_letter(again, timedelta(seconds=0.1), timedelta(seconds=0.1))
    assert store.next_letter() is None


def test_a_letter_whose_sender_died_is_dropped_rather_than_sent_twice(store):
    write(store)
    write(store, "bo@example.com", LetterKind.WELCOME)
    (lost, waiting) = store.letters(10)
    store.arm_letter(lost)
    assert store.sweep_letters(timedelta(minutes=1)) == 0
    assert store.sweep_letters(timedelta()) == 1
    assert [one.id for one in store.letters(10)] == [waiting.id]
