"""A relay that is down, a ledger that fails, settings and templates that are wrong: no letter is lost."""

from __future__ import annotations

import re
import threading
import time
from collections import Counter
from datetime import timedelta

import pytest
from support.postman import rounds, until, work
from support.relay import Relay
from support.relay_script import Script, never

from pipeline.errors import StoreError
from pipeline.postman import memory, office
from pipeline.store import sqlite
from pipeline.store.driver import DRIVER

ANA = "ana@example.com"
ADDRESS = re.compile(r"\S@\S")


@pytest.fixture
def soon(monkeypatch):
    """Rests of a postman that are over before anybody looks."""
    monkeypatch.setattr(memory, "FIRST", 0.02)
    monkeypatch.setattr(memory, "LONGEST", 0.02)
    monkeypatch.setattr(office, "SOON", 0.02)
    monkeypatch.setattr(office, "IDLE", 0.05)


class Running:
    """A postman at work in a thread."""

    def __init__(self, postman):
        self.postman, self.stop = postman, threading.Event()
        self.thread = threading.Thread(target=postman.run, args=[self.stop])

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        self.postman.wake()
        self.thread.join(20)
        assert not self.thread.is_alive()


def test_while_the_relay_is_down_all_letters_wait_and_one_line_says_so(house, soon):
    with Relay() as gone:
        port = gone.port
    house.environ = {**house.environ, **gone.environment()}
    house.asks(*(f"r{n}@example.com" for n in range(5)))
    with Running(house.postman()):
        until(lambda: house.said)
        time.sleep(0.3)
        assert len(house.said) == 1
        assert "letters wait, and are tried again by themselves" in house.said[0]
        assert f"127.0.0.1:{port} cannot be used (connecting)" in house.said[0]
        house.asks("late@example.com")
        until(lambda: len(house.waiting()) == 6)
        with Relay(port=port) as back:
            assert back.wait(6)
            until(lambda: len(house.said) == 2)
    assert house.said[1] == "the relay takes letters again."
    assert len({each.recipient for each in back.deliveries}) == len(back.deliveries) == 6


def test_a_relay_that_will_not_have_us_fails_nobody(house, relay, soon):
    relay.script = Script().always("mail", never("550 5.7.1 Who are you?"))
    house.asks()
    with Running(house.postman()):
        until(lambda: house.said)
        relay.script = Script()
        assert relay.wait(1)
    assert "Who are you?" in house.said[0]
    assert len(relay.deliveries) == 1


def test_settings_are_mended_while_the_postman_waits(house, relay, soon):
    right = house.environ
    house.environ = {**right, "NEWSLETTER_MAIL__MAILER": "pigeon"}
    house.asks()
    with Running(house.postman()):
        until(lambda: house.said)
        house.environ = right
        assert relay.wait(1)
    assert "mailer 'pigeon' is not known" in house.said[0]


def test_a_broken_template_costs_no_letter_and_is_mended_while_the_postman_waits(house, relay, soon):
    house.environ = {**house.environ, "NEWSLETTER_MAIL__RETRY__FIRST": "0.1"}
    own = house.root / "templates/letters/confirmation.html"
    own.parent.mkdir(parents=True)
    own.write_text("{{ nobody }}")
    house.asks()
    with Running(house.postman()):
        until(lambda: house.said)
        own.unlink()
        assert relay.wait(1)
    assert "templates/letters/confirmation.html:1: " in house.said[0]
    assert len(relay.deliveries) == 1


def test_a_letter_that_is_given_up_for_a_broken_template_is_remembered_with_its_reader(house, monkeypatch):
    monkeypatch.setattr(office, "GIVE_UP", timedelta())
    own = house.root / "templates/letters/confirmation.html"
    own.parent.mkdir(parents=True)
    own.write_text("{{ nobody }}")
    house.asks(ANA)
    work(house)
    event, _ = house.store.everything(ANA).person.events
    assert event.words.startswith("confirmation was given up: templates/letters/confirmation.html:1: ")


def test_a_failing_ledger_is_opened_again_and_the_letters_go(house, relay, soon, monkeypatch):
    monkeypatch.setattr(sqlite, "BUSY_SECONDS", 0.1)
    house.asks()
    postman = house.postman()
    postman.round()
    assert len(relay.deliveries) == 1
    house.asks("bo@example.com")
    holder = DRIVER.connect(house.root / ".newsletter/newsletter.db", isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    with pytest.raises(StoreError, match="another process has held the store"):
        rounds(postman)
    with Running(postman):
        until(lambda: house.said)
        holder.execute("ROLLBACK")
        assert relay.wait(2)
        until(lambda: len(house.said) == 2)
    holder.close()
    assert [each.recipient for each in relay.deliveries] == [ANA, "bo@example.com"]
    assert "another process has held the store" in house.said[0]
    assert house.said[1] == "the newsletter could be opened again; letters go on."


def test_a_call_is_heeded_at_once_and_an_end_too(house, relay):
    postman = house.postman()
    with Running(postman) as running:
        time.sleep(0.3)
        house.asks()
        start = time.monotonic()
        postman.wake()
        assert relay.wait(1)
        assert time.monotonic() - start < 5
    assert not running.thread.is_alive()


def test_a_pace_holds_for_letters_too(house, relay):
    house.environ = {**house.environ, "NEWSLETTER_MAIL__PACE__PER_HOUR": "3"}
    house.asks(*(f"r{n}@example.com" for n in range(5)))
    assert house.postman().round() > 1
    assert len(relay.deliveries) == 3
    assert len(house.waiting()) == 2


def test_two_postmen_bring_each_letter_once(house, relay):
    house.asks(*(f"r{n}@example.com" for n in range(40)))
    with Running(house.postman()), Running(house.postman()):
        assert relay.wait(40, 30)
        until(lambda: house.store.next_letter() is None)
    assert Counter(each.recipient for each in relay.deliveries).most_common(1)[0][1] == 1


def test_no_address_is_ever_said(house, relay, soon, monkeypatch):
    """Not even by a fault of the program, whose words may hold anything."""

    def broken(*_):
        raise RuntimeError(f"what about {ANA}?")

    monkeypatch.setattr("pipeline.letters.Letters.message", broken)
    house.asks()
    work(house)
    assert house.said
    assert re.search(
        r"a fault of the program itself \(RuntimeError at \S*test_postman_troubles:\d+\)", house.said[0]
    )
    monkeypatch.setattr("pipeline.audience.joining.answer", broken)
    house.asks()
    work(house)
    assert "request 1 cannot be answered, and is dropped" in house.said[1]
    assert not [line for line in house.said if ADDRESS.search(line)]
    assert relay.deliveries == []
    assert house.store.requests(1) == []
