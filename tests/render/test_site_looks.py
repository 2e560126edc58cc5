"""The site as a browser shows it: nothing to scroll sideways, nothing that keeps anybody out, nothing fetched."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.looks import checker, keeps_out, nu
from support.site import SmallSite

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

WIDE = (
    "| "
    + " | ".join(f"A long heading {n}" for n in range(8))
    + " |\n"
    + "|---" * 8
    + "|\n"
    + "| x " * 8
    + "|\n"
)
BODY = f"""An opening with a [link](https://example.com/), `code` and {"a-word-without-an-end-" * 8}.[^1]

## A heading in the middle

{WIDE}

```python
def pressure(hpa: float) -> str:  # {"a long comment " * 12}
    return "low" if hpa < 1000 else "high"
```

> Somebody said this.

1. One
2. Two

![A hill](hill.png)

[^1]: A footnote.
"""
PAGES = (
    "posts/p5/index.html",
    "issues/1/index.html",
    "index.html",
    "categories/sleep/index.html",
    "feeds/index.html",
    "issues/index.html",
    "posts/index.html",
    "404.html",
)


@pytest.fixture(scope="module")
def public(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site with everything on it, as files on a disk."""
    root = tmp_path_factory.mktemp("letter")
    site = SmallSite(
        root,
        newsletter={
            "name": "The Small Letter",
            "tagline": "A few words, once a week.",
            "postal_address": "12 Example Street, Exampletown",
            "footer_note": "General information, not advice.",
        },
    )
    svg = '<svg xmlns="http://www.w3.org/2000/svg" width="900" height="300"><rect width="900" height="300"/></svg>'
    (root / "posts" / "hill.svg").write_text(svg)
    for day in range(6):
        body = BODY.replace("hill.png", "hill.svg") if day == 5 else "Some words."
        site.write(
            f"p{day}",
            body,
            day,
            title=f"Number {day}: why a title may well run to a second line",
            category="Sleep" if day % 2 else "Weather",
            author="Dr A. Example",
            excerpt="One sentence that stands for the whole of it, and says what it is about.",
        )
    site.freeze(1, "p5", "p4", "p3", "p2", note="A word from the editor.")
    return site.write_out(root / "public")


@pytest.fixture
def page(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A browser page; parameters are width and colour scheme."""
    width, scheme = getattr(request, "param", (800, "light"))
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    yield context.new_page()
    context.close()


def open_page(page: Page, public: Path, name: str) -> list[str]:
    """Open a page from the disk; returns every address that was asked for."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto((public / name).as_uri())
    return asked


@pytest.mark.browser
@pytest.mark.parametrize(
    "page", [(320, "light"), (320, "dark"), (800, "light"), (800, "dark")], indirect=True
)
def test_no_page_keeps_anybody_out_or_scrolls_sideways(page: Page, public: Path) -> None:
    # Every page at the narrowest in the light and at a desk in the dark; the richest three otherwise.
    light = not page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    for name in PAGES if light == (page.viewport_size["width"] == 320) else PAGES[:3]:  # type: ignore[index]
        asked = open_page(page, public, name)
        if name == "404.html":  # its stylesheet lies at the root of a host
            page.add_style_tag(path=str(public / "style.css"))
        assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"], name  # type: ignore[index]
        assert keeps_out(page) == [], name
        assert all(address.startswith("file:") for address in asked), name


@pytest.mark.browser
@pytest.mark.parametrize("page", [(320, "light")], indirect=True)
def test_no_text_is_smaller_than_14_pixels(page: Page, public: Path) -> None:
    small = """() => [...document.querySelectorAll('body *')]
        .filter(e => [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()))
        .filter(e => parseFloat(getComputedStyle(e).fontSize) < 14)
        .map(e => e.outerHTML.slice(0, 80))"""
    for name in PAGES[:-1]:
        open_page(page, public, name)
        assert page.evaluate(small) == [], name


@pytest.mark.browser
@pytest.mark.parametrize(("page", "columns"), [((1200, "light"), 3), ((600, "light"), 1)], indirect=["page"])
def test_cards_stand_side_by_side_where_there_is_room(page: Page, public: Path, columns: int) -> None:
    open_page(page, public, "posts/p0/index.html")
    lefts = {round(card.bounding_box()["x"]) for card in page.locator(".card").all()}  # type: ignore[index]
    assert len(lefts) == columns


@pytest.mark.browser
def test_a_click_anywhere_on_a_card_opens_its_post(page: Page, public: Path) -> None:
    open_page(page, public, "posts/p0/index.html")
    card = page.locator(".card").nth(1)
    card.click(position={"x": 10, "y": 10})
    page.wait_for_url("**/posts/p4/index.html")
    assert page.locator("h1").inner_text().startswith("Number 4")


@pytest.mark.browser
def test_the_first_tab_leads_past_the_navigation(page: Page, public: Path) -> None:
    open_page(page, public, "posts/p0/index.html")
    page.keyboard.press("Tab")
    skip = page.locator(":focus")
    assert skip.inner_text() == "Skip to content"
    assert skip.bounding_box()["y"] >= 0  # type: ignore[index]
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.locator(":focus").inner_text() == "Weather"


@pytest.mark.browser
@pytest.mark.parametrize("page", [(800, "dark")], indirect=True)
def test_code_has_its_dark_colours_in_the_dark_and_its_light_ones_on_paper(page: Page, public: Path) -> None:
    open_page(page, public, "posts/p5/index.html")
    colour = "e => getComputedStyle(e).color"
    keyword = page.locator(".tok-keyword").first
    dark = keyword.evaluate(colour)
    page.emulate_media(media="print")
    assert keyword.evaluate(colour) != dark
    assert page.locator("nav").first.is_hidden()


def test_the_nu_checker_has_nothing_to_say(public: Path) -> None:
    assert nu(checker(), sorted(public.rglob("*.html"))) == []
