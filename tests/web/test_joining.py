"""Readers come by themselves: they ask with an address, and whoever reads mail there confirms."""

from __future__ import annotations

import re
import statistics
import time
from datetime import timedelta

import pytest
from support.readers import TOKENS, House, words

from pipeline.deliver.trial import TOKEN


def test_the_form_has_one_field_and_says_how_often_and_what_comes(house: House) -> None:
    page = house.http.ask("/subscribe").text
    assert re.findall(r'<input id="(\w+)"', page) == ["email", "topic"]
    assert '<div class="trap" aria-hidden="true">' in page
    said = words(page)
    assert "I want to get The Headache Letter by mail, once a week." in said
    assert "When Botox eases the aura" in said
    assert 'href="issues/1/index.html"' in page
    assert 'href="feeds/index.html"' in page
    assert house.http.ask("/issues/1/index.html").status == 200


def test_who_asks_gets_a_letter_with_a_link(house: House) -> None:
    email = "asks.first@example.org"
    reply = house.http.post("/subscribe", {"email": f"  {email} "})
    assert reply.status == 200
    assert f"If {email} can get this newsletter" in words(reply.text)
    assert house.noted(email)
    (letter,) = house.letters(email)
    link = re.search(r"https://letter.example.org(/confirm/[\w-]+)", letter)
    assert link
    assert house.http.ask(link[1]).status == 200
    assert house.state(email) == "unconfirmed"


def test_the_answer_is_the_same_whoever_it_is(house: House) -> None:
    known, unsure, gone = house.reader(), "unsure@example.org", house.reader()
    house.asks(unsure)
    house.project.store.unsubscribe(gone, house.now)
    replies = [
        house.http.post("/subscribe", {"email": email}).text.replace(email, "X")
        for email in (known, unsure, gone, "nobody@example.org")
    ]
    assert len(set(replies)) == 1
    # The trap is no way to learn anything either.
    caught = house.http.post("/subscribe", {"email": known, "topic": "buy"}).text.replace(known, "X")
    assert caught == replies[0]


def test_the_answer_takes_as_long_whoever_it_is(house: House) -> None:
    known = [house.reader() for _ in range(25)]
    took: dict[bool, list[float]] = {True: [], False: []}
    for number, email in enumerate(known):
        for is_known, address in ((True, email), (False, f"stranger{number}@example.com")):
            began = time.perf_counter()
            assert house.http.post("/subscribe", {"email": address}).status == 200
            took[is_known].append(time.perf_counter() - began)
    one, other = (statistics.median(took[each]) for each in (True, False))
    # Beside what else this machine does; bench/forging.py measures it well.
    assert abs(one - other) < 0.5 * max(one, other)


def test_a_program_that_fills_in_every_field_is_answered_and_not_noted(house: House) -> None:
    reply = house.http.post("/subscribe", {"email": "robot@example.org", "topic": "cheap"})
    assert (reply.status, "robot@example.org" in reply.text) == (200, True)
    assert not house.noted("robot@example.org")


def test_nobody_puts_words_of_their_own_on_our_page(house: House) -> None:
    said = "Your account is blocked, call 555-0100"
    trapped = house.http.post("/subscribe", {"email": said, "topic": "x"})
    assert (trapped.status, "Look in your mailbox" in words(trapped.text)) == (422, False)
    for fields in ({"email": said}, {"email": said, "topic": "x"}):
        sent = house.http.post("/subscribe", fields, Sec_Fetch_Site="cross-site")
        assert (sent.status, "555-0100" in sent.text) == (200, False)
    # Nor does another site learn that there is a trap.
    lured = house.http.post(
        "/subscribe", {"email": "a@example.org", "topic": "x"}, Sec_Fetch_Site="cross-site"
    )
    assert "press the button once more" in lured.text


@pytest.mark.parametrize(
    "email", ["nobody", "a@b", "a b@example.org", "a@example.org, b@example.org", "x\r\nBcc: y@example.org"]
)
def test_what_is_no_address_is_said_beside_the_field(house: House, email: str) -> None:
    reply = house.http.post("/subscribe", {"email": email})
    assert reply.status == 422
    (field,) = re.findall(r'<input id="email"[^>]*>', reply.text)
    assert 'aria-invalid="true"' in field
    assert 'aria-describedby="email-fault email-hint"' in field
    assert 'role="alert"' in reply.text
    assert re.search(r'id="email-fault">.*No mail can be sent to this address', reply.text)
    assert not house.project.store.requests(1) or house.project.store.requests(1)[0].email != email


