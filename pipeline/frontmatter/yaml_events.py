"""Reads YAML front matter from libyaml's events, so that nothing in it can surprise.

Only `true`, `false` and `null` are more than text: `NO` stays a country, `0123`
a number with its zero, a date the characters that were typed. Aliases (which
can multiply a few lines into gigabytes), tags and doubled keys are refused at
their line, before anything is built from them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NoReturn

import yaml

from pipeline.errors import PostError

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_WORDS: dict[str, object] = {word: value for value, words in (
    (True, ("true", "True", "TRUE")),
    (False, ("false", "False", "FALSE")),
    (None, ("", "~", "null", "Null", "NULL")),
) for word in words}  # fmt: skip
_TEXT_TAG = "tag:yaml.org,2002:str"
_HINTS = (
    ("mapping values are not allowed", "a value that holds `: ` must stand in quotes"),
    ("tab character", "indent with spaces, not with tabs"),
    ("cannot start any token", "indent with spaces, and put a value that begins with @, ` or % in quotes"),
    ("unexpected end of stream", "a quote or bracket that opens here is never closed"),
    ("did not find expected ',' or '", "a bracket that opens here is never closed"),
    ("could not find expected ':'", "every line must be `key: value`"),
    ("did not find expected key", "check the indentation, and quotes inside quotes"),
    ("undefined alias", "a value that begins with * must stand in quotes"),
)


class _Reader:
    """Builds plain values out of one document's events."""

    def __init__(self, head: str, first: int, depth: int) -> None:
        self.events: Iterator[Any] = yaml.parse(head, Loader=_Loader)
        self.first = first
        self.depth = depth
        self.lines: dict[str, int] = {}

    def line(self, event: Any) -> int:
        return self.first + int(event.start_mark.line)

    def refuse(self, why: str, event: Any) -> NoReturn:
        raise PostError(why, line=self.line(event))

    def document(self) -> dict[str, object]:
        """Return the one mapping that the front matter is."""
        found: dict[str, object] = {}
        documents = 0
        for event in self.events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    self.refuse("the front matter holds a second YAML document. Delete it.", event)
            elif isinstance(event, yaml.MappingStartEvent):
                found = self.mapping(event, 1, "")
            elif isinstance(event, yaml.NodeEvent):
                self.refuse("the front matter is not a list of `key: value` lines.", event)
        return found

    def mapping(self, opening: Any, depth: int, table: str) -> dict[str, object]:
        self.check(opening, depth)
        found: dict[str, object] = {}
        for event in self.events:
            if isinstance(event, yaml.MappingEndEvent):
                break
            if not isinstance(event, yaml.ScalarEvent):
                self.refuse("a key must be a plain word.", event)
            self.check(event, depth)
            key = event.value
            place = f"{table}.{key}" if table else key
            if key in found:
                first = f", first in line {self.lines[place]}" if place in self.lines else ""
                self.refuse(f"`{key}` is given twice{first}. Delete one.", event)
            if depth <= 2:
                self.lines.setdefault(place, self.line(event))
            found[key] = self.value(next(self.events), depth, key if depth == 1 else place)
        return found

    def value(self, event: Any, depth: int, table: str) -> object:
        if isinstance(event, yaml.MappingStartEvent):
            return self.mapping(event, depth + 1, table)
        if isinstance(event, yaml.SequenceStartEvent):
            self.check(event, depth + 1)
            found: list[object] = []
            while not isinstance(inner := next(self.events), yaml.SequenceEndEvent):
                if depth == 1:
                    self.lines.setdefault(f"{table}.{len(found)}", self.line(inner))
                found.append(self.value(inner, depth + 1, table))
            return found
        self.check(event, depth)
        plain = event.implicit[0] and not event.style
        return _WORDS.get(event.value, event.value) if plain else event.value

    def check(self, event: Any, depth: int) -> None:
        if isinstance(event, yaml.AliasEvent) or event.anchor is not None:
            sign = "*" if isinstance(event, yaml.AliasEvent) else "&"
            self.refuse(
                f"YAML anchors and aliases ({sign}{event.anchor}) are not read here. Write the value out.",
                event,
            )
        if event.tag not in (None, "!", _TEXT_TAG):
            self.refuse(f"YAML tags ({event.tag}) are not read here. Write the value plainly.", event)
        if depth > self.depth:
            self.refuse("the front matter is nested too deeply.", event)


def read(head: str, first: int, depth: int) -> tuple[dict[str, object], dict[str, int]]:
    """Return values and lines (key, or "table.key" -> line of the file) of a head whose first line is `first`.

    Raises PostError with the line at fault.
    """
    reader = _Reader(head, first, depth)
    try:
        return reader.document(), reader.lines
    except yaml.MarkedYAMLError as fault:
        # Where something was left open, the place to mend is where it opened.
        unclosed = any(
            words in str(fault.problem) for words in ("end of stream", "expected ','", "expected ':'")
        )
        mark = (fault.context_mark if unclosed else None) or fault.problem_mark or fault.context_mark
        why = next((hint for words, hint in _HINTS if words in str(fault.problem)), str(fault.problem))
        raise PostError(
            f"the front matter is not valid YAML: {why}.", line=first + (int(mark.line) if mark else 0)
        ) from fault
    except (yaml.YAMLError, RecursionError) as fault:
        raise PostError(f"the front matter is not valid YAML: {fault}.", line=first) from fault
