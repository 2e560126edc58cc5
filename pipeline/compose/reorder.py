"""Moves one post of a draft's list by one place, and leaves every other character of the file as the editor wrote it.

Pure: text in, text out.
"""

from __future__ import annotations

import json
import re
from typing import Any

import yaml

#: The front matter, between its two lines; a byte order mark and either kind of line end may be there.
_HEAD = re.compile(r"\ufeff?---[ \t]*\r?\n(.*?\n)---[ \t]*(?:\r?\n|\Z)", re.DOTALL)


def move(text: str, position: int, step: int) -> str:
    """Return a draft with the post at a position of `posts:` one place earlier (-1) or later (1).

    A line of the list moves with the comment at its end; comments on lines of
    their own stay. If `lead:` names the post that was the first, it names the
    new first then. The file must be one that compose/draft.py has read, and the
    place to move to must be there.
    """
    found = _HEAD.match(text)
    if found is None:
        return text
    opening, head, rest = text[: found.start(1)], found[1], text[found.end(1) :]
    # Positions in the text are what this loader's marks give, in characters; only what was read before comes here.
    root: Any = yaml.compose(head, Loader=yaml.SafeLoader)
    nodes = {key.value: value for key, value in root.value}
    items = nodes["posts"].value
    first, second = sorted((position, position + step))
    edits = _exchange(head, items[first], items[second])
    if first == 0 and "lead" in nodes and nodes["lead"].value == items[0].value:
        edits.append((*_span(nodes["lead"]), json.dumps(items[1].value, ensure_ascii=False)))
    for start, end, new in sorted(edits, reverse=True):
        head = head[:start] + new + head[end:]
    return opening + head + rest


def _exchange(head: str, one: Any, other: Any) -> list[tuple[int, int, str]]:
    """Let two items of the list change places: their whole lines if each has one to itself, else their names alone."""
    spans = [_line(head, one), _line(head, other)]
    if not all(re.match(r"\s*-\s", head[start:end]) for start, end in spans) or spans[0] == spans[1]:
        spans = [_span(one), _span(other)]
    (start, end), (start_2, end_2) = spans
    return [(start, end, head[start_2:end_2]), (start_2, end_2, head[start:end])]


def _span(node: Any) -> tuple[int, int]:
    return node.start_mark.index, node.end_mark.index


def _line(head: str, node: Any) -> tuple[int, int]:
    """Return where the line of an item begins and ends, without the line end."""
    start, end = _span(node)
    return head.rfind("\n", 0, start) + 1, head.find("\n", end)
