"""Readers leave by themselves: by a mail program's button, or by the link, and may take it back for ten minutes."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from support.readers import FORM, ONE_CLICK, TOKENS, House, token, words

from pipeline import subscribing


def link(email: str) -> str:
    return f"/unsubscribe/{token('unsubscribe', email)}"


PARTS = '--b0undary\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--b0undary--\r\n'


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (ONE_CLICK, FORM),
        (ONE_CLICK, f"{FORM}; charset=UTF-8"),
        (PARTS, "multipart/form-data; boundary=b0undary"),
        (PARTS, 'Multipart/Form-Data; charset=utf-8; Boundary="b0undary"'),
    ],
)
def test_one_click_lets_a_reader_leave(house: House, body: str, kind: str) -> None:
    email = house.reader()
    for _ in range(2):  # a mail program that got no answer asks again
        reply = house.http.one_click(link(email), body, kind)
        assert reply.status == 200
        assert reply.headers["content-type"].startswith("text/plain")
        assert "set-cookie" not in reply.headers
        assert "location" not in reply.headers
        assert len(reply.body) < 200
        assert house.state(email) == "unsubscribed"
    (left,) = house.events(email)
    assert left.words == "one click"


@pytest.mark.parametrize(
    ("body", "kind"), [("", ""), ("x", "application/json"), ("%zz=\xff", FORM), ("--", "multipart/form-data")]
)
def test_nobody_is_kept_by_a_form_that_cannot_be_read(house: House, body: str, kind: str) -> None:
    email = house.reader()
    assert house.http.ask(link(email), "POST", body.encode("latin-1"), Content_Type=kind).status == 200
    assert house.state(email) == "unsubscribed"


def test_the_footers_link_asks_first(house: House) -> None:
    email = house.reader(name="<script>alert(1)</script>")
    page = house.http.ask(link(email))
    assert page.status == 200
    assert "Leave The Headache Letter?" in words(page.text)
    assert page.text.count("<button") == 1
    assert "<script" not in page.text
    assert house.state(email) == "confirmed"
    preferences = re.search(r'href="\.\./(preferences/[\w-]+)"', page.text)
    assert preferences
    assert house.http.ask(f"/{preferences[1]}").status == 200


def undo_of(page: str) -> str:
    found = re.search(r'name="undo" value="([\w-]+)"', page)
    assert found
    return found[1]


def test_it_can_be_taken_back_for_ten_minutes(house: House) -> None:
    email = house.reader()
    page = house.http.post(link(email))
    assert (page.status, "You are out" in words(page.text)) == (200, True)
    assert house.state(email) == "unsubscribed"
    # Opened again meanwhile, the link still shows the way back.
    back = undo_of(house.http.ask(link(email)).text)
    assert back == undo_of(page.text)
    for _ in range(2):  # pressed twice
        again = house.http.post(link(email), {"undo": back})
        assert "You are in again" in words(again.text)
        assert f'href="../preferences/{token("preferences", email)}"' in again.text
        assert house.state(email) == "confirmed"


def test_after_ten_minutes_it_cannot(house: House) -> None:
    email = house.reader()
    at = house.now - timedelta(minutes=11)
    subscribing.leave(house.project, token("unsubscribe", email), "the page", at)
    reply = house.http.post(link(email), {"undo": TOKENS.dated("undo", TOKENS.uid(email), at)})
    assert (reply.status, "Subscribe again" in words(reply.text)) == (410, True)
    assert house.state(email) == "unsubscribed"
    shown = house.http.ask(link(email)).text
    assert "You are out" in words(shown)
    assert 'name="undo"' not in shown


def test_nobody_takes_back_what_another_did(house: House) -> None:
    one, other = house.reader(), house.reader()
    backs = {email: undo_of(house.http.post(link(email)).text) for email in (one, other)}
    for wrong in (backs[other], backs[one][:-1], "x", token("unsubscribe", one)):
        assert house.http.post(link(one), {"undo": wrong}).status == 410
    assert house.state(one) == "unsubscribed"


def test_every_wrong_token_looks_alike(house: House) -> None:
    email = house.reader()
    good = token("unsubscribe", email)
    wrong = [
        "x",
        good[:-1],
        good + "A",
        ("A" if good[0] != "A" else "B") + good[1:],
        good[:-1] + ("A" if good[-1] != "A" else "E"),
        token("preferences", email),
        TOKENS.dated("unsubscribe", TOKENS.uid(email), house.now),
        "%00" * 12,
        "%C3%A9" * 36,
        "A" * 5000,
    ]
    for page in ("unsubscribe", "preferences", "confirm"):
        for how in (house.http.ask, house.http.post, house.http.one_click):
            seen = set()
            for each in wrong:
                if (page, each) != ("preferences", token("preferences", email)):
                    reply = how(f"/{page}/{each}")
                    told = {name: value for name, value in reply.headers.items() if name != "date"}
                    seen.add((reply.status, reply.text, str(told)))
            assert [status for status, _, _ in seen] == [404], (page, how)
    assert house.state(email) == "confirmed"


def test_somebody_who_was_forgotten_has_left_and_a_mail_program_is_told_so(house: House) -> None:
    email = house.reader()
    house.project.store.forget(email, house.now)
    assert house.http.one_click(link(email)).status == 200
    assert house.project.store.subscriber(email) is None
    for reply in (house.http.ask(link(email)), house.http.post(link(email), {"leave": "yes"})):
        assert (reply.status, "does not work" in reply.text) == (404, True)
