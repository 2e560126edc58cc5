"""For whom the issue is looked at: what readers of chosen categories get, in every view, before and after it is out."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

import html5lib
import pytest
from support.choosing import choose, opened, said
from support.letter import Letter
from support.messages import by_python
from support.preview import previewing
from support.preview_page import CLOCK, SITE, Answers, rich_letter, state_of
from support.preview_page import shown as opened_page

from pipeline.preview import choices
from pipeline.preview import export as exporting
from pipeline.preview.choices import part_of, with_part
from pipeline.preview.export import export
from pipeline.preview.frames import frame_html
from pipeline.preview.live import Live, Wanted
from pipeline.preview.options import Options
from pipeline.preview.page import page_html
from pipeline.preview.state import State
from pipeline.project import open_project

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

HILL = "https://letter.example.org/posts/lead/hill.png"
WORDS = {"lead": "Opening words of the whole", "second": "A second post", "arabic": "هل يسبب"}


def choosy(root: Path) -> Path:
    """A newsletter with posts about sleep, weather and nothing in particular, and readers of every kind."""
    project = open_project(rich_letter(root), CLOCK)
    for n in range(3):
        choose(project, f"all{n}@example.com")
    choose(project, "ana@example.com", "weather")
    choose(project, "bo@example.com", "sleep", "weather")
    choose(project, "cy@example.com", "sleep", "weather", "recipes")
    choose(project, "di@example.com", "recipes")
    choose(project, "ed@example.com", paused_until=project.now + timedelta(days=1))
    return root


@pytest.fixture(scope="module")
def some(tmp_path_factory: pytest.TempPathFactory) -> State:
    return state_of(choosy(tmp_path_factory.mktemp("choosy") / "letter"))


def looked_at(state: State, choice: str) -> State:
    return with_part(state, part_of(state, choice)) if choice else state


def page(state: State, **options: Any) -> str:
    """The page; the HTML standard's own parser finds no mistake in it."""
    choice = Options.read({"for": options.pop("for_", "")}).categories
    html = page_html(looked_at(state, choice), Options(categories=choice, **options), token="t0ken")
    html5lib.HTMLParser(strict=True).parse(html)
    return html


def offered(html: str) -> list[tuple[str, str, bool]]:
    """What can be chosen: address, words, whether it is what is shown."""
    nav = re.search(r'<nav class="whom".*?</nav>', html, re.DOTALL)
    links = re.findall(r'<a href="([^"]*)"( aria-current="true")?[^>]*><bdi>([^<]*)', nav[0]) if nav else []
    return [(href, words, bool(on)) for href, on, words in links]


def frame(state: State, choice: str, view: str = "html") -> str:
    return frame_html(looked_at(state, choice), Options(view=view, categories=choice))


def has(html: str) -> set[str]:
    return {post for post, words in WORDS.items() if words in html}


def test_the_choices_of_readers_are_links_with_their_numbers(some: State) -> None:
    assert offered(page(some)) == [
        ("/", "everything (3)", True),
        ("/?for=sleep+weather", "Sleep + Weather (2)", False),
        ("/?for=weather", "Weather (1)", False),
    ]
    assert [each[0] for each in offered(page(some, for_="weather", view="text")) if each[2]] == [
        "/?view=text&amp;for=weather"
    ]


def test_where_nobody_has_chosen_there_is_nothing_to_choose(state: State) -> None:
    assert offered(page(state)) == []
    assert [each[1:] for each in offered(page(state, for_="sleep"))] == [
        ("everything (0)", False),
        ("Sleep", True),
    ]


def test_every_view_of_the_mail_shows_what_was_chosen_and_page_and_feed_are_for_all(some: State) -> None:
    for view in ("html", "text", "outline"):
        assert has(frame(some, "weather", view)) == {"second"}, view
        assert "second" in has(frame(some, "", view)), view
    assert "A second post without an excerpt" in frame(some, "weather", "source")
    assert "A second post without an excerpt" not in frame(some, "sleep", "source")
    # With its pictures.
    assert f"/file?of={quote(HILL, safe='')}" in frame(some, "weather", "web")
    for view in ("web", "feed"):
        assert has(frame(some, "weather", view)) == has(frame(some, "", view)) == set(WORDS), view


