"""Every piece of text of a mail with its colour and what lies behind it: light, dark, forced (WCAG 2.2, 1.4.3).

What is read: elements, classes and whatever else a selector can say without
a pointer; colours with alpha; old attributes; `!important`; media queries on
the scheme and the width. Where it cannot be told (a picture behind the text,
a variable, an unknown query) the pair says so and has no ratio.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from pipeline.clients.cascade import Page
from pipeline.clients.colours import Colour, ratio
from pipeline.clients.computed import Looks, Viewer, Written
from pipeline.clients.media import Look

#: Large text is at least 24 px, or 18.66 px in bold: 18 and 14 points (WCAG 2.2, "large scale").
LARGE, LARGE_BOLD = 24.0, 18.66
#: As wide as a mail is read on a desktop.
WINDOW = 640

#: Signs that leave no ink: white space, and what preheaders are filled up with.
_BLANK = re.compile(
    r"[\s\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]*"
)


@dataclass(frozen=True, slots=True)
class Pair:
    """One piece of text in one way of looking at it."""

    #: "light", "dark" or "forced".
    scheme: Look
    #: On one line, and short.
    text: str
    #: As it is seen, opaque.
    colour: Colour
    background: Colour
    #: From 1 to 21; None if it cannot be told.
    ratio: float | None
    large: bool
    #: The declarations that made the two colours.
    ink: Written
    paper: Written
    #: The element that holds the text.
    tag: str
    classes: tuple[str, ...]
    #: Why there is no ratio; "" if there is one.
    unresolved: str = ""


def pairs(html: str, *, width: int = WINDOW, schemes: Sequence[Look] = get_args(Look)) -> Iterator[Pair]:
    """Yield each piece of visible text with its colours, scheme by scheme, in the order of the text."""
    page = Page(html)
    for scheme in schemes:
        viewer = Viewer(page, scheme, width)
        yield from _unmatched(page, scheme, viewer)
        for element, text, looks in _texts(page.root, viewer):
            if looks.seen and looks.colour.alpha > 0 and looks.size != 0:
                yield _pair(scheme, element, text, looks)


def _texts(root: Any, viewer: Viewer) -> Iterator[tuple[Any, str, Looks]]:
    """Yield every text with ink, the element it is in, and how that shows it."""
    around: dict[Any, Looks] = {root: viewer.of(root, viewer.start)}
    for node in root.iter():
        parent = node.getparent()
        if isinstance(node.tag, str):
            if parent is not None:
                around[node] = viewer.of(node, around[parent])
            if node.text and not _BLANK.fullmatch(node.text):
                yield node, node.text, around[node]
        if parent is not None and node.tail and not _BLANK.fullmatch(node.tail):
            yield parent, node.tail, around[parent]


def _pair(scheme: Look, element: Any, text: str, looks: Looks) -> Pair:
    colour = looks.colour.over(looks.background)
    size = looks.size or 0.0
    return Pair(
        scheme,
        _short(text),
        colour,
        looks.background,
        None if looks.problem else ratio(colour, looks.background),
        size >= LARGE or (looks.bold and size >= LARGE_BOLD),
        looks.ink,
        looks.paper,
        element.tag,
        tuple((element.get("class") or "").split()),
        looks.problem,
    )


def _unmatched(page: Page, scheme: Look, viewer: Viewer) -> Iterator[Pair]:
    """Yield a pair for each rule on colours of which it cannot be told what it matches."""
    for rule in page.rules:
        coloured = [
            d for d in rule.declarations if d.name in ("color", "background-color", "background-image")
        ]
        if rule.xpath or not coloured or rule.counts(scheme, viewer.width) is False:
            continue
        written = Written(coloured[0].value, coloured[0].name, rule.selector)
        start = viewer.start
        yield Pair(
            scheme, "", start.colour, start.background, None, False, written, written, "", (), rule.unresolved
        )


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 60 else f"{text[:59].rstrip()}…"
