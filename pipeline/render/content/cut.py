"""Cuts a post's tree after about so many words, where a reader would stop: between blocks, or between sentences."""

from __future__ import annotations

import re
from itertools import takewhile

from pipeline.render.content.settle import HEADINGS
from pipeline.render.content.tree import BLOCKS, Element

#: A body up to this much over the limit is shown whole: "read more" for two lines annoys.
GRACE = 1.25
#: Parts that may be taken one by one, if the whole is too much.
_DIVISIBLE = frozenset({"ul", "ol", "table", "tbody", "div", "details", "blockquote", "dl", "figure", ""})
_SENTENCE_END = re.compile(r"[.!?…][\"'”’»)\]]*(?=\s)|[。！？][」』”]?")
_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]|[^\s\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+")


def count(element: Element | str) -> int:
    """Count words; each letter of a script without spaces is one."""
    text = element if isinstance(element, str) else _spaced(element)
    return len(_WORD.findall(text))


def cut(root: Element, limit: int) -> Element | None:
    """Return a copy that stops after about `limit` words; None if the body is short enough to be shown whole."""
    body = [child for child in root.children if not _is_notes(child)]
    if sum(map(count, body)) <= limit * GRACE:
        return None
    taken, _ = _take(Element(children=body), limit)
    short = taken.clone()
    _drop_tail(short)
    notes = [child for child in root.children if isinstance(child, Element) and _is_notes(child)]
    for note in notes:
        kept = _notes(note, short)
        if kept is not None:
            short.children.append(kept)
    return short


def _take(element: Element, limit: int) -> tuple[Element, int]:
    """Take whole children while they fit, then part of the next one if there is little yet."""
    taken = Element(element.tag, dict(element.attrs))
    words = 0
    for child in element.children:
        size = count(child)
        if words + size <= limit:
            taken.children.append(child)
            words += size
            continue
        part = _part(child, limit - words) if words < limit / 2 else None
        if part is not None:
            taken.children.append(part)
            words += count(part)
        break
    return taken, words


def _part(child: Element | str, limit: int) -> Element | None:
    """Return the beginning of a block that is too long to be shown whole; None if it cannot be divided."""
    if isinstance(child, str):
        return None
    if child.tag == "pre":
        lines = child.text().split("\n")
        kept = list(takewhile(_Budget(limit).has_room_for, lines))
        return Element("pre", {}, [Element("code", {}, ["\n".join([*kept, "…"])])]) if kept else None
    if child.tag == "p" or (
        child.tag == "li" and not any(below.tag in BLOCKS for below in list(child.walk())[1:])
    ):
        return _clip(child, limit)
    if child.tag in _DIVISIBLE or child.tag == "li":
        taken, words = _take(child, limit)
        return taken if words else None
    return None


class _Budget:
    def __init__(self, words: int) -> None:
        self.words = words

    def has_room_for(self, text: str) -> bool:
        self.words -= count(text)
        return self.words >= 0


def _clip(paragraph: Element, limit: int) -> Element | None:
    """End a paragraph at its last sentence within the limit, else at a word, with an ellipsis."""
    text = _spaced(paragraph)
    ends = [match.end() for match in _SENTENCE_END.finditer(text) if count(text[: match.end()]) <= limit]
    if ends and count(text[: ends[-1]]) >= limit / 3:
        return _first(paragraph, ends[-1])[0]
    words = [match.end() for match in _WORD.finditer(text)][:limit]
    if not words:
        return None
    clipped = _first(paragraph, words[-1])[0]
    clipped.children.append("…")
    return clipped


def _first(element: Element, characters: int) -> tuple[Element, int]:
    """Copy an element with only its first characters, as `_spaced` counts them."""
    copy = Element(element.tag, dict(element.attrs))
    left = characters
    for child in element.children:
        if left <= 0:
            break
        if isinstance(child, str):
            copy.children.append(child[:left])
            left -= len(child)
        elif child.tag in ("img", "br"):
            copy.children.append(child.clone())
            left -= len(_spaced(child))
        else:
            part, left = _first(child, left)
            copy.children.append(part)
    return copy, left


def _spaced(element: Element) -> str:
    """Return the text below, with a space between blocks and none for images."""
    if element.tag in ("br", "hr", "img"):
        return " "
    text = "".join(child if isinstance(child, str) else _spaced(child) for child in element.children)
    return f" {text} " if element.tag in BLOCKS and element.tag != "p" else text


def _drop_tail(element: Element) -> None:
    """Let nothing end on a heading, a rule, a picture alone, a summary, or an introduction to what is gone."""
    while element.children:
        last = element.children[-1]
        if isinstance(last, str):
            if last.strip():
                return
        elif last.tag not in (*HEADINGS, "hr", "summary", "caption", "thead", "dt"):
            if last.tag in _DIVISIBLE:
                _drop_tail(last)
            if _says_something(last):
                return
        element.children.pop()


def _says_something(element: Element) -> bool:
    return bool(element.children) and bool(_spaced(element).strip())


def _is_notes(child: Element | str) -> bool:
    return isinstance(child, Element) and child.css == "c-footnotes"


def _notes(notes: Element, short: Element) -> Element | None:
    """Keep only the footnotes that the short body refers to, under their own numbers."""
    wanted = {below.text() for below in short.walk() if below.css == "c-footnote-ref"}
    copy = notes.clone()
    for ol in copy.walk():
        if ol.tag == "ol":
            items = [item for item in ol.children if isinstance(item, Element)]
            kept = [(number, item) for number, item in enumerate(items, 1) if str(number) in wanted]
            for number, item in kept:
                item.attrs["value"] = str(number)
            ol.children = [item for _, item in kept]
            return copy if kept else None
    return None
