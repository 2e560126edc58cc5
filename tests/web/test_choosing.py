"""Readers choose by themselves: everything, some categories, a pause, or feeds alone."""

from __future__ import annotations

import re
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from support.readers import House, token, words

from pipeline import subscribing
from pipeline.model import Decision, Preferences

ZONE = ZoneInfo("America/New_York")


def link(email: str) -> str:
    return f"/preferences/{token('preferences', email)}"


def ticked(page: str) -> list[str]:
    return re.findall(r'<input [^>]*value="([\w-]*)"[^>]* checked>', page)


def test_it_shows_what_stands(house: House) -> None:
    email = house.reader(name="<b>Ana</b>")
    page = house.http.ask(link(email)).text
    assert ticked(page) == ["all"]
    assert re.findall(r'name="category" value="([\w-]+)"', page) == [
        "alternative-therapies",
        "botox",
        "cluster-headaches",
    ]
    assert "<b>Ana" not in page
    leave = re.search(r'href="\.\./(unsubscribe/[\w-]+)"', page)
    assert leave
    assert house.http.ask(f"/{leave[1]}").status == 200


@pytest.mark.parametrize(
    ("fields", "wants", "shown"),
    [
        (
            [("what", "some"), ("category", "cluster-headaches"), ("category", "botox"), ("until", "")],
            Preferences(("botox", "cluster-headaches")),
            ["some", "botox", "cluster-headaches"],
        ),
        ([("what", "feed")], Preferences(feed_only=True), ["feed"]),
        (
            [("what", "all"), ("category", "botox"), ("until", "2026-02-01")],
            Preferences(paused_until=datetime(2026, 2, 1, tzinfo=ZONE)),
            ["all"],
        ),
        (
            [("what", "some"), ("category", "botox"), ("category", "no-such")],
            Preferences(("botox",)),
            ["some", "botox"],
        ),
    ],
)
def test_what_is_chosen_is_saved_and_shown(
    house: House, fields: list[tuple[str, str]], wants: Preferences, shown: list[str]
) -> None:
    email = house.reader()
    reply = house.http.post(link(email), fields)
    assert reply.status == 200
    assert "Saved." in words(reply.text)
    assert house.wants(email) == wants
    assert ticked(reply.text) == shown == ticked(house.http.ask(link(email)).text)
    until = dict(fields).get("until", "")
    assert f'value="{until}" aria-describedby' in reply.text
    # And back to everything.
    house.http.post(link(email), {"what": "all", "until": ""})
    assert house.wants(email) == Preferences()


def test_a_category_that_no_post_has_any_more_stays_chosen(house: House) -> None:
    email = house.reader()
    token_of = token("preferences", email)
    subscribing.prefer(house.project, token_of, Preferences(("gone",)), house.now)
    assert ticked(house.http.ask(link(email)).text) == ["some", "gone"]
    house.http.post(link(email), [("what", "some"), ("category", "gone"), ("category", "botox")])
    assert house.wants(email).categories == ("botox", "gone")


@pytest.mark.parametrize(
    ("fields", "at", "said"),
    [
        ({"what": "some"}, "category-1", "Tick at least one category."),
        ({"what": "some", "category": "no-such"}, "category-1", "Tick at least one category."),
        ({"until": ""}, "what-all", "Choose one of these."),
        (
            {"what": "all", "until": "2026-01-04"},
            "until",
            "Write a day between January 5, 2026 and January 4, 2027.",
        ),
        ({"what": "all", "until": "2027-01-05"}, "until", "Write a day between"),
        ({"what": "all", "until": "20260201"}, "until", "Write a day between"),
        ({"what": "all", "until": "soon<b>"}, "until", "Write a day between"),
        ({"what": "all", "until": "9999-99-99"}, "until", "Write a day between"),
    ],
)
def test_what_cannot_be_is_said_beside_its_field(
    house: House, fields: dict[str, str], at: str, said: str
) -> None:
    email = house.reader()
    reply = house.http.post(link(email), fields)
    assert reply.status == 422
    assert said in words(reply.text)
    assert f'href="#{at}"' in reply.text
    assert f'id="{at}"' in reply.text
    assert 'role="alert"' in reply.text
    assert "<b>" not in reply.text
    assert house.wants(email) == Preferences()


def test_a_pause_of_a_year_is_kept_to_the_day(house: House) -> None:
    email = house.reader()
    reply = house.http.post(link(email), {"what": "all", "until": "2027-01-04"})
    assert (reply.status, 'value="2027-01-04"' in reply.text) == (200, True)
    assert house.wants(email).paused_until == datetime(2027, 1, 4, tzinfo=ZONE)


def test_who_has_left_chooses_nothing(house: House) -> None:
    email = house.reader()
    house.project.store.unsubscribe(email, house.now)
    for reply in (house.http.ask(link(email)), house.http.post(link(email), {"what": "feed"})):
        assert "You are out" in words(reply.text)
        assert "Saved." not in words(reply.text)
    assert house.wants(email) == Preferences()


def test_who_bounced_is_told_and_can_come_back(house: House) -> None:
    email = house.reader()
    house.project.store.decide(email, lambda _: Decision(suppress="bounced: no such mailbox"))
    for reply in (house.http.ask(link(email)), house.http.post(link(email), {"what": "all"})):
        assert "came back, so nothing is sent there at the moment" in words(reply.text)
        assert re.search(r'<a href="\.\./subscribe">Subscribe again</a>', reply.text)
    # Of anything else that stands in the way nothing is said: the form does not help there.
    email = house.reader()
    house.project.store.decide(email, lambda _: Decision(suppress="an editor's word"))
    assert "came back" not in words(house.http.ask(link(email)).text)


def test_another_sites_page_changes_nothing(house: House) -> None:
    email = house.reader()
    reply = house.http.post(link(email), {"what": "feed"}, Sec_Fetch_Site="cross-site")
    assert "Saved." not in words(reply.text)
    assert house.wants(email) == Preferences()
