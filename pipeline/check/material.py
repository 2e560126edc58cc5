"""What a check may look at, and how it finds the words that readers see and the line that wrote them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import TYPE_CHECKING

from pipeline.model import RenderedIssue

if TYPE_CHECKING:
    from pipeline.settings import Settings


@dataclass(frozen=True, slots=True)
class Material:
    """What a check may look at."""

    rendered: RenderedIssue
    settings: Settings
    #: Post id -> its Markdown body, to find the line of something seen in the rendered text.
    markdown: Mapping[str, str]


def short(text: str) -> str:
    """Return the text on one line, cut where a message would run off."""
    text = " ".join(text.split())
    return text if len(text) <= 80 else text[:79] + "…"


def words(text: str) -> str:
    """Level white space and typographic quotes, so that wrapped text compares equal."""
    return " ".join(re.sub(r"[^\w]+", " ", text).casefold().split())


def text_of(html: str, *, code: bool = True) -> str:
    """Return the text that readers of this HTML see; without `code`, not that in pre and code."""
    parser = _Text(code)
    parser.feed(html)
    parser.close()
    return "".join(parser.parts)


class _Text(HTMLParser):
    """Collects the text that readers see."""

    HIDDEN = frozenset({"style", "script", "head", "title"})
    CODE = frozenset({"pre", "code", "kbd", "samp"})

    def __init__(self, code: bool) -> None:
        super().__init__(convert_charrefs=True)
        self.skipped = self.HIDDEN if code else self.HIDDEN | self.CODE
        self.depth = 0
        self.parts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        self.depth += tag in self.skipped
        self.parts.append(" " if tag in ("br", "p", "td", "tr", "li", "div") else "")

    def handle_endtag(self, tag: str) -> None:
        self.depth -= tag in self.skipped and self.depth > 0

    def handle_data(self, data: str) -> None:
        if not self.depth:
            self.parts.append(data)


def where(m: Material, text: str) -> tuple[str, int | None]:
    """Find the post or note that wrote a piece of text; the theme's templates if none did."""
    issue = m.rendered.issue
    sources = [(post.path, post.body_line, m.markdown.get(post.id, "")) for post in issue.posts]
    for path, first, body in [*sources, (issue.path, issue.note_line, issue.note)]:
        # Typography may have changed quotes and dashes inside; the opening stays as written.
        for number, line in enumerate(body.split("\n"), first):
            if text in line or text[:2] in line:
                return path, number
    for post in issue.posts:
        for key in ("title", "excerpt", "category", "author"):
            if text[:2] in str(getattr(post, key, "")):
                return post.path, post.lines.get(key)
    return "templates/mail/", None