def test_nothing_written_is_asked_for(house: House) -> None:
    assert "Write your mail address." in words(house.http.post("/subscribe", {"email": " "}).text)
    assert house.http.post("/subscribe", {}).status == 422


def test_what_is_written_acts_nowhere(house: House) -> None:
    reply = house.http.post("/subscribe", {"email": '"><script>alert(1)</script>@example.org'})
    assert "<script" not in reply.text
    assert "&lt;script&gt;" in reply.text


def test_a_form_on_another_site_asks_for_nothing_by_itself(house: House) -> None:
    email = "lured@example.org"
    reply = house.http.post("/subscribe", {"email": email}, Sec_Fetch_Site="cross-site")
    assert reply.status == 200
    assert f'value="{email}"' in reply.text
    assert "press the button once more" in reply.text
    assert not house.noted(email)


def test_who_confirms_is_in_with_the_very_words_they_saw(house: House) -> None:
    email = "confirms@example.org"
    link = f"/confirm/{house.asks(email)}"
    shown = house.http.ask(link)
    assert shown.status == 200
    assert "next issue comes to c…@example.org" in words(shown.text)
    assert house.state(email) == "unconfirmed"
    done = house.http.post(link)
    assert (done.status, "You are in" in words(done.text)) == (200, True)
    assert house.state(email) == "confirmed"
    (said,) = re.findall(r'<p class="consent">(.*)</p>', shown.text)
    assert house.events(email)[0].words == f"by the form: {said}"
    preferences = re.search(r'href="\.\./(preferences/[\w-]+)"', done.text)
    assert preferences
    assert house.http.ask(f"/{preferences[1]}").status == 200
    # Pressed twice, or the link opened again: nothing new.
    assert "You are in already" in words(house.http.post(link).text)
    assert "You are in already" in words(house.http.ask(link).text)


def test_a_link_of_a_test_copy_says_that_it_is_one(house: House) -> None:
    house.quiet()
    before = house.dump()
    for page in ("confirm", "preferences", "unsubscribe"):
        for how in (house.http.ask, house.http.post, house.http.one_click):
            reply = how(f"/{page}/{TOKEN}")
            assert (reply.status, "This is a test copy" in words(reply.text)) == (200, True), page
    assert house.http.post(f"/unsubscribe/{TOKEN}", {"undo": TOKEN}).status == 200
    # As do those in the pages that an editor looks at.
    assert house.http.ask("/unsubscribe/sample").status == 200
    assert house.dump() == before


def test_a_link_that_opens_nothing_says_who_can_be_asked(house: House) -> None:
    reply = house.http.ask("/confirm/x")
    assert "Or write to editor@example.org" in words(reply.text)
    assert '<a href="mailto:editor@example.org">' in reply.text


def test_a_slash_too_many_leads_to_the_page(house: House) -> None:
    for target, to in (
        ("/subscribe/", "../subscribe"),
        ("/confirm/x%3Ay/", "../x%3Ay"),
        ("/preferences/x/?a=b", "../x"),
        ("/unsubscribe/x/", "../x"),
    ):
        reply = house.http.ask(target)
        assert (reply.status, reply.headers["location"]) == (308, to)
        assert house.http.post(target).status == 405
    assert house.http.ask("/subscribe//").status == 404


def test_a_link_that_is_too_old_offers_another(house: House) -> None:
    email = "late@example.org"
    link = f"/confirm/{house.asks(email, hours_ago=73)}"
    for reply in (house.http.ask(link), house.http.post(link)):
        assert reply.status == 410
        assert "72 hours" in words(reply.text)
        assert 'href="../subscribe"' in reply.text
    assert house.state(email) == "unconfirmed"


def test_a_confirmation_is_for_nothing_else(house: House) -> None:
    email = "other.purpose@example.org"
    token = house.asks(email)
    undo = TOKENS.dated("undo", TOKENS.uid(email), house.now - timedelta(hours=1))
    for target in (f"/unsubscribe/{token}", f"/preferences/{token}", f"/confirm/{undo}"):
        assert house.http.ask(target).status == 404
        assert house.http.post(target).status == 404
    assert house.state(email) == "unconfirmed"
