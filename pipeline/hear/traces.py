"""Finds in a message what only somebody who had that very copy of an issue can know.

A code is the left side of our Message-ID, which is also the VERP part of the
return path; a token is that of the unsubscribe link. Both are keyed hashes,
so it does not matter where one is found, or who says so. Addresses are left
alone: anybody can write any.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from pipeline.hear.mime import Part, read_fields
from pipeline.model import Evidence

#: A report is about one copy. Whoever writes more than these into one makes us look them all up.
MOST = 10

_CODE = re.compile(r"<\s*([0-9a-f]{32})@", re.IGNORECASE)
_VERP = re.compile(r"\+([0-9a-f]{32})@", re.IGNORECASE)
_TOKEN = re.compile(r"(?:/unsubscribe/|subject=unsubscribe%20)([A-Za-z0-9_-]{36})(?![A-Za-z0-9_-])")

#: Where a report came to, and so our return path, as servers note it.
_CAME_TO = (
    "to", "cc", "delivered-to", "x-original-to", "envelope-to", "x-envelope-to", "x-delivered-to", "x-rcpt-to",
)  # fmt: skip
#: What a report's own head and its machine-readable part say of the message it is about.
_ABOUT = ("in-reply-to", "references", "x-original-message-id", "original-message-id", "original-envelope-id")
#: Lines of a returned head that stand in a report's text, perhaps quoted, perhaps folded.
_QUOTED = re.compile(
    r"^[>|\t ]*(Message-ID|List-Unsubscribe|Return-Path):[\t ]*(.*(?:\n[>|]*[\t ]+\S.*)?)",
    re.IGNORECASE | re.MULTILINE,
)
_REPORTS = ("message/delivery-status", "message/global-delivery-status", "message/feedback-report")


def evidence(message: Part) -> Evidence:
    """Return the codes and tokens that a message holds, those of a returned copy first."""
    codes: list[str] = []
    tokens: list[str] = []
    for part in message.returned():
        codes += _codes(part.all("message-id"), part.all("return-path"))
        tokens += _tokens(part.all("list-unsubscribe"))
    for part in message.own():
        if part.kind in _REPORTS:
            fields = read_fields(part.decoded().replace(b"\n\n", b"\n"))
            codes += _codes(_values(fields, _ABOUT), _values(fields, ("original-mail-from",)))
    codes += _codes(message.all(*_ABOUT), message.all(*_CAME_TO))
    for name, value in _QUOTED.findall(message.words()):
        if name.lower() == "list-unsubscribe":
            tokens += _tokens([value])
        else:
            codes += _codes([value], [value])
    return Evidence(_first(codes), _first(tokens))


def _codes(ids: Iterable[str], paths: Iterable[str]) -> Iterator[str]:
    for value in ids:
        yield from (code.lower() for code in _CODE.findall(value))
    for value in paths:
        yield from (code.lower() for code in _VERP.findall(value))


def _tokens(values: Iterable[str]) -> Iterator[str]:
    for value in values:
        yield from _TOKEN.findall(value)


def _values(fields: dict[str, list[str]], names: Iterable[str]) -> list[str]:
    return [value for name in names for value in fields.get(name, ())]


def _first(found: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(found))[:MOST]
