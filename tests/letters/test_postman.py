"""The postman between the form and a real relay: who is written to, how often, and what becomes of it."""

from __future__ import annotations

import re
import threading
import time
from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest
from support.messages import by_python, demand_a_sound_message
from support.relay import Relay
from support.relay_script import Script, close, later, lose, never

from pipeline import subscribing
from pipeline.audience.joining import Stage
from pipeline.errors import StoreError
from pipeline.model import Decision, DeliveryState, IssueState, LetterKind, SubscriberState
from pipeline.postman import memory, office
from pipeline.store import sqlite
from pipeline.store.driver import DRIVER

ANA = "ana@example.com"
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
ADDRESS = re.compile(r"\S@\S")


def subjects(relay):
    return [by_python(data).subject for data in relay.taken()]


def texts(relay):
    return [by_python(data).text.replace("\r\n", "\n") for data in relay.taken()]


def rounds(postman, most=30):
    """Go on as long as there is something to do at once."""
    for _ in range(most):
        if postman.round() > 0:
            return
    pytest.fail("the postman never comes to rest")


def in_the_ledger(root, statement, rows=1):
    connection = DRIVER.connect(root / ".newsletter/newsletter.db")
    with connection:
        assert connection.execute(statement).rowcount == rows
    connection.close()


def work(house):
    rounds(house.postman())


# --- who is written to -----------------------------------------------------------


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


# --- a welcome and the latest issue ----------------------------------------------


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


# --- what a relay says -----------------------------------------------------------


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


def test_a_letter_deferred_for_a_day_is_given_up(house, relay, monkeypatch):
    monkeypatch.setattr(office, "GIVE_UP", timedelta())
    relay.script = Script().always("rcpt", later())
    house.asks()
    work(house)
    assert house.store.next_letter() is None


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


# --- troubles --------------------------------------------------------------------


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


def until(true, seconds=15):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.02)


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
    assert re.search(r"a fault of the program itself \(RuntimeError at \S*test_postman:\d+\)", house.said[0])
    monkeypatch.setattr("pipeline.audience.joining.answer", broken)
    house.asks()
    work(house)
    assert "request 1 cannot be answered, and is dropped" in house.said[1]
    assert not [line for line in house.said if ADDRESS.search(line)]
    assert relay.deliveries == []
    assert house.store.requests(1) == []


# --- once a day ------------------------------------------------------------------


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


# --- the outbox ------------------------------------------------------------------


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