def test_inbox_weight_message_and_posts_are_those_of_the_chosen_copy(some: State) -> None:
    whole, part = page(some), page(some, for_="weather")
    subject = re.compile(r'<span class="subject"><bdi>([^<]*)')
    assert set(subject.findall(part)) == {"A second post without an excerpt"}
    assert not set(subject.findall(whole)) & set(subject.findall(part))
    weight = re.compile(r"([\d.]+) kB of 102 kB")
    assert float(weight.search(part)[1]) < float(weight.search(whole)[1])  # type: ignore[index]
    assert part.count('class="post away"') == 2
    assert "away" not in whole
    lead = re.compile(r"Lead post: </span><a [^>]*><bdi>([^<]*)")
    assert lead.findall(part) == ["A second post without an excerpt"]
    assert 'title="The mail, 600 pixels wide, light, for readers of Weather"' in part
    # What is approved, and its checks, are the whole issue's.
    assert some.look is not None
    assert f"<code>{some.look.hash}</code>" in part
    assert re.search(r'id="h-checks">([^<]*)', part)[1] == re.search(r'id="h-checks">([^<]*)', whole)[1]  # type: ignore[index]


def test_any_combination_can_be_asked_for_in_whatever_spelling(some: State) -> None:
    assert Options.read({"for": "Weather, sleep  weather,--"}).categories == "sleep weather"
    assert Options(categories="sleep weather").query() == "for=sleep+weather"
    assert len(Options.read({"for": " ".join(f"c{n}" for n in range(5000))}).categories.split()) == 100
    assert has(frame(some, "sleep")) == {"lead"}
    assert [each[1] for each in offered(page(some, for_="sleep")) if each[2]] == ["Sleep"]
    assert [each[1] for each in offered(page(some, for_="recipes,weather")) if each[2]] == ["Weather (1)"]


def test_for_whom_nothing_is_in_it_the_page_says_so(some: State) -> None:
    html = page(some, for_="recipes")
    assert "Nothing in this issue is for readers of <bdi>recipes</bdi>" in html
    assert "<iframe" not in html
    assert html.count('class="post away"') == 3
    assert "Nothing to show" in frame(some, "recipes")


def test_who_gets_it_and_who_does_not_is_counted(some: State) -> None:
    html = page(some)
    assert "<strong>6</strong> readers" in html
    facts = re.findall(r"<dt>([^<]*)</dt><dd>([^<]*)</dd>", html)
    assert [each for each in facts if each[0] in ("Get it", "Chose nothing in it", "Paused", "By feed")] == [
        ("Get it", "6"),
        ("Chose nothing in it", "1"),
        ("Paused", "1"),
    ]


def test_many_choices_wait_in_a_disclosure_but_never_the_one_that_is_looked_at(some: State) -> None:
    variants = {"": 9, **{f"c{n}": 20 - n for n in range(12)}}
    many = replace(some, circulation=replace(some.circulation, variants=variants))
    html = page(many)
    assert "and 6 other choices" in html
    assert [each[1] for each in offered(html)][:3] == ["everything (9)", "c0 (20)", "c1 (19)"]
    assert len(offered(html)) == 13


def test_a_variant_that_cannot_be_made_says_why_in_the_banner(tmp_path: Path) -> None:
    root = choosy(tmp_path / "letter")
    settings = (root / "newsletter.toml").read_text("utf-8")
    (root / "newsletter.toml").write_text(
        f'{settings}[issue]\nsubject = "{{{{ posts[1].title }}}}"\n', "utf-8"
    )
    state = state_of(root)
    # It would stop the issue, and it does so in the preview.
    assert "for readers of Weather: issue.subject" in state.faults[0].message
    html = page(state, for_="weather")
    assert "This part of the issue cannot be made" in html
    assert "<iframe" not in html


