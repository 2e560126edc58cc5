"""The pages as a browser shows them: nothing that keeps anybody out, nothing to scroll sideways, nothing fetched."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from support.letter import Letter
from support.looks import WIDEST
from support.readers import TRUSTED, House, serve, token

from pipeline.model import Decision

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

#: Every element with text of its own that is written smaller than 14 pixels.
SMALL = """() => [...document.querySelectorAll('body *')]
    .filter(e => [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()))
    .filter(e => parseFloat(getComputedStyle(e).fontSize) < 14).map(e => e.outerHTML.slice(0, 80))"""
#: Everything in the page's own part that is pressed, lower than 44 pixels, a choice with its label.
LOW = """() => [...document.querySelectorAll('main button, main a, main .choice, main input:not([type=hidden])')]
    .filter(e => e.checkVisibility() && !e.closest('.trap') && !e.closest('.choice input, .choice label'))
    .filter(e => !(e.tagName === 'INPUT' && e.closest('.choice')))
    .filter(e => e.getBoundingClientRect().height < 44).map(e => e.outerHTML.slice(0, 80))"""
#: Sends a form as our own page would.
POST = """fields => {
  const form = document.createElement('form');
  form.method = 'post';
  for (const [name, value] of fields) {
    const input = document.createElement('input');
    [input.name, input.value] = [name, value];
    form.append(input);
  }
  document.body.append(form);
  form.submit();
}"""
SIZES = [(1500, "light"), (320, "dark"), (1500, "dark"), (320, "light")]
RICHEST = ("no address", "not saved")


def violations(page: Page) -> list[tuple[str, list[str]]]:
    """All that axe finds, of whatever impact."""
    from axe_playwright_python.sync_playwright import Axe

    return [
        (fault["id"], [node["html"][:160] for node in fault["nodes"]])
        for fault in Axe().run(page).response["violations"]
    ]


@contextmanager
def shown(browser: Browser, width: int, scheme: str, **options: object) -> Iterator[tuple[Page, list[str]]]:
    """A browser, and every address that it asks for."""
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, **options)  # type: ignore[arg-type]
    page, asked = context.new_page(), list[str]()
    page.on("request", lambda request: asked.append(request.url))
    yield page, asked
    context.close()


def pages(house: House) -> dict[str, tuple[str, list[tuple[str, str]] | None]]:
    """Every page there is: its address, and what is posted to it."""
    reader, leaver, gone, chooser, bounced = (house.reader("Maximiliane") for _ in range(5))
    house.project.store.decide(bounced, lambda _: Decision(suppress="bounced: no such mailbox"))
    house.project.store.unsubscribe(gone, house.now - timedelta(days=1))
    fresh, late = house.asks("fresh.looks@example.org"), house.asks("late.looks@example.org", hours_ago=80)
    new = house.asks("new.looks@example.org")
    leave, choose = (
        (lambda email: f"unsubscribe/{token('unsubscribe', email)}"),
        (lambda email: f"preferences/{token('preferences', email)}"),
    )
    long = f"a.rather.long.name@{'a-long-domain.' * 8}example"
    return {
        "subscribe": ("subscribe", None),
        "no address": ("subscribe", [("email", "nobody at all")]),
        "asked": ("subscribe", [("email", long)]),
        "confirm": (f"confirm/{fresh}", None),
        "confirmed": (f"confirm/{new}", [("x", "y")]),
        "too late": (f"confirm/{late}", None),
        "leave": (leave(reader), None),
        "left": (leave(leaver), [("x", "y")]),
        "gone": (leave(gone), None),
        "undo too late": (leave(gone), [("undo", "x")]),
        "preferences": (choose(reader), None),
        "saved": (choose(chooser), [("what", "some"), ("category", "botox"), ("until", "2026-02-03")]),
        "not saved": (choose(reader), [("what", "some"), ("until", "2036-02-03")]),
        "bounced": (choose(bounced), None),
        "wrong": ("unsubscribe/x", None),
        "a test copy's": ("unsubscribe/test", None),
    }


@pytest.mark.browser
@pytest.mark.parametrize("number", range(len(SIZES)))
def test_nobody_is_kept_out(browser: Browser, house: House, number: int) -> None:
    width, scheme = SIZES[number]
    every = pages(house)
    # Each page at one width in the light and at the other in the dark; the richest at both in both.
    turns = [name for at, name in enumerate(every) if at % 2 == number // 2 or name in RICHEST]
    with shown(browser, width, scheme) as (page, asked):
        for name in turns:
            path, fields = every[name]
            asked.clear()
            page.goto(house.http.url + path)
            if fields is not None:
                with page.expect_navigation():
                    page.evaluate(POST, fields)
            assert violations(page) == [], name
            assert page.evaluate(WIDEST) == [], name
            assert page.evaluate("document.documentElement.scrollWidth") <= width, name
            assert page.evaluate(SMALL) == [], name
            if width == 320:
                assert page.evaluate(LOW) == [], name
            # The sheet is let through by its digest, and there is nothing else to ask for.
            assert page.evaluate("getComputedStyle(document.querySelector('h1')).fontWeight") == "700", name
            assert {each for each in asked if "favicon" not in each} == {house.http.url + path}, name


@pytest.mark.browser
@pytest.mark.parametrize("language", ["de", "pl"])
def test_the_longer_words_of_other_languages_fit_a_phone_too(
    browser: Browser, sent: Letter, language: str
) -> None:
    env = {**TRUSTED, "NEWSLETTER_NEWSLETTER__LANGUAGE": language}
    with serve(sent, env=env) as http, shown(browser, 320, "light") as (page, _):
        for name, (path, fields) in pages(House(sent, http)).items():
            page.goto(http.url + path)
            if fields is not None:
                with page.expect_navigation():
                    page.evaluate(POST, fields)
            assert page.locator("html").get_attribute("lang") == language, name
            assert page.evaluate(WIDEST) == [], name
            assert page.evaluate("document.documentElement.scrollWidth") <= 320, name


@pytest.mark.browser
def test_a_reader_does_it_all_with_the_keyboard_and_without_a_script(browser: Browser, house: House) -> None:
    with shown(browser, 800, "light", java_script_enabled=False) as (page, _):
        page.goto(house.http.url + "subscribe")
        page.get_by_label("Your mail address").focus()
        page.keyboard.type("not an address")
        page.keyboard.press("Enter")
        page.get_by_role("alert").wait_for()
        # The field that is wrong has the focus, and what was written is still there.
        field = page.get_by_label("Your mail address")
        assert field.input_value() == "not an address"
        assert page.locator(":focus").get_attribute("id") == "email"
        field.fill("keyboard@example.org")
        # The next stop is the button: nobody comes by the trap.
        page.keyboard.press("Tab")
        assert page.locator(":focus").inner_text() == "Subscribe"
        page.keyboard.press("Enter")
        page.get_by_role("heading", name="Look in your mailbox").wait_for()
        assert house.noted("keyboard@example.org")

        email = house.reader()
        page.goto(f"{house.http.url}preferences/{token('preferences', email)}")
        assert page.get_by_role("checkbox").count() == 0
        page.get_by_label("Only what is in these categories").check()
        page.get_by_role("button", name="Save").click()
        page.get_by_role("link", name="Tick at least one category.").click()
        page.get_by_label("Botox").check()
        page.get_by_label("Pause: no issue before").fill("2026-03-01")
        page.get_by_role("button", name="Save").click()
        page.get_by_role("status").wait_for()
        assert page.get_by_label("Botox").is_checked()
        assert house.wants(email).categories == ("botox",)
        assert house.wants(email).paused_until is not None
        page.get_by_role("link", name="Leave altogether").click()
        page.get_by_role("button", name="Unsubscribe").click()
        page.get_by_role("heading", name="You are out").wait_for()
        assert house.state(email) == "unsubscribed"
        page.get_by_role("button", name="Undo").click()
        page.get_by_role("heading", name="You are in again").wait_for()
        assert house.state(email) == "confirmed"
        assert page.context.cookies() == []


@pytest.mark.browser
def test_the_focus_can_be_seen_and_the_error_is_more_than_a_colour(browser: Browser, house: House) -> None:
    with shown(browser, 800, "dark") as (page, _):
        page.goto(house.http.url + "subscribe")
        page.evaluate(POST, [("email", "x")])
        page.get_by_role("alert").wait_for()
        field = page.locator("#email")
        outline = field.evaluate("e => getComputedStyle(e).outlineStyle + getComputedStyle(e).outlineWidth")
        assert outline == "solid3px"
        assert field.evaluate("e => getComputedStyle(e).borderTopWidth") == "2px"
        assert "▲" in page.get_by_role("alert").inner_text()
        # Nor does its ring touch what stands below.
        ring = """e => { const style = getComputedStyle(e), below = document.getElementById('email-hint');
            return below.getBoundingClientRect().top - e.getBoundingClientRect().bottom
                - parseFloat(style.outlineWidth) - parseFloat(style.outlineOffset); }"""
        assert field.evaluate(ring) >= 2


@pytest.mark.browser
def test_a_name_of_one_long_word_fits_a_small_screen(browser: Browser, sent: Letter) -> None:
    name = {"NEWSLETTER_NEWSLETTER__NAME": "Donaudampfschifffahrtselektrizitaetenhauptbetriebswerk"}
    with serve(sent, env=name) as http, shown(browser, 360, "light") as (page, _):
        for path in ("subscribe", f"preferences/{token('preferences', 'ana@example.com')}", "confirm/x"):
            page.goto(http.url + path)
            assert page.evaluate("document.documentElement.scrollWidth") <= 360, path


def test_every_page_speaks_the_newsletters_language(house: House) -> None:
    for path, fields in pages(house).values():
        text = (house.http.ask(f"/{path}") if fields is None else house.http.post(f"/{path}", fields)).text
        assert '<html lang="en" dir="ltr">' in text
        assert len(re.findall(r"<h1>", text)) == 1
