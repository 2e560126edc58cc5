"""A feed opened in a browser is a page: titles to click, excerpts to read, no markup and no dates for machines."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipeline.render.feeds.xml import atom, rss

if TYPE_CHECKING:
    from playwright.sync_api import Browser

HERE = Path(__file__).parent
SHEET = HERE.parents[1] / "templates" / "feeds" / "feed.css"
pytestmark = pytest.mark.browser


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("make", [rss, atom], ids=["rss", "atom"])
def test_a_person_sees_titles_and_excerpts_and_no_markup(
    browser: Browser, tmp_path: Path, make, scheme
) -> None:
    feed = runpy.run_path(str(HERE / "test_feeds.py"))["FEED"]
    (tmp_path / "feed.css").write_bytes(SHEET.read_bytes())
    (tmp_path / "all.xml").write_bytes(make(feed))
    context = browser.new_context(color_scheme=scheme, viewport={"width": 320, "height": 700})
    page = context.new_page()
    page.goto((tmp_path / "all.xml").as_uri())
    seen = page.evaluate(
        """() => [...document.querySelectorAll('*')].filter(e => e.checkVisibility() && !e.children.length)
               .map(e => e.textContent.trim()).filter(Boolean)"""
    )
    links = page.evaluate(
        "[...document.querySelectorAll('a')].filter(a => a.checkVisibility()).map(a => a.href)"
    )
    wide = page.evaluate("document.documentElement.scrollWidth > innerWidth")
    phone = page.evaluate("!!document.querySelector('meta[name=viewport]')")
    context.close()
    assert seen == [
        "This is a feed. Copy its address into a feed reader, and new posts come to you.",
        f"https://letter.example.org/feeds/all.{make.__name__}.xml",
        "The Headache Letter",
        "Once a week",
        "December 15, 2025 · Triggers",
        "Snow & <light>",
        "Why <white> & bright hurts.",
        "1. Juli 2025 · Triggers",
        "Sonne",
        "Why <white> & bright hurts.",
    ]
    assert links == [feed.url, *(entry.url for entry in feed.entries)]
    assert not wide
    assert phone