# --- past issues -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Letter:
    """Sent, and its posts changed since."""
    letter = Letter(choosy(tmp_path_factory.mktemp("past") / "letter"))
    letter.replace("posts/lead.md", "It has {{ one }} error.", "")
    letter.replace("posts/lead.md", "![A hill in the rain](hill.png)", "")
    letter.replace(
        "posts/lead.md", '<img src="http://tracker.example/pixel.png" alt="A chart of nights">', ""
    )
    assert said(letter, "send", "--yes", clock=CLOCK).code == 0
    letter.replace("posts/second.md", "TODO more.", "Something else.")
    letter.replace("posts/second.md", "category: Weather", "category: Climate")
    return letter


def test_a_past_issue_shows_the_variants_that_were_frozen_and_makes_no_others(past: Letter) -> None:
    state = state_of(past.root, number=1)
    assert offered(page(state, issue=1)) == [
        ("/?issue=1", "everything (3)", True),
        ("/?for=sleep+weather&amp;issue=1", "Sleep + weather (2)", False),
        ("/?for=weather&amp;issue=1", "weather (1)", False),
    ]
    frozen = opened(past, CLOCK).store.frozen(1)
    assert frozen is not None
    text = next(each.text for each in frozen.variants if each.name == "weather").decode()
    assert "TODO more." in text
    shown = frame(state, "weather", "text")
    assert ("TODO more." in shown, "Something else." in shown, has(shown)) == (True, False, {"second"})
    html = page(state, for_="sleep", issue=1)
    assert "No copy was made for just this choice" in html
    facts = dict(re.findall(r"<dt>([^<]*)</dt><dd>([^<]*)</dd>", html))
    assert (facts["Readers"], facts["Chose nothing in it"], facts["Paused"]) == ("6", "1", "1")
    assert page(state, for_="weather", issue=1).count('class="post away"') == 2


# --- an export -----------------------------------------------------------------------------


def test_an_export_has_pages_for_the_choices_with_the_most_readers_and_says_what_it_leaves_out(
    some: State, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choices, "EXPORTED", 1)
    # Other switches have pages as ever; here they would only cost time.
    monkeypatch.setattr(exporting, "WIDTHS", ("600",))
    monkeypatch.setattr(exporting, "SCHEMES", ("light", "dark"))
    names = set(export(some, tmp_path))
    assert {"html-light-for-sleep+weather.html", "issue-1-sleep+weather-long.eml"} <= names
    assert not [name for name in names if "for-weather" in name]
    index = (tmp_path / "index.html").read_text("utf-8")
    assert "This export leaves out 1 other choice" in index
    for name in names - {each for each in names if "/" in each or not each.endswith(".html")}:
        text = (tmp_path / name).read_text("utf-8")
        targets = [each[0] for each in offered(text)] + re.findall(r'<iframe [^>]*src="([^"]*)', text)
        targets += re.findall(r'href="([^"]*)" download', text)
        assert len(targets) >= 3
        for target in targets:
            assert (tmp_path / unquote(target)).is_file(), (name, target)
    mail = by_python((tmp_path / "issue-1-sleep+weather-short.eml").read_bytes())
    assert has(mail.text) == {"lead", "second"}
    assert has((tmp_path / "frames/text-dark-for-sleep+weather.html").read_text("utf-8")) == {
        "lead",
        "second",
    }


# --- in a browser ---------------------------------------------------------------------------


def answering(state: State) -> Callable[..., Any]:
    """Answer as a server would that knows of choices."""

    class Choosing(Answers):
        def answer(self, path: str, query: dict[str, str]) -> tuple[str, bytes, str]:
            self.state = looked_at(state, Options.read(query).categories)
            return super().answer(path, query)

    return Choosing


def violations(page: Page) -> list[str]:
    from axe_playwright_python.sync_playwright import Axe

    return [fault["id"] for fault in Axe().run(page).response["violations"]]


