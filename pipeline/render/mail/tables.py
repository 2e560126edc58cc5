"""Says of each table in a mail whether its words need breaking: to break every word would tear short ones apart too.

A mail has no sideways scroll. Where a client would have to break words to
keep a table on the paper, the theme allows it, and only there.
"""

from __future__ import annotations

import re
from html import unescape

#: Pixels for a table on the 600 px paper and on a 320 px phone, less the padding of .pad.
PAPER, PHONE = 536, 280
#: Pixels of a letter, generously, and of a cell's own padding: 16 px type there, 14 px here (mail.css).
LETTER, PADDING = 9.5, 16
SMALL_LETTER, SMALL_PADDING = 8.5, 8


def fit_tables(html: str) -> str:
    """Mark the tables of a sanitised fragment: class `tight` if words must break everywhere, `wide` on phones only."""
    return re.sub(r"<table([^>]*)>(.*?)</table>", _mark, html, flags=re.DOTALL)


def _mark(match: re.Match[str]) -> str:
    attributes, inner = match.groups()
    columns: list[int] = []
    for row in re.findall(r"<tr.*?</tr>", inner, re.DOTALL):
        for n, cell in enumerate(re.findall(r"<t[hd]\b[^>]*>(.*?)</t[hd]>", row, re.DOTALL)):
            columns[n:] = [max([_longest(cell), *columns[n : n + 1]]), *columns[n + 1 :]]
    if "<table" in inner or sum(columns) * LETTER + len(columns) * PADDING > PAPER:
        return f'<table{attributes} class="tight">{inner}</table>'
    if sum(columns) * SMALL_LETTER + len(columns) * SMALL_PADDING > PHONE:
        return f'<table{attributes} class="wide">{inner}</table>'
    return match[0]


def _longest(cell: str) -> int:
    """Count the letters of a cell's longest word; a browser breaks after hyphens too."""
    if "<img" in cell:
        return PAPER
    text = unescape(re.sub(r"<[^>]*>", "", cell))
    return max(map(len, re.split(r"[\s-]+", text)))
