"""Finds tags, attributes and sheets in HTML by their place, so that a change leaves every other character alone."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from html import escape, unescape

#: A comment (also a conditional one, with all that only Outlook reads), a declaration, or a tag (HTML, 13.2.5).
_MARKUP = re.compile(
    r"<!--.*?(?:-->|\Z)|<[!?][^>]*>|</?[A-Za-z](?:[^>\"']|\"[^\"]*\"|'[^']*')*+>|</?[A-Za-z][^>]*>", re.DOTALL
)
_NAME = re.compile(r"<([A-Za-z][^\s/>]*)")
_ATTRIBUTE = re.compile(r"([^\s\"'<>/=]+)(?:\s*=\s*(\"[^\"]*\"|'[^']*'|[^\s\"'>]+))?")
#: What stands in these is text, whatever it looks like (HTML, 13.2.5.2 and 13.2.5.4).
_TEXT_ONLY = frozenset({"style", "script", "title", "textarea", "xmp", "iframe", "noembed", "noframes"})

#: A piece of a text to be exchanged: from, to (both places in the text), and what comes there.
Edit = tuple[int, int, str]


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute of a tag, as it is written."""

    #: Lower case.
    name: str
    #: Character references resolved; "" where there is none.
    value: str
    #: Its place, name and value with its quotes.
    start: int
    end: int

    def rewritten(self, value: str) -> Edit:
        """Return the edit that gives the attribute another value."""
        return self.start, self.end, f'{self.name}="{escape(value)}"'


@dataclass(frozen=True, slots=True)
class Tag:
    """A start tag."""

    #: Lower case.
    name: str
    start: int
    end: int
    attributes: tuple[Attribute, ...]
    #: Where the text of a `<style>` and its like ends; `end` for all others.
    text_end: int

    def get(self, name: str) -> Attribute | None:
        """Return the first attribute of that name: the one that counts."""
        return next((each for each in self.attributes if each.name == name), None)


def tags(html: str) -> Iterator[Tag]:
    """Yield all start tags outside of comments, in their order."""
    place = 0
    while found := _MARKUP.search(html, place):
        place = found.end()
        name = _NAME.match(found[0])
        if name is None:
            continue
        lower = name[1].lower()
        text_end = place
        if lower in _TEXT_ONLY:
            closing = re.compile(rf"</{re.escape(lower)}[\s/>]", re.IGNORECASE).search(html, place)
            text_end = closing.start() if closing else len(html)
        first = found.start() + name.end()
        attributes = tuple(
            Attribute(each[1].lower(), _plain(each[2] or ""), each.start(), each.end())
            for each in _ATTRIBUTE.finditer(html, first, found.end() - 1)
        )
        yield Tag(lower, found.start(), found.end(), attributes, text_end)
        place = text_end


def _plain(value: str) -> str:
    return unescape(value[1:-1] if value[:1] in ("'", '"') else value)


def edited(text: str, edits: Iterable[Edit]) -> str:
    """Return a text with pieces exchanged; they must not overlap."""
    parts: list[str] = []
    place = 0
    for start, end, new in sorted(edits, key=lambda edit: edit[:2]):
        parts += text[place:start], new
        place = end
    return "".join((*parts, text[place:]))


def styles(html: str, change: Callable[[str], str]) -> Iterator[Edit]:
    """Yield the edits that send every `<style>` and every style attribute through `change`."""
    for tag in tags(html):
        if tag.name == "style":
            text = html[tag.end : tag.text_end]
            if (new := change(text)) != text:
                yield tag.end, tag.text_end, new
        style = tag.get("style")
        if style and (new := change(style.value)) != style.value:
            yield style.rewritten(new)


def head_start(html: str) -> int:
    """Return the place where something can be put in front of all style sheets of a page."""
    for tag in tags(html):
        if tag.name == "head":
            return tag.end
        if tag.name != "html":
            return tag.start
    return len(html)
