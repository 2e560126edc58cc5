"""What a relay says of a letter, and what becomes of it."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
from support.messages import by_python
from support.postman import rounds, until, work
from support.relay_script import Script, close, later, lose, never

from pipeline.model import EventKind
from pipeline.postman import office

HOUR = timedelta(hours=1)


def test_a_deferred_letter_goes_out_when_its_rest_is_over_and_only_once(house, relay):
    house.environ = {**house.environ, "NEWSLETTER_MAIL__RETRY__FIRST": "0.2"}
    relay.script = Script().first("rcpt", 1, later()).nth("dot", 1, later())
    house.asks()
    postman = house.postman()
    pauses = []
    until = time.monotonic() + 10
    while not relay.deliveries and time.monotonic() < until:
        pauses.append(postman.round())
        time.sleep(0.05)
    assert len(relay.deliveries) == 1
    rounds(postman)
    assert len(relay.deliveries) == 1
    assert [line.partition(":")[0] for line in house.said] == [
        "letter 1 (confirmation) is tried again later"
    ] * 2


@pytest.mark.parametrize(
    ("script", "taken", "said"),
    [
        (Script().always("rcpt", never("550 5.1.1 No such user")), 0, "was refused: 550 5.1.1 No such user"),
        (Script().always("dot", never()), 0, "was refused: 554 5.7.1 Not here"),
        (Script().always("dot", lose(taken=True)), 1, "may have gone or not, and is not sent again"),
        (Script().always("dot", lose(taken=False)), 0, "may have gone or not, and is not sent again"),
    ],
)
def test_what_is_refused_or_in_doubt_is_done_with(house, relay, script, taken, said):
    relay.script = script
    house.asks()
    postman = house.postman()
    rounds(postman)
    relay.script = Script()
    house.now += HOUR
    rounds(postman)
    assert len(relay.deliveries) == taken
    assert house.store.next_letter() is None
    assert len(house.said) == 1
    assert f"letter 1 (confirmation) {said}" in house.said[0]
    # The log has a number; whoever asks about an address finds the relay's words there, and nobody is dropped for them.
    person = house.store.everything("ana@example.com").person
    assert (person.events[0].kind, person.suppressed) == (EventKind.LETTER, None)
    assert person.events[0].words.startswith(f"confirmation {said}")
    assert [event.kind for event in person.events] == [EventKind.LETTER, EventKind.ASKED]


def test_a_letter_deferred_for_a_day_is_given_up(house, relay, monkeypatch):
    monkeypatch.setattr(office, "GIVE_UP", timedelta())
    relay.script = Script().always("rcpt", later())
    house.asks()
    work(house)
    assert house.store.next_letter() is None
    given_up, _ = house.store.everything("ana@example.com").person.events
    assert given_up.words.startswith("confirmation was deferred until it was given up: 4")


def test_one_letter_that_cannot_be_made_is_dropped_by_its_number_and_the_others_go(house, relay):
    project = house.open()
    bad = "ana@" + "x" * 300 + ".example.com"
    house.asks("before@example.com")
    project.store.ask(bad, "", house.now)
    house.asks("after@example.com")
    work(house)
    assert {each.recipient for each in relay.deliveries} == {"before@example.com", "after@example.com"}
    (said,) = house.said
    assert "letter 2 (confirmation) cannot be made, and is dropped" in said
    assert "xxx" not in said
    assert house.store.next_letter() is None


def test_the_outbox_files_letters_among_single_mails(house, relay):
    house.environ = {"NEWSLETTER_SECRET": house.environ["NEWSLETTER_SECRET"]}
    house.asks()
    work(house)
    (mail,) = (house.root / "outbox").rglob("*.eml")
    assert mail.parent == house.root / "outbox/mail"
    assert by_python(mail.read_bytes()).subject == "Please confirm: The Headache Letter"
    assert relay.connections == 0


def test_a_connection_cut_before_the_dot_is_tried_again_soon(house, relay):
    relay.script = Script().nth("data", 1, close())
    house.asks()
    postman = house.postman()
    until(lambda: postman.round() >= 0 and relay.deliveries, 10)
    assert len(relay.deliveries) == 1
