"""Reads out of a mail what a screen reader says, in its order: landmarks, headings, links, pictures, text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html.parser import HTMLParser

#: Elements that are landmarks, and by which name (HTML-AAM 1.0, 3.5).
_LANDMARKS = {"main": "main", "nav": "navigation", "aside": "complementary"}
#: These are landmarks only where they belong to the whole page.
_OF_THE_PAGE = {"header": "banner", "footer": "content information"}
_SECTIONS = frozenset({"article", "aside", "main", "nav", "section"})
_ROLES = frozenset(
    {"article", "banner", "complementary", "contentinfo", "main", "navigation", "region", "search"}
)
_VOID = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
)
_SILENT = frozenset({"head", "style", "script", "template", "title"})
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
#: Where one stretch of text ends and another begins.
_BLOCKS = frozenset(
    {"p", "td", "th", "tr", "table", "div", "li", "ul", "ol", "br", "blockquote", "pre", "section"}
)
_ENDS_TEXT = frozenset({"h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "img"})
#: Words of running text that are shown; enough to know it again.
FIRST_WORDS = 14


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that is heard."""

    #: "landmark", "heading", "link", "picture" or "text".
    kind: str
    text: str
    #: Of a heading 1 to 6; else 0.
    level: int = 0
    #: Of a link its target, of a landmark its role.
    detail: str = ""


@dataclass(slots=True)
class _Open:
    """An element whose end is awaited."""

    tag: str
    hidden: bool
    kind: str = ""
    level: int = 0
    detail: str = ""
    #: A name that stands for the text inside.
    label: str = ""
    #: Where in the list of items its own begins, and what was heard inside so far.
    place: int = 0
    heard: str = ""


def outline(html: str) -> list[Item]:
    """List what is heard of a whole mail."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    reader.end_text()
    return reader.items


class _Reader(HTMLParser):
    """Walks through a document and keeps what is heard."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.items: list[Item] = []
        self.open: list[_Open] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        hidden = self._hidden() or self._hides(tag, given)
        if tag in _BLOCKS or tag in _ENDS_TEXT:
            self.end_text()
        if tag == "img" and not hidden:
            self._picture(given)
        if tag in _VOID:
            return
        element = _Open(tag, hidden, label=given.get("aria-label", "").strip())
        if not hidden:
            self._begin(element, given)
        self.open.append(element)

    def handle_endtag(self, tag: str) -> None:
        if not any(element.tag == tag for element in self.open):
            return
        if tag in _BLOCKS:
            self.end_text()
        while self.open:
            element = self.open.pop()
            self._end(element)
            if element.tag == tag:
                return

    def handle_data(self, data: str) -> None:
        if self._hidden():
            return
        named = [element for element in self.open if element.kind in ("heading", "link")]
        for element in named:
            element.heard += data
        if not named:
            self.text += data

    def end_text(self) -> None:
        """Note the running text that was heard so far."""
        words = _level(self.text).split()
        if words:
            shown = " ".join(words[:FIRST_WORDS])
            more = f" … ({len(words)} words)" if len(words) > FIRST_WORDS else ""
            self.items.append(Item("text", shown + more))
        self.text = ""

    def _hidden(self) -> bool:
        return bool(self.open) and self.open[-1].hidden

    def _hides(self, tag: str, given: dict[str, str]) -> bool:
        return (
            tag in _SILENT
            or given.get("aria-hidden") == "true"
            or "hidden" in given
            or bool(_HIDDEN.search(given.get("style", "")))
        )

    def _begin(self, element: _Open, given: dict[str, str]) -> None:
        tag = element.tag
        if re.fullmatch(r"h[1-6]", tag):
            element.kind, element.level = "heading", int(tag[1])
        elif tag == "a" and given.get("href"):
            self.end_text()
            element.kind, element.detail = "link", given["href"]
        elif role := self._landmark(tag, given.get("role", "")):
            self.end_text()
            self.items.append(Item("landmark", element.label, detail=role))
        element.place = len(self.items)

    def _landmark(self, tag: str, role: str) -> str:
        if role:
            return role if role in _ROLES else ""
        if tag in _OF_THE_PAGE and not any(element.tag in _SECTIONS for element in self.open):
            return _OF_THE_PAGE[tag]
        return _LANDMARKS.get(tag, "")

    def _picture(self, given: dict[str, str]) -> None:
        alt = given.get("alt")
        for element in self.open:
            if element.kind in ("heading", "link"):
                element.heard += f" {alt or ''} "
        if alt is None:
            self.items.append(Item("picture", "", detail="no alt text: a screen reader may read its address"))
        elif alt.strip():
            self.items.append(Item("picture", _level(alt)))

    def _end(self, element: _Open) -> None:
        if element.kind and not element.hidden:
            text = element.label or _level(element.heard)
            # Before what lies in it: a heading is announced before the link inside.
            self.items.insert(element.place, Item(element.kind, text, element.level, element.detail))


def _level(text: str) -> str:
    return " ".join(re.sub("[\u034f\u200b-\u200d\ufeff\u00a0]", " ", text).split())
