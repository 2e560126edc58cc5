"""Breaks plain text into lines, by the columns a terminal or a mail client gives each letter."""

from __future__ import annotations

import re
import textwrap
import unicodedata
from functools import lru_cache

#: Columns of a line of plain text.
WIDTH = 72

_CJK = "\u2e80-\u303f\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff01-\uff60"
#: Pieces that may stand on a line of their own: a word with the space before it, or one wide letter.
_PIECES = re.compile(rf"[ \t]*(?:[^ \t{_CJK}]+|[{_CJK}])")
#: These may not begin a line; they stay with the letter before them (JIS X 4051, 6.1).
_CLOSING = "、。，．」』）】〕〉》！？：；…ー々"


def columns(text: str) -> int:
    """Count the columns of a text; wide letters take two, combining marks none."""
    if text.isascii():
        return len(text)
    return sum(map(_columns, text))


@lru_cache(maxsize=4096)
def _columns(letter: str) -> int:
    if unicodedata.category(letter) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(letter) in "WF" else 1


def wrap(text: str, width: int) -> list[str]:
    """Break a text into lines of at most `width` columns; what has no space (an address) stays whole.

    Line breaks in the text stay; runs of spaces become one, no-break spaces stay.
    """
    lines: list[str] = []
    for paragraph in text.split("\n"):
        lines += _wrap(re.sub(r"[ \t]+", " ", paragraph).strip(" "), width)
    return lines


def _wrap(text: str, width: int) -> list[str]:
    if text.isascii():
        plain = textwrap.wrap(
            text, max(width, 1), break_long_words=False, break_on_hyphens=False, expand_tabs=False
        )
        return plain or [""]
    lines, line, used = [], "", 0
    for match in _PIECES.finditer(text):
        piece = match[0]
        size = columns(piece)
        if line and used + size > width and piece.strip(" ") not in _CLOSING:
            lines.append(line)
            line = piece.lstrip(" ")
            used = columns(line)
        else:
            line += piece
            used += size
    return [*lines, line]


def pad(text: str, width: int, align: str = "left") -> str:
    """Fill a cell of a table with spaces up to `width` columns."""
    space = max(0, width - columns(text))
    if align == "right":
        return " " * space + text
    if align == "center":
        return " " * (space // 2) + text + " " * (space - space // 2)
    return text + " " * space
