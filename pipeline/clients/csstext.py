"""Finds rules and declarations in a style sheet by their place, so that a change leaves every other character alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

#: What a `;` or `{` inside of it does not end (CSS Syntax 3, 4.3).
_SHIELDED = r"/\*.*?(?:\*/|\Z)|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'|url\(\s*[^\"')\s][^)]*\)|\\."
_TOKEN = re.compile(rf"({_SHIELDED})|([(\[])|([)\]])|([{{}};])", re.DOTALL | re.IGNORECASE)
_COMMENT = re.compile(r"/\*.*?(?:\*/|\Z)|<!--|-->", re.DOTALL)
_DECLARATION = re.compile(r"(?:\s|/\*.*?\*/)*+([-\w]++)(?:\s|/\*.*?\*/)*+:", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a sheet: what stands before a `{`, or one declaration or statement."""

    kind: Literal["prelude", "declaration", "statement"]
    #: Of a declaration the property, of an at-rule its keyword with the @; lower case; else "".
    name: str
    #: Where the prelude, the statement or the declaration's value stands.
    start: int
    end: int


def pieces(css: str) -> Iterator[Piece]:
    """Yield the pieces of a sheet, or of a style attribute, in their order, nested rules included."""
    begin = depth = 0
    for token in _TOKEN.finditer(css):
        _, opens, closes, ends = token.groups()
        if opens:
            depth += 1
        elif closes:
            depth = max(0, depth - 1)
        elif ends and (not depth or ends != ";"):
            depth = 0
            yield from _piece(css, begin, token.start(), ends == "{")
            begin = token.end()
    yield from _piece(css, begin, len(css), False)


def _piece(css: str, start: int, end: int, opens: bool) -> Iterator[Piece]:
    text = _COMMENT.sub("", css[start:end]).strip()
    if not text:
        return
    keyword = re.match(r"@[-\w]+", text)
    if opens or keyword:
        yield Piece("prelude" if opens else "statement", keyword[0].lower() if keyword else "", start, end)
    elif found := _DECLARATION.match(css, start, end):
        yield Piece("declaration", found[1].lower(), found.end(), end)


def without_shielded(css: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield the stretches of a sheet outside of comments, texts and url(...)."""
    for token in re.compile(_SHIELDED, re.DOTALL | re.IGNORECASE).finditer(css, start, end):
        yield start, token.start()
        start = token.end()
    yield start, end
