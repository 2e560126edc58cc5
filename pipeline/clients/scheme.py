"""Shows a mail or page in one colour scheme, whatever scheme the person who looks at it prefers.

A frame follows its viewer's own preference, and `color-scheme` on the
`<iframe>` does not change what its media queries answer (measured in
Chromium 156). So the queries themselves are answered here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

from pipeline.clients.csstext import pieces
from pipeline.clients.markup import Edit, Tag, edited, styles, tags

Scheme = Literal["light", "dark"]

#: Media features that are always so, and never (Media Queries 4, 4.1: a negative width is allowed, and false).
_SO, _NEVER = "(min-width:0)", "(max-width:-1px)"

_GAP = r"(?:\s|/\*.*?\*/)*+"
_FEATURE = re.compile(
    rf"\({_GAP}prefers-color-scheme{_GAP}(?::{_GAP}(light|dark){_GAP})?\)", re.DOTALL | re.IGNORECASE
)
_ESCAPE = re.compile(r"\\([0-9a-fA-F]{1,6})\s?")

#: Elements whose `media` attribute decides (HTML, 4.2.4, 4.2.5, 4.2.6, 4.8.2).
_WITH_MEDIA = frozenset({"link", "style", "source", "meta"})
_SCHEME_NAMES = frozenset({"color-scheme", "supported-color-schemes"})


def in_scheme(html: str, scheme: Scheme) -> str:
    """Return a whole page that looks the same to everybody: as those see it who prefer `scheme`.

    Media queries, in sheets and in attributes, and what the page says of its
    own schemes (`color-scheme`) are answered; every other character stays.
    """
    edits = [*styles(html, lambda css: sheet_in_scheme(css, scheme))]
    for tag in tags(html):
        edits += _attributes(tag, scheme)
    return edited(html, edits)


def sheet_in_scheme(css: str, scheme: Scheme) -> str:
    """Return a sheet, or the content of a style attribute, for those who prefer `scheme`."""
    edits: list[Edit] = []
    for piece in pieces(css):
        text = css[piece.start : piece.end]
        if piece.name in ("@media", "@import"):
            edits.append((piece.start, piece.end, answered(text, scheme)))
        elif piece.kind == "declaration" and piece.name in _SCHEME_NAMES:
            edits.append((piece.start, piece.end, _chosen(text, scheme)))
    return edited(css, edits)


def answered(query: str, scheme: Scheme) -> str:
    """Return a media query with its question for the preferred scheme answered."""
    plain = _ESCAPE.sub(lambda found: chr(int(found[1], 16)), query) if "\\" in query else query
    if not _FEATURE.search(plain):
        return query
    return _FEATURE.sub(
        lambda found: _SO if found[1] is None or found[1].lower() == scheme else _NEVER, plain
    )


def mentions_scheme(query: str) -> bool:
    """Tell whether a media query asks for the preferred scheme."""
    return answered(query, "light") != query


def _attributes(tag: Tag, scheme: Scheme) -> Iterator[Edit]:
    media = tag.get("media") if tag.name in _WITH_MEDIA else None
    if media and (new := answered(media.value, scheme)) != media.value:
        yield media.rewritten(new)
    name, content = tag.get("name"), tag.get("content")
    if tag.name == "meta" and name and content and name.value.strip().lower() in _SCHEME_NAMES:
        new = _chosen(content.value, scheme)
        if new != content.value:
            yield content.rewritten(new)


def _chosen(value: str, scheme: Scheme) -> str:
    """Of the schemes that a page is made for return the one it would be shown in."""
    important = re.search(r"\s*!\s*important\s*$", value, re.IGNORECASE)
    offered = re.findall(r"\b(?:light|dark)\b", value, re.IGNORECASE)
    if len(offered) < 2:
        return value
    return (scheme if scheme in map(str.lower, offered) else offered[0]) + (important[0] if important else "")
