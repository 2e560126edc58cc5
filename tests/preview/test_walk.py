"""An editor's evening in a real browser: look at everything, move a post, test, approve, save again."""

from __future__ import annotations

import email
import email.policy
from collections.abc import Iterator
from itertools import product
from typing import TYPE_CHECKING

import pytest
from support.letter import Letter, copy_sample
from support.preview import Preview, previewing

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, FrameLocator, Page

VIEWS = {
    "HTML": "Dear Jo Field,",
    "Text": "Dear Jo Field,",
    "Web page": "When Botox eases",
    "Feed entry": "When Botox eases",
    "Source": "Content-Transfer-Encoding: quoted-printable",
    "Outline": "When Botox eases",
}
PATIENCE = 15_000
SETTLED = """() => {
  const frames = [...document.querySelectorAll("iframe")];
  return frames.length === 1 && frames[0].contentWindow.location.search === location.search;
}"""
WIDTH = """width => {
  const frame = document.getElementById("frame");
  const box = frame?.getBoundingClientRect();
  return box && (width === "Full" || Math.abs(box.width - width) <= 2);
}"""


@pytest.fixture(scope="module")
def newsletter(tmp_path_factory: pytest.TempPathFactory) -> Letter:
    made = copy_sample(tmp_path_factory.mktemp("walk") / "letter")
    assert made.run("subscribers", "import", str(made.root / "readers.csv")).code == 0
    made.replace(
        "posts/2018-09-22-when-botox-eases-the-aura.md",
        "\n---\n\n",
        "\n---\n\n<img src='http://tracker.example.net/pixel.png' alt='a pixel' width='9' height='9'>\n\n",
    )
    return made


@pytest.fixture(scope="module")
def preview(newsletter: Letter) -> Iterator[Preview]:
    with previewing(newsletter) as made:
        yield made


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    made = browser.new_context(viewport={"width": 1500, "height": 900})
    made.set_default_timeout(PATIENCE)
    yield made
    made.close()


@pytest.fixture
def page(context: BrowserContext, preview: Preview) -> Iterator[Page]:
    """The page, which must complain of nothing and ask nobody else for anything."""
    page = context.new_page()
    asked: list[str] = []
    said: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda fault: said.append(str(fault)))
    page.goto(preview.url)
    yield page
    assert [url for url in asked if not url.startswith((preview.url, "data:"))] == []
    assert said == []


def shown(page: Page) -> FrameLocator:
    return page.frame_locator("#frame")


def press(page: Page, switch: str) -> None:
    """Follow a switch, and wait until the page shows what it says."""
    link = page.locator("#switches").get_by_role("link", name=switch, exact=True)
    link.click()
    page.locator("#switches a[aria-current]").get_by_text(switch, exact=True).wait_for()
    # The frame's new document comes beside the old one, which goes when the new one is there.
    page.wait_for_function(SETTLED)


def test_every_view_and_toggle(page: Page) -> None:
    for view, words in VIEWS.items():
        press(page, view)
        shown(page).get_by_text(words).first.wait_for()
    press(page, "HTML")
    for width, scheme in product(("320", "375", "Full", "600"), ("Dark (ours)", "Dark (forced)", "Light")):
        press(page, width)
        press(page, scheme)
        page.wait_for_function(WIDTH, arg=width)
        paper = shown(page).locator("td.paper, td[bgcolor]").first
        red = paper.evaluate("e => parseInt(getComputedStyle(e).backgroundColor.match(/\\d+/)[0])")
        assert (red < 60) == (scheme != "Light"), scheme
    for name, words in (
        ("Long name", "Dear Maximiliane"),
        ("No name", "Dear reader,"),
        ("Short name", "Dear Jo"),
    ):
        press(page, name)
        shown(page).get_by_text(words).first.wait_for()
    title = "e => parseFloat(getComputedStyle(e).fontSize)"
    heading = shown(page).get_by_role("heading", level=1)
    before = heading.evaluate(title)
    press(page, "Text 200%")
    shown(page).locator("body").wait_for()
    assert heading.evaluate(title) == 2 * before
    assert "@media" in "".join(shown(page).locator("style").all_inner_texts())
    press(page, "No <style>")
    assert "@media" not in "".join(shown(page).locator("style").all_inner_texts())
    press(page, "Images off")
    assert shown(page).locator("img").count() == 0


