"""Reads what a site's robots.txt lets this program ask for (RFC 9309). Pure: bytes in, rules out.

The standard library's reader is not used: it knows no wildcards, takes the
first rule that fits instead of the longest, forgets a group after an empty
line, and raises on a Crawl-delay of "²" (CPython 3.11).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

#: The name by which a site may speak of us in its robots.txt (RFC 9309, 2.2.1).
PRODUCT = "newsletter-pipeline"
#: What must be read of a file, though it be longer (RFC 9309, 2.5).
MOST_BYTES = 500 * 1024
#: Nobody waits longer between two requests, whatever a site asks for; the visit's own limits end it first.
LONGEST_PAUSE = 60.0


@dataclass(frozen=True, slots=True)
class Rule:
    """One Allow or Disallow line."""

    path: str
    allow: bool


@dataclass(frozen=True, slots=True)
class Rules:
    """What one site asks of us."""

    rules: tuple[Rule, ...] = ()
    #: Seconds it wants between two requests (Crawl-delay; no standard, but common).
    pause: float = 0.0

    def allows(self, url: str) -> bool:
        """Tell whether an address may be asked for: the longest rule decides, Allow if two are as long."""
        parts = urlsplit(url)
        path = _level(parts.path or "/") + (f"?{_level(parts.query)}" if parts.query else "")
        best = Rule("", allow=True)
        for rule in self.rules:
            longer, as_long = len(rule.path) > len(best.path), len(rule.path) == len(best.path)
            if (longer or (as_long and rule.allow)) and _fits(rule.path, path):
                best = rule
        return best.allow


def read_robots(data: bytes) -> Rules:
    """Return the rules for this program: those under its name, else those for everybody."""
    lines = list(_lines(data.decode("utf-8", errors="replace").lstrip("\ufeff")))
    ours = list(_group(lines, PRODUCT))
    return _rules(ours or list(_group(lines, "*")))


def _lines(text: str) -> Iterator[tuple[str, str]]:
    for line in re.split(r"[\r\n]+", text):
        key, colon, value = line.partition("#")[0].partition(":")
        if colon:
            yield key.strip().lower(), value.strip()


def _group(lines: Iterable[tuple[str, str]], name: str) -> Iterator[tuple[str, str]]:
    """Yield the lines of all groups that name a program; groups of one name count as one."""
    named, naming = False, False
    for key, value in lines:
        if key == "user-agent":
            token = "*" if value == "*" else re.split(r"[^A-Za-z_-]", value, maxsplit=1)[0].lower()
            named = (named and naming) or token == name
            naming = True
        elif key in ("allow", "disallow", "crawl-delay"):
            naming = False
            if named:
                yield key, value


def _rules(lines: Iterable[tuple[str, str]]) -> Rules:
    rules: list[Rule] = []
    pause = 0.0
    for key, value in lines:
        if key == "crawl-delay":
            if re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,6})?", value):
                pause = min(float(value), LONGEST_PAUSE)
        elif value.startswith(("/", "*")):  # an empty Disallow forbids nothing
            rules.append(Rule(_level(value), key == "allow"))
    return Rules(tuple(rules), pause)


def _level(path: str) -> str:
    """Level the ways in which one path is percent-encoded (RFC 9309, 2.2.2)."""
    path = quote(path, safe="/:@!$&'()*+,;=-._~?%[]")
    return re.sub(r"%([0-9A-Fa-f]{2})", _decoded, path)


def _decoded(found: re.Match[str]) -> str:
    character = chr(int(found[1], 16))
    return character if re.fullmatch(r"[A-Za-z0-9._~-]", character) else found[0].upper()


def _fits(pattern: str, path: str) -> bool:
    """Tell whether a path begins as the pattern says; `*` is anything, a last `$` is the end."""
    ends = pattern.endswith("$")
    first, *rest = pattern.removesuffix("$").split("*")
    if not path.startswith(first):
        return False
    if not rest:
        return not ends or path == first
    place = len(first)
    last = rest.pop() if ends else ""
    for part in rest:
        place = path.find(part, place)
        if place < 0:
            return False
        place += len(part)
    return not ends or (path.endswith(last) and len(path) - len(last) >= place)
