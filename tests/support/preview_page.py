"""The preview's page in a browser without a server: every request is answered by the functions that make it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

from pipeline.preview.frames import frame_html
from pipeline.preview.gather import gather
from pipeline.preview.options import Options
from pipeline.preview.page import page_html
from pipeline.preview.sources import source_html
from pipeline.preview.templating import ASSETS
from pipeline.project import open_project
from support.pictures import png

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Route

    from pipeline.preview.state import State

SITE = "http://preview.test"
PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
FRAME_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; sandbox allow-same-origin; "
    "frame-ancestors 'self'; base-uri 'none'; form-action 'none'"
)
KINDS = {"css": "text/css", "js": "text/javascript", "png": "image/png", "html": "text/html; charset=utf-8"}

Answer = tuple[str, bytes, str]

CLOCK = "2026-11-22T08:00"
SETTINGS = """[newsletter]
name = "The <Small> Letter"
from = "The Letter <letter@example.org>"
url = "https://letter.example.org"
postal_address = "12 Example Street, Exampletown"
"""
#: A lead with everything that a frame has to keep at home.
LEAD = """---
title: "Snow & sleep: why a title may well run to a second line"
date: 2026-11-20
author: Dr A. Example
category: Sleep
excerpt: What the nights of one winter told.
---
Opening words of the whole. ![A hill in the rain](hill.png) A [diary](https://diary.example/two-weeks?a=1&b=2) helps.

<img src="http://tracker.example/pixel.png" alt="A chart of nights">

## A heading in the middle

Here: [one](https://one.example/) and [one](https://two.example/), and [once more](https://one.example/).

It has {{ one }} error.
"""
SECOND = """---
title: A second post without an excerpt
date: 2026-11-19
category: Weather
---
TODO more.
"""
ARABIC = """---
title: هل يسبب الطقس الصداع حقا؟
date: 2026-11-18
lang: ar
---
كلمات كثيرة عن الطقس والصداع.
"""
DRAFT = "---\ntitle: Botox at three months\ndate: 2026-11-17\ndraft: true\n---\nNot yet.\n"
FUTURE = "---\ntitle: Winter light\ndate: 2026-12-01\n---\nSoon.\n"


def rich_letter(root: Path) -> Path:
    """A newsletter with three posts, two that stay out, a picture of its own and one from elsewhere."""
    posts = root / "posts"
    posts.mkdir(parents=True)
    (root / "newsletter.toml").write_text(SETTINGS, "utf-8")
    named = {"lead": LEAD, "second": SECOND, "arabic": ARABIC, "draft": DRAFT, "future": FUTURE}
    for name, text in named.items():
        (posts / f"{name}.md").write_text(text, "utf-8")
    (posts / "hill.png").write_bytes(png(300, 120))
    return root


def state_of(root: Path, before: State | None = None, number: int | None = None) -> State:
    """What the preview knows of a newsletter's folder now."""
    return gather(open_project(root, CLOCK), number, before=before)


class Answers:
    """What a server of one state would say; `asked` holds every address that was wanted."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.asked: list[str] = []
        self.notice = ""

    def __call__(self, route: Route) -> None:
        url = route.request.url
        self.asked.append(url)
        parts = urlsplit(url)
        if f"{parts.scheme}://{parts.netloc}" != SITE:
            route.abort()
            return
        kind, body, policy = self.answer(parts.path, dict(parse_qsl(parts.query)))
        route.fulfill(
            body=body, headers={"Content-Type": kind, "Content-Security-Policy": policy} if kind else {}
        )

    def answer(self, path: str, query: dict[str, str]) -> Answer:
        options = Options.read(query)
        if path == "/frame":
            return KINDS["html"], frame_html(self.state, options).encode(), FRAME_POLICY
        if path == "/file":
            file = self.state.root / self.state.look.files[query["of"]]  # type: ignore[union-attr]
            return KINDS["png"], file.read_bytes(), FRAME_POLICY
        if path == "/source":
            text = (self.state.root / query["path"]).read_text("utf-8")
            page = source_html(self.state, query["path"], int(query.get("line", 0)) or None, text)
            return KINDS["html"], page.encode(), PAGE_POLICY
        if path == "/events":
            return "text/event-stream", f"retry: 60000\ndata: {self.state.version}\n\n".encode(), PAGE_POLICY
        if path.startswith("/assets/"):
            return (
                KINDS[path.rpartition(".")[2]],
                (ASSETS / path.removeprefix("/assets/")).read_bytes(),
                PAGE_POLICY,
            )
        page = page_html(self.state, options, token="t0ken", notice=self.notice)
        return KINDS["html"], page.encode(), PAGE_POLICY


@contextmanager
def shown(
    browser: Browser,
    state: State,
    width: int = 1500,
    scheme: str = "light",
    height: int = 1000,
    **context: object,
) -> Iterator[tuple[Page, Answers, Callable[[str], None]]]:
    """Open a state in the browser; yields the page, what was asked for, and how to go to another address."""
    answers = Answers(state)
    opened = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme=scheme,  # type: ignore[arg-type]
        **context,  # type: ignore[arg-type]
    )
    opened.route("**/*", answers)
    page = opened.new_page()
    page.goto(f"{SITE}/")
    yield page, answers, lambda query: page.goto(f"{SITE}/{query}") and None
    opened.close()
