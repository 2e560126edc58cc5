"""Splits a post into front matter and body, and reads the front matter with the line of every key.

YAML between `---`, TOML between `+++`, Pelican's bare `Key: value` lines up to
the first blank one, or nothing at all. Every fault is a PostError with its line
in the file; the caller adds the path.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Literal

from pipeline.errors import PostError
from pipeline.frontmatter import yaml_events

#: More front matter than this is a mistake or an attack.
MAX_HEAD = 64_000
#: Tables within tables; the deepest in use (Hugo's `cascade`) need four.
MAX_DEPTH = 12

Kind = Literal["yaml", "toml", "pelican", "none"]

_FENCES: Mapping[str, tuple[Kind, re.Pattern[str]]] = {
    "---": ("yaml", re.compile(r"^(?:---|\.\.\.)[ \t]*$", re.MULTILINE)),
    "+++": ("toml", re.compile(r"^\+\+\+[ \t]*$", re.MULTILINE)),
}
_BLANK_LINES = re.compile(r"(?:[ \t]*\n)*")
_BLANK = re.compile(r"^[ \t]*$", re.MULTILINE)
_PELICAN_KEY = re.compile(r"([A-Za-z][\w-]*)[ \t]*:(?:[ \t]+(.*)|)$")
_TOML_TABLE = re.compile(r"[ \t]*\[\s*([\w\"'-]+)\s*\]")
_TOML_KEY = re.compile(r"[ \t]*([\w\"'-]+)(?:\s*\.[^=]*)?\s*=")
# tomllib takes quadratic time over a dotted key: 60 kB of it is twenty seconds.
_TOML_DOTS = re.compile(r"(?:\.[ \t]*[\w\"'-]+[ \t]*){100}")
_TOML_QUOTES = re.compile(r"\"\"\"|'''")


@dataclass(frozen=True, slots=True)
class Split:
    """A file's text in two."""

    kind: Kind
    head: str
    #: 1-based line of the file on which `head` begins.
    head_line: int
    #: Without blank lines at its start.
    body: str
    body_line: int


@dataclass(frozen=True, slots=True)
class Head:
    """Front matter as it was written, read but not yet understood."""

    kind: Kind
    #: Text, bool, None, lists and tables; from TOML also numbers, dates and times.
    values: Mapping[str, object]
    #: Key as written, or "table.key" -> 1-based line of the file.
    lines: Mapping[str, int] = field(default_factory=dict)


def split(text: str) -> Split:
    """Cut decoded text into front matter and body. Raises PostError if the front matter is not closed or too long."""
    blank = _BLANK_LINES.match(text)
    start = blank.end() if blank else 0
    line = text.count("\n", 0, start) + 1
    end = text.find("\n", start)
    first = text[start : end if end >= 0 else len(text)].rstrip()
    if first in _FENCES:
        kind, fence = _FENCES[first]
        closing = fence.search(text, end + 1) if end >= 0 else None
        if closing is None:
            raise PostError(
                f"the front matter that begins here has no end. Close it with a line {first}", line=line
            )
        return _cut(text, kind, end + 1, closing.start(), closing.end(), line + 1)
    if _PELICAN_KEY.match(first):
        closing = _BLANK.search(text, start)
        stop = closing.start() if closing else len(text)
        return _cut(text, "pelican", start, stop, stop, line)
    return _cut(text, "none", start, start, start, line)


def _cut(text: str, kind: Kind, start: int, stop: int, resume: int, line: int) -> Split:
    if stop - start > MAX_HEAD:
        size = f"{stop - start:,} characters; at most {MAX_HEAD:,}"
        raise PostError(f"the front matter is too long ({size}). Move the text below it.", line=line)
    blank = _BLANK_LINES.match(text, resume)
    body = blank.end() if blank else resume
    return Split(kind, text[start:stop], line, text[body:], line + text.count("\n", start, body))


def read(parts: Split) -> Head:
    """Read the front matter's keys and values. Raises PostError with the line of the first fault."""
    if parts.kind == "none":
        return Head("none", {})
    if parts.kind == "yaml":
        values, lines = yaml_events.read(parts.head, parts.head_line, MAX_DEPTH)
    elif parts.kind == "toml":
        values, lines = _toml(parts.head, parts.head_line)
    else:
        values, lines = _pelican(parts.head, parts.head_line)
    if not values:
        raise PostError(
            "the front matter is empty. Give it at least a title and a date.", line=parts.head_line
        )
    return Head(parts.kind, values, lines)


def _pelican(head: str, first: int) -> tuple[dict[str, object], dict[str, int]]:
    values: dict[str, str] = {}
    lines: dict[str, int] = {}
    key = ""
    for number, line in enumerate(head.rstrip("\n").split("\n"), first):
        if key and line[:1].isspace():
            values[key] = f"{values[key]}\n{line.strip()}"
            continue
        found = _PELICAN_KEY.match(line.rstrip())
        if not found:
            raise PostError("is no `Key: value` line. End the front matter with a blank line.", line=number)
        key = found[1].lower()
        if key in values:
            raise PostError(
                f"`{found[1]}` is given twice, first in line {lines[key]}. Delete one.", line=number
            )
        values[key], lines[key] = found[2] or "", number
    return dict(values), lines


def _toml(head: str, first: int) -> tuple[dict[str, object], dict[str, int]]:
    if dots := _TOML_DOTS.search(head):
        raise PostError(
            "the front matter is nested too deeply.", line=first + head.count("\n", 0, dots.start())
        )
    try:
        data = tomllib.loads(head)
    except RecursionError as fault:
        raise PostError("the front matter is nested too deeply.", line=first) from fault
    except ValueError as fault:
        at = re.search(r"\(at (?:line (\d+), column \d+|end of document)\)$", str(fault))
        why = str(fault)[: at.start()].strip() if at else str(fault)
        last = head.rstrip("\n").count("\n")
        line = first + (int(at[1]) - 1 if at and at[1] else last if at else 0)
        raise PostError(f"the front matter is not valid TOML: {why}.", line=line) from fault
    lines = _toml_lines(head, first)
    return {key: _plain(value, lines.get(key, first), 1) for key, value in data.items()}, lines


def _toml_lines(head: str, first: int) -> dict[str, int]:
    """Find the line of each top-level key and of each key one table down; text in triple quotes is passed over."""
    lines: dict[str, int] = {}
    table, quoted = "", False
    for number, line in enumerate(head.split("\n"), first):
        if not quoted:
            if header := _TOML_TABLE.match(line):
                table = header[1].strip("\"'")
                lines.setdefault(table, number)
            elif entry := _TOML_KEY.match(line):
                key = entry[1].strip("\"'")
                lines.setdefault(f"{table}.{key}" if table else key, number)
        quoted ^= len(_TOML_QUOTES.findall(line)) % 2 == 1
    return lines


def _plain(value: object, line: int, depth: int) -> object:
    """Bound the depth of what TOML gave; dates below the top level become text, since only templates see them."""
    if depth > MAX_DEPTH:
        raise PostError("the front matter is nested too deeply.", line=line)
    if isinstance(value, dict):
        return {str(key): _plain(inner, line, depth + 1) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner, line, depth + 1) for inner in value]
    if isinstance(value, time) or (depth > 1 and isinstance(value, date | datetime)):
        return value.isoformat()
    return value
