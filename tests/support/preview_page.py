"""The preview's page in a browser without a server: every request is answered by the functions that make it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

from pipeline.preview.frames import frame_html
from pipeline.preview.options import Options
from pipeline.preview.page import page_html
from pipeline.preview.sources import source_html
from pipeline.preview.templating import ASSETS

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
