"""Finds tags, attributes and sheets in HTML by their place, so that a change leaves every other character alone."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from html import escape, unescape

#: Where a comment, a declaration or a tag begins (HTML, 13.2.5.6).
_OPENING = re.compile(r"<(?:(?P<comment>!--)|(?P<other>[!?])|/?[A-Za-z])")
#: A tag as a whole; a quote means something after an equals sign only (HTML, 13.2.5.37).
_TAG = re.compile(r"</?([A-Za-z][^\s/>]*+)(?:=\s*+(?:\"[^\"]*\"|'[^']*')|[^>])*+>")
_ATTRIBUTE = re.compile(r"([^\s\"'<>/=]+)(?:\s*=\s*(\"[^\"]*\"|'[^']*'|[^\s\"'>][^\s>]*))?")
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
    while opening := _OPENING.search(html, place):
        if opening["comment"] or opening["other"]:
            # "<!-->" is a whole comment, and Outlook's conditions end with it.
            end = "-->" if opening["comment"] else ">"
            place = html.find(end, opening.start() + 2) + len(end)
            if place < len(end):
                return
            continue
        found = _TAG.match(html, opening.start())
        if found is None:
            return  # a tag that never ends takes all the rest with it
        place = found.end()
        if found[0][1] == "/":
            continue
        name, text_end = found[1].lower(), place
        if name in _TEXT_ONLY:
            closing = re.compile(rf"</{re.escape(name)}[\s/>]", re.IGNORECASE).search(html, place)
            text_end = closing.start() if closing else len(html)
        attributes = tuple(
            Attribute(each[1].lower(), _plain(each[2] or ""), each.start(), each.end())
            for each in _ATTRIBUTE.finditer(html, found.end(1), place - 1)
        )
        yield Tag(name, found.start(), place, attributes, text_end)
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
