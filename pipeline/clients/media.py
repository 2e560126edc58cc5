"""Answers media queries: which rules of a sheet count, for a colour scheme and a width of the window."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal

from pipeline.clients.scheme import mentions_scheme

#: How a mail is looked at: in its own light or dark colours, or in dark ones that the client forces on it.
Look = Literal["light", "dark", "forced"]

_FEATURE = re.compile(r"\(\s*([-\w]+)\s*(?::\s*([^()]+?)\s*)?\)")
_RANGE = re.compile(r"\(\s*width\s*(<=|>=|<|>)\s*([^()]+?)\s*\)", re.IGNORECASE)
_LENGTH = re.compile(r"(-?(?:\d++(?:\.\d+)?|\.\d++))\s*(px|em|rem)?", re.IGNORECASE)
_QUERY = re.compile(r"^(?:(not|only)\s+)?(?:(?P<type>[a-z]+)\b(?:\s+and\b)?)?(?P<rest>.*)$", re.DOTALL)


@lru_cache(maxsize=1024)
def applies(query: str, look: Look, width: int) -> bool | None:
    """Tell whether a list of media queries is true on a screen; None if it asks what is not known here."""
    if look == "forced" and mentions_scheme(query):
        return False  # such a client does not know the question, and drops the rules
    answers = [
        _one(each.strip().lower(), look, width) for each in re.sub(r"/\*.*?\*/", " ", query).split(",")
    ]
    if any(answers):
        return True
    return None if None in answers else False


def _one(query: str, look: Look, width: int) -> bool | None:
    found = _QUERY.match(query)
    if not query or found is None:
        return True
    rest = found["rest"]
    if found["type"] == "and":  # "(a) and (b)" begins with no type
        rest = query
    of_type = found["type"] in (None, "all", "screen", "and")
    answers: list[bool | None] = [of_type]
    for each in re.split(r"\band\b", rest):
        if each.strip():
            answers.append(_feature(each.strip(), look, width))
    answer = False if False in answers else None if None in answers else True
    return (not answer if answer is not None else None) if found[1] == "not" else answer


def _feature(text: str, look: Look, width: int) -> bool | None:
    if ranged := _RANGE.fullmatch(text):
        limit = _pixels(ranged[2])
        if limit is None:
            return None
        return {"<=": width <= limit, ">=": width >= limit, "<": width < limit, ">": width > limit}[ranged[1]]
    found = _FEATURE.fullmatch(text)
    if found is None:
        return None
    name, value = found[1], found[2] or ""
    if name == "prefers-color-scheme":
        return value in ("", look)
    if name in ("min-width", "max-width", "min-device-width", "max-device-width"):
        limit = _pixels(value)
        if limit is None:
            return None
        return width >= limit if name.startswith("min") else width <= limit
    return None


def _pixels(text: str) -> float | None:
    found = _LENGTH.fullmatch(text)
    if found is None:
        return None
    return float(found[1]) * (16 if found[2] in ("em", "rem") else 1)
