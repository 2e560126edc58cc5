"""The sample in a browser: mail and pages at a phone and a desk, in light and dark, asking nobody for anything."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from support.letter import CLOCK, SECRET, Letter, copy_sample
from support.looks import STYLES, WIDEST, keeps_out, not_yet_inlined, opened

from pipeline import weekly
from pipeline.project import open_project

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser

MAIL = ".newsletter/issues/0001/email.html"
#: One of each kind; their templates are the same for all others.
PAGES = (
    "posts/when-botox-eases-the-aura/index.html",
    "issues/1/index.html",
    "index.html",
    "categories/botox/index.html",
    "feeds/index.html",
    "posts/index.html",
    "issues/index.html",
)
EVERYWHERE = pytest.mark.parametrize(
    ("width", "scheme"), [(320, "light"), (320, "dark"), (800, "light"), (800, "dark")]
)


@dataclass
class Window:
    """A browser's window that remembers what it was asked to fetch."""

    page: Page
    asked: list[str]

    def open(self, file: Path) -> Page:
        self.page.goto(file.as_uri())
        return self.page


@pytest.fixture
def window(browser: Browser, width: int, scheme: str) -> Iterator[Window]:
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)  # type: ignore[arg-type]
    asked: list[str] = []
    context.on("request", lambda request: asked.append(request.url))
    yield Window(context.new_page(), asked)
    context.close()


@EVERYWHERE
def test_nothing_keeps_anybody_out_runs_off_the_edge_or_asks_the_web(
    sent: Letter, window: Window, width: int, scheme: str
) -> None:
    for path in (MAIL, *(f"public/{each}" for each in PAGES)):
        page = window.open(sent.root / path)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        assert page.evaluate(WIDEST) == [] or path != MAIL
        assert keeps_out(page) == [], path
    strangers = [url for url in window.asked if urlsplit(url).scheme != "file"]
    assert strangers == []


@pytest.fixture(scope="module")
def around_inlining(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """The sample's mail as it is before inlining and after, with the marks of both still in."""
    letter = copy_sample(tmp_path_factory.mktemp("inlining") / "letter")
    project = open_project(letter.root, CLOCK, {"NEWSLETTER_SECRET": SECRET})
    with not_yet_inlined() as before:
        prepared = weekly.prepare_next(project, None, None)
    assert prepared is not None
    [page] = before
    return page, prepared.rendered.html


@pytest.mark.parametrize(("width", "scheme"), [(800, "light"), (320, "dark")])
def test_inlining_changes_the_style_of_no_element_of_the_mail(
    browser: Browser, around_inlining: tuple[str, str], width: int, scheme: str
) -> None:
    styles = []
    for html in around_inlining:
        with opened(browser, html, width, scheme) as page:
            styles.append(page.evaluate(STYLES))
    before, after = styles
    assert len(before) == len(after) > 60
    for one, other in zip(before, after, strict=True):
        assert one == other


def test_what_was_compared_is_what_was_sent(around_inlining: tuple[str, str], sent: Letter) -> None:
    _, html = around_inlining
    pieces = re.split(r"nl(?:name|unsubscribe|preferences|confirmed)[0-9a-f]{24}", html)
    assert len(pieces) == 5
    mail = (sent.root / MAIL).read_text("utf-8")
    assert re.fullmatch("[^<>]{3,99}".join(map(re.escape, pieces)), mail)
