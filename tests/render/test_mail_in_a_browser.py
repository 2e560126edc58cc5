"""The mail as a browser shows it: the same before and after inlining, readable by everyone, nothing off the edge."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
from support.looks import STYLES, WIDEST, keeps_out, not_yet_inlined, opened

from pipeline.model import Fingerprint, Issue, Post, RenderedIssue
from pipeline.render.addresses import Addresses
from pipeline.render.issue import render_issue
from pipeline.render.theme.theme import Theme
from pipeline.settings import Settings

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.browser

RICH = """
Words with `code`, *stress*, **weight**, ~~a slip~~, a [link](https://e.example/x) and a note.[^1] {long}

https://e.example/{long}/{long}

## A section

> Somebody said this, at some length, so that it has to wrap on a small screen.
>
> And this.

1. one
2. two
    - inner
    - [x] done

```python
def choose(posts: Iterable[Post], carried: Carried, now: datetime) -> Choice:
    \"\"\"Split posts into those the next issue takes and those it leaves.\"\"\"
    return "{long}" * 10_000  # a comment
```

    plain code {long}

| Trigger | Share | What was asked about it | Number |
|---|--:|:-:|---|
| Weather | 12 % | Low pressure, thunder, wind | 1234567890123456 |
| {long} | 3 % | `{long}` | [4](https://e.example/) |

| Trigger | What was asked about it, in many words that would squeeze the others |
|---|---|
| Weather | Low pressure, thunder, wind, and whatever else the sky may think of on such a day |

| Commonwealth | Commonwealth | Commonwealth | Commonwealth |
|---|---|---|---|
| Commonwealth | a | b | c |

### Third

![A chart of nothing](https://e.example/chart.png)

<details><summary>More</summary>

Hidden words.

</details>

<dl><dt>Term</dt><dd>What it means</dd></dl>

<figure><img src="https://e.example/b.png" alt="b" width="1200" height="10"><figcaption>A caption</figcaption></figure>

H<sub>2</sub>O<sup>2</sup> <kbd>Ctrl</kbd> <mark>seen</mark> <small>small</small> <abbr title="x">abbr</abbr>

#### Fourth

---

##### Fifth

###### Sixth

{words}

[^1]: The note itself.
""".replace("{words}", "Word after word. " * 100).replace("{long}", "Rindfleischetikettierungs" * 4)


class Bodies:
    def body(self, post: Post) -> str:
        return RICH if post.id == "rich" else "Nothing but text.\n\nAnd a second paragraph."


@pytest.fixture(scope="module")
def make(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., tuple[RenderedIssue, str]]:
    """Render an issue; beside it the same mail with its sheet in a <style> instead of in attributes."""

    @cache
    def render(show: str = "full", language: str = "en") -> tuple[RenderedIssue, str]:
        day = datetime(2026, 11, 20, tzinfo=UTC)
        posts = tuple(
            Post(
                id=name,
                slug=name,
                title=f"What {name} {'Rindfleischetikettierungs' * 3}",
                published=day,
                path=f"posts/{name}.md",
                digest=name,
                fingerprint=Fingerprint(name),
                authors=("Ana Example",),
                category="Triggers",
                excerpt=f"One sentence. https://e.example/{'long' * 30}",
            )
            for name in ("rich", "plain", "other")
        )
        settings = Settings.model_validate(
            {
                "newsletter": {
                    "language": language,
                    "url": "https://letter.example.org",
                    "postal_address": "12 Example Street",
                    "footer_note": "Not medical advice.",
                },
                "issue": {"show": show},
            }
        )
        issue = Issue(
            7, "The subject", "The preheader.", posts, posts[0], "A [note](https://n.example/).", day
        )
        with not_yet_inlined() as before:
            rendered = render_issue(
                issue,
                Bodies(),
                Addresses(settings, posts, tmp_path_factory.getbasetemp()),
                Theme([], settings),
                settings,
            )
        [page] = before
        return rendered, page

    return render


@pytest.mark.parametrize(("language", "width", "scheme"), [("en", 640, "light"), ("ar", 320, "dark")])
def test_inlining_changes_no_elements_style(
    browser: Browser, make: Callable[..., Any], language: str, width: int, scheme: str
) -> None:
    rendered, before = make(language=language)
    with opened(browser, before, width, scheme) as page:
        wanted = page.evaluate(STYLES)
    with opened(browser, rendered.html, width, scheme) as page:
        got = page.evaluate(STYLES)
    assert len(wanted) == len(got) > 100
    for one, other in zip(wanted, got, strict=True):
        assert one == other


@pytest.mark.parametrize(
    ("show", "language"), [("full", "en"), ("full", "ar"), ("lead", "en"), ("cards", "en")]
)
def test_nothing_runs_off_a_small_screen(
    browser: Browser, make: Callable[..., Any], show: str, language: str
) -> None:
    with opened(browser, make(show, language)[0].html, 320) as page:
        assert page.evaluate(WIDEST) == []
        assert page.evaluate("document.documentElement.scrollWidth") == 320


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("show", ["full", "cards"])
def test_axe_finds_nothing_serious(
    browser: Browser, make: Callable[..., Any], show: str, scheme: str
) -> None:
    with opened(browser, make(show)[0].html, 320, scheme) as page:
        assert keeps_out(page) == []
        if show == "full":
            page.set_viewport_size({"width": 800, "height": 900})
            assert keeps_out(page) == []


def test_dark_is_dark_and_light_is_light(browser: Browser, make: Callable[..., Any]) -> None:
    colours = """() => ['body', 'h1', 'h2 + p', 'td[bgcolor] p a'].map(name => {
        const element = document.querySelector(name), paper = element.closest('td') || element;
        return [getComputedStyle(paper).backgroundColor, getComputedStyle(element).color];
    })"""
    html = make()[0].html
    with opened(browser, html, 800) as page:
        light = page.evaluate(colours)
    with opened(browser, html, 800, "dark") as page:
        dark = page.evaluate(colours)
    assert light[:2] == [["rgb(243, 245, 244)", "rgb(27, 35, 39)"], ["rgb(255, 255, 255)", "rgb(27, 35, 39)"]]
    assert dark[:2] == [["rgb(17, 22, 24)", "rgb(232, 237, 238)"], ["rgb(26, 33, 36)", "rgb(232, 237, 238)"]]
    assert all(one != other for one, other in zip(light, dark, strict=True))


LINKS = """() => [...document.querySelectorAll('a')].map(a => {
  const style = getComputedStyle(a), box = a.getBoundingClientRect();
  return [a.textContent, style.textDecorationLine, Math.round(box.height),
          getComputedStyle(a.parentElement).backgroundColor];
})"""


def test_links_are_underlined_and_large_enough_to_tap(browser: Browser, make: Callable[..., Any]) -> None:
    with opened(browser, make("lead")[0].html, 320) as page:
        links = page.evaluate(LINKS)
    assert [line for text, line, *_ in links if text != "Read the full article"] == ["underline"] * (
        len(links) - 1
    )
    heights = {text: height for text, _, height, _ in links}
    assert heights["Read article"] == heights["Read the full article"] == 44
    assert heights["Unsubscribe"] >= 24  # WCAG 2.2, 2.5.8


def test_no_letter_is_smaller_than_14_pixels(browser: Browser, make: Callable[..., Any]) -> None:
    smallest = """() => Math.min(...[...document.body.querySelectorAll('*')].filter(element =>
        element.getClientRects().length && [...element.childNodes].some(node => node.nodeType == 3 && node.data.trim())
    ).map(element => parseFloat(getComputedStyle(element).fontSize)))"""
    with opened(browser, make()[0].html, 320) as page:
        assert page.evaluate(smallest) >= 14


def test_short_words_in_a_table_are_not_torn(browser: Browser, make: Callable[..., Any]) -> None:
    torn = """() => {
        const word = document.createRange();
        word.selectNodeContents(document.querySelectorAll('table:not([role])')[1].querySelector('td'));
        return new Set([...word.getClientRects()].map(box => box.top)).size > 1;
    }"""
    with opened(browser, make()[0].html, 320) as page:
        assert not page.evaluate(torn)


TABLE = """
| (instructions:u) | mean | range | count |
|:-:|:-:|:-:|:-:|
| Regressions (primary) | 0.4% | [0.2%, 0.5%] | 6 |
| Improvements (secondary) | -2.3% | [-16.0%, -0.1%] | 219 |
"""


def test_where_one_column_is_too_long_the_others_stay_whole(
    browser: Browser, make: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Bodies, "body", lambda self, post: TABLE)
    torn = """() => [...document.querySelectorAll('table:not([role]) :is(td, th):not(:first-child)')].filter(cell => {
        const word = document.createRange();
        word.selectNodeContents(cell);
        return /^[\\w.%]+$/.test(cell.textContent) && new Set([...word.getClientRects()].map(box => box.top)).size > 1;
    }).map(cell => cell.textContent)"""
    html = make.__wrapped__("full")[0].html  # type: ignore[attr-defined]  # not the one of the other tests
    with opened(browser, html, 320) as page:
        assert page.evaluate(torn) == []
        assert page.evaluate(WIDEST) == []


def test_outlooks_apps_in_the_dark_get_dark_colours(browser: Browser, make: Callable[..., Any]) -> None:
    html = make()[0].html.replace('role="article"', 'role="article" data-ogsc="" data-ogsb=""', 1)
    with opened(browser, html, 800) as page:
        paper = page.evaluate("getComputedStyle(document.querySelector('h1').closest('td')).backgroundColor")
        link = page.evaluate("getComputedStyle(document.querySelector('td[bgcolor] p a')).color")
    assert (paper, link) == ("rgb(26, 33, 36)", "rgb(127, 209, 207)")