@pytest.mark.browser
@pytest.mark.parametrize(("width", "scheme"), [(1500, "light"), (390, "dark")])
def test_choosing_keeps_nobody_out_and_scrolls_nothing_sideways(
    browser: Browser, some: State, monkeypatch: pytest.MonkeyPatch, width: int, scheme: str
) -> None:
    monkeypatch.setattr("support.preview_page.Answers", answering(some))
    wide = f"c{'x' * 150}"
    variants = dict(some.circulation.variants) | {f"{wide} c{n}": 1 for n in range(7)}
    many = replace(some, circulation=replace(some.circulation, variants=variants))
    with opened_page(browser, many, width, scheme) as (page, answers, go):
        for query in ("?for=weather", "?for=recipes"):
            go(query)
            for details in page.locator("details").all():
                details.evaluate("details => details.open = true")
            assert violations(page) == [], query
            assert page.evaluate("document.documentElement.scrollWidth") <= width, query
            if width == 390:
                low = "[...document.querySelectorAll('.whom a, .whom summary')].map(e => e.offsetHeight)"
                assert min(page.evaluate(low)) >= 44
        assert all(address.startswith((SITE, "data:")) for address in answers.asked)


@pytest.mark.browser
def test_a_click_chooses_in_place_and_without_a_script_a_link_leads_there(
    browser: Browser, some: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("support.preview_page.Answers", answering(some))
    for script in (True, False):
        with opened_page(browser, some, java_script_enabled=script) as (page, _, _):
            body = page.frame_locator("#frame").locator("body")
            page.get_by_role("link", name="Weather (1)", exact=True).click()
            body.get_by_role("heading", name=WORDS["second"]).first.wait_for()
            assert page.url.endswith("/?for=weather")
            assert page.locator(".whom [aria-current]").inner_text() == "Weather (1)"
            # From a part to nothing and back: the middle is another one.
            page.goto(f"{SITE}/?for=recipes")
            page.get_by_role("link", name="everything (3)").click()
            body.get_by_text(WORDS["lead"]).first.wait_for()


def test_what_is_looked_at_is_made_ready_with_each_look(tmp_path: Path) -> None:
    root = choosy(tmp_path / "letter")

    async def look() -> tuple[bool, bool, bool]:
        live = Live(Wanted(root, clock=CLOCK), lambda _: None)
        running = asyncio.create_task(live.run())
        await asyncio.sleep(0)
        before = "weather" in live.state.parts
        first = await live.shown(None, "weather")
        (root / "posts/second.md").write_text(
            "---\ntitle: T\ndate: 2026-11-19\ncategory: Weather\n---\nNew.\n"
        )
        await live.refresh()
        ready = live.state.parts["weather"].look
        again = await live.shown(None, "weather")
        live.close()
        await running
        assert first.part is not None
        assert ready is not None
        return before, again.shown is ready, b"New." in ready.frozen.text

    # In a thread of its own: the browser's driver has a loop in this one.
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(lambda: asyncio.run(look())).result(60) == (False, True, True)


# --- at work ---------------------------------------------------------------------------------


def test_a_save_shows_at_once_in_the_part_that_is_looked_at_and_a_test_copy_is_that_part(
    tmp_path: Path,
) -> None:
    letter = Letter(choosy(tmp_path / "letter"))
    with previewing(letter, clock=CLOCK) as preview, preview.listening() as listener:
        target = "/frame?for=weather&view=text"
        assert has(preview.ask(target).text) == {"second"}
        letter.replace("posts/second.md", "TODO more.", "A word that is new.")
        assert has(listener.until(preview, "A word that is new.", target)) == {"second"}
        letter.replace("posts/second.md", "category: Weather", "category: Climate")
        assert "Nothing in this issue" in listener.until(preview, "Nothing in this issue", "/?for=weather")
        said = preview.act("/test", to="ana@example.org", categories="climate")
        assert "Sent what readers of climate get to ana@example.org." in said
        (mail,) = letter.files("outbox/mail").values()
        assert has(by_python(mail).text) == {"second"}
        assert "Nothing in issue 1 is for readers of weather" in preview.act(
            "/test", to="ana@example.org", categories="weather"
        )
