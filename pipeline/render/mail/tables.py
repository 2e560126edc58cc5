"""Says of each column of a mail's tables whether its words need breaking: to break every word would tear short ones.

A mail has no sideways scroll. Where a client would have to break words to
keep a table on the paper, the theme allows it, and only in the columns whose
words are longest.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import unescape
from itertools import count

#: Pixels for a table on the 600 px paper and on a 320 px phone, less the padding of .pad.
PAPER, PHONE = 536, 280
#: Pixels of a letter, generously, and of a cell's own padding: 16 px type there, 14 px here (mail.css).
LETTER, PADDING = 9.5, 16
SMALL_LETTER, SMALL_PADDING = 8.5, 8
#: Letters of a word that stay together where it is broken, for reckoning.
PIECE = 8

_TABLE = re.compile(r"<table([^>]*)>(.*?)</table>", re.DOTALL)
_ROW = re.compile(r"<tr.*?</tr>", re.DOTALL)
_CELL = re.compile(r"<(t[hd])\b([^>]*)>(.*?)</\1>", re.DOTALL)


def fit_tables(html: str) -> str:
    """Mark the cells of a sanitised fragment: class `tight` if words must break everywhere, `wide` on phones only."""
    return _TABLE.sub(_mark, html)


def _mark(table: re.Match[str]) -> str:
    inner = table[2]
    if "<table" in inner:  # its cells are not to be told from those of the one within
        return f'<table{table[1]} class="tight">{inner}</table>'
    columns: list[int] = []
    for row in _ROW.findall(inner):
        for n, (_, _, cell) in enumerate(_CELL.findall(row)):
            columns[n:] = [max([_longest(cell), *columns[n : n + 1]]), *columns[n + 1 :]]
    marks = dict.fromkeys(_broken(columns, SMALL_LETTER, SMALL_PADDING, PHONE), "wide")
    marks |= dict.fromkeys(_broken(columns, LETTER, PADDING, PAPER), "tight")
    return (
        f"<table{table[1]}>{_ROW.sub(lambda row: _marked(row[0], marks), inner)}</table>"
        if marks
        else table[0]
    )


def _broken(columns: Sequence[int], letter: float, padding: int, room: int) -> list[int]:
    """Return the columns whose words must break, those with the longest words first, until the table has room."""
    letters = (room - len(columns) * padding) / letter
    needed = sum(columns)
    found = []
    for n in sorted(range(len(columns)), key=lambda n: -columns[n]):
        if needed <= letters:
            break
        needed -= max(0, columns[n] - PIECE)
        found.append(n)
    return found


def _marked(row: str, marks: dict[int, str]) -> str:
    numbers = count()

    def cell(found: re.Match[str]) -> str:
        mark = marks.get(next(numbers))
        name, attributes, inner = found.groups()
        return f'<{name}{attributes} class="{mark}">{inner}</{name}>' if mark else found[0]

    return _CELL.sub(cell, row)


def _longest(cell: str) -> int:
    """Count the letters of a cell's longest word; a browser breaks after hyphens too."""
    if "<img" in cell:
        return PAPER
    text = unescape(re.sub(r"<[^>]*>", "", cell))
    return max(map(len, re.split(r"[\s-]+", text)))