def test_a_picture_from_elsewhere_is_shown_as_blocked(page: Page) -> None:
    shown(page).get_by_text("Blocked").first.wait_for()
    assert "tracker.example.net" in shown(page).locator("body").inner_text()


def test_move_test_approve_and_save(page: Page, newsletter: Letter) -> None:
    titles = page.locator("#left .post .title")
    second = titles.nth(1).inner_text()
    page.get_by_role("button", name=f"Move up: {second}").click()
    page.locator("#left .post").first.get_by_role("link", name=second).wait_for()
    shown(page).get_by_role("heading", level=1, name=second).wait_for()
    listed = (newsletter.root / "issues/0001.md").read_text("utf-8")
    assert listed.index('- "a-weight-loss') < listed.index('- "when-botox')

    page.locator("summary", has_text="Send me a test").click()
    page.get_by_label("Your address").fill("ana@example.org")
    page.get_by_role("button", name="Send the test").click()
    page.locator("#notice", has_text="Sent a test copy to ana@example.org").wait_for()
    (copy,) = newsletter.files("outbox/mail").values()
    read = email.message_from_bytes(copy, policy=email.policy.default)
    assert str(read["Subject"]) == f"[TEST] {second}"
    page.locator(".step.done", has_text="Tested").wait_for()

    page.locator("summary", has_text="Approve").click()
    page.get_by_label("Your name", exact=True).fill("Ana Example")
    page.get_by_role("button", name="Approve this build").click()
    page.locator("#notice", has_text="Approved by Ana Example").wait_for()
    page.locator(".step.done", has_text="Approved").wait_for()
    assert 'approved: {by: "Ana Example"' in (newsletter.root / "issues/0001.md").read_text("utf-8")

    page.evaluate("() => scrollTo(0, 300)")
    place = page.evaluate("() => scrollY")
    assert place
    newsletter.replace(
        "posts/2025-12-15-a-weight-loss-drug-and-migraine.md", "\n---\n\n", "\n---\n\nQuite new. "
    )
    shown(page).get_by_text("Quite new.").wait_for()
    assert page.evaluate("() => scrollY") == place
    page.locator("#top", has_text="hanged since").wait_for()
    assert newsletter.run("send", "--yes").code == 6


def test_a_broken_file_stands_over_the_last_good_look(page: Page, newsletter: Letter) -> None:
    post = "posts/2007-09-22-botox-muscles-and-messages.md"
    before = (newsletter.root / post).read_text("utf-8")
    newsletter.replace(post, "Date: ", "Date: tomorow #")
    fault = page.locator("#faults", has_text="tomorow")
    fault.wait_for()
    line = before.splitlines().index(next(x for x in before.splitlines() if x.startswith("Date:"))) + 1
    assert f"{post}:{line}" in fault.inner_text()
    # Exactly one; its frame may just be exchanged.
    shown(page).get_by_role("heading", level=1).wait_for()
    newsletter.write(post, before)
    page.locator("#faults", has_text="tomorow").wait_for(state="detached")


def test_everything_can_be_reached_without_javascript(browser: Browser, preview: Preview) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(preview.url)
    reached = set()
    for place in range(page.locator("#switches a").count()):
        link = page.locator("#switches a").nth(place)
        reached.add(link.inner_text())
        link.click()
        page.locator("#frame").wait_for()
        page.wait_for_load_state("load")
        assert page.frames[1].locator("body").inner_text().strip()
        page.goto(preview.url)
    assert reached >= {*VIEWS, "320", "375", "600", "Full", "Dark (ours)", "Dark (forced)", "Images off"}
    context.close()


def test_a_keyboard_is_enough(page: Page) -> None:
    """Tab reaches the switches in order, and Enter follows them."""
    page.keyboard.press("Tab")
    assert page.evaluate("() => document.activeElement.className") == "skip"
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("() => document.activeElement.textContent") == "Outline":
            break
    page.keyboard.press("Enter")
    page.locator("#switches a[aria-current=page]", has_text="Outline").wait_for()
    assert page.evaluate("() => document.activeElement.textContent") == "Outline"
