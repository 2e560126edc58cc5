"""The page as a browser shows it: nothing that keeps anybody out, nothing to scroll sideways, nothing fetched."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from support.letter import Letter
from support.preview import previewing
from support.preview_page import SITE, shown

from pipeline.model import Approval, Standing, Trial
from pipeline.preview.options import VIEWS
from pipeline.preview.state import Fault

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from pipeline.preview.state import State

#: Every element with text of its own that is written smaller than 14 pixels.
SMALL = """() => [...document.querySelectorAll('body *')]
    .filter(e => [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()))
    .filter(e => parseFloat(getComputedStyle(e).fontSize) < 14).map(e => e.outerHTML.slice(0, 80))"""
#: Everything on the page that is pressed, lower than 44 pixels.
LOW = """() => [...document.querySelectorAll('button, summary, .group a, .acts a, input:not([type=hidden])')]
    .filter(e => e.checkVisibility() && e.getBoundingClientRect().height < 44).map(e => e.outerHTML.slice(0, 80))"""

#: Whether the buttons stand in the row of the header's title, and the steps touch nothing beside them.
BESIDE = """() => {
  const [title, steps, readers, acts] = ["h1", ".steps", ".readers", ".acts"]
    .map(each => document.querySelector(`#top ${each}`).getBoundingClientRect());
  const last = Math.max(...[...document.querySelectorAll(".step")].map(e => e.getBoundingClientRect().right));
  return acts.top < title.bottom && last <= readers.left && steps.left >= title.right;
}"""


def violations(page: Page) -> list[tuple[str, list[str]]]:
    """All that axe finds, of whatever impact, in the page and in its frame."""
    from axe_playwright_python.sync_playwright import Axe

    return [
        (fault["id"], [node["html"][:160] for node in fault["nodes"]])
        for fault in Axe().run(page).response["violations"]
    ]


@pytest.mark.browser
@pytest.mark.parametrize(
    ("width", "scheme", "queries"),
    [
        (1500, "light", ["?view=feed"]),
        (1500, "dark", ["?view=source&scheme=dark&reader=long"]),
        (390, "light", ["?view=outline&scheme=dark"]),
        (390, "dark", ["", "source?path=posts%2Flead.md&line=16"]),
    ],
)
def test_nobody_is_kept_out(
    browser: Browser, state: State, width: int, scheme: str, queries: list[str]
) -> None:
    with shown(browser, state, width, scheme) as (page, answers, go):
        for query in queries:
            go(query)
            for details in page.locator("details").all():
                details.evaluate("details => details.open = true")
            assert violations(page) == [], query
            assert page.evaluate(SMALL) == [], query
            assert page.evaluate("document.documentElement.scrollWidth") <= width, query
            if width == 390 and not query.startswith("source"):
                assert page.evaluate(LOW) == [], query
        assert all(address.startswith((SITE, "data:")) for address in answers.asked)


@pytest.mark.browser
def test_a_fault_and_an_empty_issue_keep_nobody_out_either(browser: Browser, state: State) -> None:
    fault = Fault("title is missing.", "posts/lead.md", 2, ((1, "---"), (2, "x" * 300), (3, "date: 2026")))
    for now, scheme in ((replace(state, faults=(fault,)), "dark"), (replace(state, look=None), "light")):
        with shown(browser, now, 320, scheme) as (page, _, _):
            assert page.evaluate("document.documentElement.scrollWidth") == 320
            assert violations(page) == []


@pytest.mark.browser
def test_a_long_name_and_twenty_findings_scroll_nothing_sideways(browser: Browser, state: State) -> None:
    look = state.look
    assert look is not None
    assert look.report is not None
    findings = look.report.findings
    many = [replace(each, path=f"posts/{'long-' * 30}{n}.md") for n in range(5) for each in findings]
    report = replace(look.report, findings=tuple(many))
    newsletter = state.settings.newsletter.model_copy(update={"name": "Donaudampfschifffahrts" * 6})
    settings = state.settings.model_copy(update={"newsletter": newsletter})
    wild = replace(state, settings=settings, mailer="a-mailer-" * 12, look=replace(look, report=report))
    with shown(browser, wild, 320) as (page, _, go):
        for query in ("", "?view=source&reader=long&text=200", "?view=web&text=200", "?w=full&images=off"):
            go(query)
            assert page.evaluate("document.documentElement.scrollWidth") == 320, query


@pytest.mark.browser
def test_there_is_room_for_what_is_to_be_seen(browser: Browser, state: State) -> None:
    assert state.look is not None
    ana = Approval("Dr Maximiliane Ännchen von der Großenheide-Wasserburg", state.now, "0" * 64, "0" * 64)
    standing = Standing((Trial("0" * 64, state.now, "ana"),), ana, ("the subject was “Rain”",))
    with shown(browser, replace(state, standing=standing)) as (page, _, go):
        # The buttons stay beside the steps, whatever those say; a long name is cut, and can still be read.
        assert page.evaluate(BESIDE)
        assert page.locator(".step .name").get_attribute("title") == ana.by
        assert page.locator(".step .name").evaluate("e => e.scrollWidth > e.clientWidth")
        # A line of 72 letters is one line.
        go("?view=text")
        words = page.frame_locator("#frame").locator(".text")
        assert (
            words.evaluate("e => { e.textContent = 'x '.repeat(36); return e.getClientRects()[0].height; }")
            < 30
        )
        # What to do next is not a whole mail away.
        page.set_viewport_size({"width": 390, "height": 800})
        go("")
        page.wait_for_function("() => parseInt(document.getElementById('frame').style.height) > 800")
        assert page.locator("#frame").evaluate("e => e.offsetHeight") == 640


@pytest.mark.browser
def test_without_a_script_every_view_and_switch_is_a_link(browser: Browser, state: State) -> None:
    with shown(browser, state, java_script_enabled=False) as (page, answers, go):
        go("")
        seen = {link.get_attribute("href") for link in page.locator(".switches a").all()}
        assert {f"/?view={view}" for view in VIEWS[1:]} <= seen
        assert {
            f"/?{each}" for each in ("w=320", "scheme=forced", "images=off", "text=200", "reader=none")
        } <= seen
        assert page.locator('[action="/test"] button').count() == 1
        assert page.locator('[action="/order"] button').count() == 4
        go("?view=source")
        with page.expect_download() as download:
            page.get_by_role("link", name="Download issue-1-short.eml").click()
        assert (
            download.value.path()
            .read_bytes()
            .startswith(b"From: The Letter <letter@example.org>\r\nTo: Jo Field")
        )
        assert all(address.startswith((SITE, "data:")) for address in answers.asked)


@pytest.mark.browser
def test_a_click_on_a_link_in_the_frame_leads_nowhere(browser: Browser, state: State) -> None:
    with shown(browser, state) as (page, answers, _):
        frame = page.frame_locator("#frame")
        for link in frame.locator("a").all():
            link.click()
        assert frame.get_by_text("Opening words of the whole.").is_visible()
        assert len(page.context.pages) == 1
        assert page.url == f"{SITE}/"
        assert all(address.startswith((SITE, "data:")) for address in answers.asked)


@pytest.mark.browser
def test_the_script_leaves_what_a_person_is_doing_alone(browser: Browser, sample: Letter) -> None:
    context = browser.new_context(viewport={"width": 1500, "height": 900}, color_scheme="dark")
    page = context.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda fault: wrong.append(str(fault)))
    page.on("console", lambda message: wrong.append(message.text))
    post = next(sample.root.glob("posts/*aura.md"))
    text = post.read_text("utf-8")
    mail = page.frame_locator("#frame").locator("body")

    def saved(new: str) -> None:
        version = page.evaluate("document.documentElement.dataset.version")
        post.write_text(new, "utf-8")
        page.wait_for_function("old => document.documentElement.dataset.version !== old", arg=version)

    with previewing(sample) as preview:
        page.goto(preview.url)
        page.wait_for_function("() => parseInt(document.getElementById('frame').style.height) > 1500")
        # A save is shown where one is: scrolled down, a disclosure open, an address half typed and in focus.
        page.locator("#links summary").click()
        page.locator("#act-test summary").click()
        page.locator("#to").type("me@exam")
        page.evaluate("scrollTo(0, 600)")
        saved(text.replace("For some people", "For many people"))
        assert mail.get_by_text("For many people").is_visible()
        assert page.evaluate("[scrollY, document.activeElement.id, document.activeElement.value]") == [
            600,
            "to",
            "me@exam",
        ]
        assert page.evaluate(
            "document.getElementById('links').open && document.getElementById('act-test').open"
        )
        # A fault stands above the last good render, and goes when it is mended.
        saved(text.replace("title:", "titel:", 1))
        assert "title is missing" in page.locator("#faults").inner_text()
        assert mail.get_by_text("For many people").is_visible()
        assert "Last good render" in page.locator("#stage").inner_text()
        saved(text)
        assert page.locator("#faults").inner_text().strip() == ""
        assert "Last good render" not in page.locator("#stage").inner_text()
        # Switches change the frame without a new page, and can be gone back from.
        page.keyboard.press("Escape")
        page.evaluate("window.same = true")
        page.get_by_role("link", name="Dark (ours)").press("Enter")
        page.wait_for_function("() => document.querySelector('#frame').src.endsWith('scheme=dark')")
        assert mail.evaluate("body => getComputedStyle(body).backgroundColor") == "rgb(17, 22, 24)"
        page.get_by_role("link", name="Outline").click()
        mail.get_by_text("What a screen reader hears").wait_for()
        page.go_back()
        page.wait_for_function("() => document.querySelector('#frame').src.endsWith('?scheme=dark')")
        assert page.evaluate("window.same")
        # What a form did is said, and the focus stays with what was moved.
        second = page.locator(".post .title").nth(1).inner_text()
        page.get_by_role("button", name=f"Move up: {second}").click()
        page.locator("#notice", has_text="Moved").wait_for()
        assert page.locator(".post .title").first.inner_text().endswith(second)
        page.wait_for_function("() => document.activeElement.title === 'Move down'")
        page.locator("#act-test summary").click()
        page.locator("#to").fill("me@example.org")
        page.locator("#to").press("Enter")
        page.locator("#notice", has_text="Sent a test copy").wait_for()
        assert not page.evaluate("document.getElementById('act-test').open")
        assert wrong == []
        # The connection gone, the page says so, and stays.
        preview.ends()
        page.locator("#connection", has_text="does not answer").wait_for()
    context.close()
