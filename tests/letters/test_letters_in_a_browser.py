"""Letters as a browser shows them: readable by everyone in light and dark, nothing off the edge, easy to tap."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

import pytest
from support.letter import SECRET, copy_sample
from support.letters import ADDRESS, LATEST, bodies_of, letter, page_of, welcome_above
from support.looks import STYLES, WIDEST, keeps_out, opened
from support.sending import settings

from pipeline import weekly
from pipeline.clients.colours import css_colour, ratio
from pipeline.clients.contrast import pairs
from pipeline.model import LetterKind
from pipeline.project import open_project
from pipeline.render import letter as letter_module

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser

LETTERS = ("confirmation", "already", "welcome with a link", "welcome above an issue")
#: As long as they come, with a word that no line holds.
NAME = "Donaudampfschifffahrtsgesellschaftskapitän " * 3
Make = Callable[[str], str]
each = pytest.mark.parametrize("name", LETTERS)


@pytest.fixture(scope="module")
def make(tmp_path_factory: pytest.TempPathFactory) -> Make:
    """The page of a letter; the issue below the welcome is the sample's."""
    folder = tmp_path_factory.mktemp("sample")
    copy_sample(folder / "letter")
    project = open_project(folder / "letter", "2026-01-04T08:00", {"NEWSLETTER_SECRET": SECRET})
    prepared = weekly.prepare(project, weekly.collect(project, None, None))
    frozen = weekly.build(project, prepared).frozen
    project.store.close_database()  # type: ignore[attr-defined]

    @cache
    def page(name: str, language: str = "en") -> str:
        kind = LetterKind(name.split(maxsplit=1)[0])
        house = settings(**ADDRESS, tagline="Notes on headaches, once a week.", language=language)
        if name.endswith("issue"):
            both = welcome_above(frozen, house, NAME)
            assert both
            return both.html
        latest = LATEST if name.endswith("link") else None
        return bodies_of(letter(kind, name=NAME), house, latest=latest).html

    return page


TEXTS = """() => [...document.body.querySelectorAll('*')].filter(element =>
    element.getClientRects().length && [...element.childNodes].some(node => node.nodeType == 3 && node.data.trim())
).map(element => {
  let paper = element;
  while (getComputedStyle(paper).backgroundColor == 'rgba(0, 0, 0, 0)') paper = paper.parentElement;
  const style = getComputedStyle(element);
  return [element.textContent.trim(), style.color, getComputedStyle(paper).backgroundColor,
          parseFloat(style.fontSize), element.tagName, style.textDecorationLine,
          element.getBoundingClientRect().height];
})"""


@each
@pytest.mark.parametrize(("width", "scheme"), [(600, "light"), (320, "dark")])
def test_it_fits_it_is_read_by_everyone_and_easy_to_tap(
    browser: Browser, make: Make, name: str, width: int, scheme: str
) -> None:
    with opened(browser, make(name), width, scheme) as page:
        assert page.evaluate(WIDEST) == []
        assert page.evaluate("document.documentElement.scrollWidth") == width
        assert keeps_out(page) == []
        seen = page.evaluate(TEXTS)
    assert len(seen) > 5
    papers = set()
    for text, colour, paper, size, tag, line, height in seen:
        assert ratio(css_colour(colour), css_colour(paper)) >= 4.5, text
        assert size >= 14, text
        papers.add(paper)
        if tag == "A":
            button = colour in ("rgb(255, 255, 255)", "rgb(12, 36, 38)")
            assert button or line == "underline", text
            if text in ("Yes, it was me", "Preferences", "Unsubscribe", "Feeds"):
                # The foot of an issue has smaller ones (WCAG 2.2, 2.5.8).
                assert height >= (24 if "issue" in name else 44), text
    dark = {"rgb(17, 22, 24)", "rgb(26, 33, 36)", "rgb(127, 209, 207)"}
    assert (papers <= dark) is (scheme == "dark")


@pytest.mark.parametrize(
    ("kind", "language", "width", "scheme"),
    [(LetterKind.WELCOME, "en", 600, "light"), (LetterKind.CONFIRMATION, "ar", 320, "dark")],
)
def test_inlining_changes_no_elements_style(
    browser: Browser,
    monkeypatch: pytest.MonkeyPatch,
    kind: LetterKind,
    language: str,
    width: int,
    scheme: str,
) -> None:
    before: list[str] = []
    real = letter_module.inline

    def watched(page: str, css: str) -> str:
        before.append(
            page.strip().replace('<style data-premailer="ignore">', f"<style>{css}</style><style>", 1)
        )
        return real(page, css)

    monkeypatch.setattr(letter_module, "inline", watched)
    # Another address than in the other tests, so that no page is remembered.
    house = settings(postal_address=f"{scheme} street", language=language)
    html = page_of(kind, house, latest=LATEST).html
    with opened(browser, before.pop(), width, scheme) as page:
        wanted = page.evaluate(STYLES)
    with opened(browser, html, width, scheme) as page:
        got = page.evaluate(STYLES)
    assert len(wanted) == len(got) > 15
    assert wanted == got


def test_a_welcome_looks_alike_above_an_issue_of_another_theme(browser: Browser, make: Make) -> None:
    from pipeline.deliver.letter import Bodies, above

    greeting = bodies_of(letter(LetterKind.WELCOME), latest=LATEST, above_issue=True)
    bare = (
        "<html><head><title>x</title></head><body bgcolor=white><p class='paper'>An issue.</p></body></html>"
    )
    both = above(greeting, Bodies("", bare))
    assert both
    for scheme, paper in (("light", "rgb(255, 255, 255)"), ("dark", "rgb(26, 33, 36)")):
        with opened(browser, both.html, 600, scheme) as page:
            assert colour_under(page, "h1") == paper


def colour_under(page: Page, what: str) -> str:
    return str(
        page.evaluate(f"getComputedStyle(document.querySelector('{what}').closest('td')).backgroundColor")
    )


@each
def test_forced_into_the_dark_every_text_still_stands_out(make: Make, name: str) -> None:
    seen = list(pairs(make(name), schemes=["forced"]))
    assert len(seen) > 5
    assert [pair for pair in seen if pair.text and (pair.ratio is None or pair.ratio < 4.5)] == []
