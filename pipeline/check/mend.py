"""Mends what a machine can mend without guessing: pure functions from a finding and a text to a text.

Each fix stands beside its check; FIXES in catalogue.py names them. All bytes
but those of the fault stay as they are, so lines keep their own ends.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass

from pipeline.model import Change, Finding, Post
from pipeline.settings import Settings

_LINES = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
_END = re.compile(r"[\r\n]+$")


@dataclass(frozen=True, slots=True)
class Ground:
    """What a fix may know besides the finding and the text."""

    settings: Settings
    #: The post whose file it is; None where it is another file.
    post: Post | None
    #: Last parts of the addresses of all posts that have a page.
    slugs: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class Mended:
    """A text after a fix."""

    text: str
    #: What was changed, for people: "`catgory` is `category` now".
    what: str


#: Returns None where this one cannot be mended without guessing.
Fix = Callable[[Finding, str, Ground], Mended | None]


def mend(
    path: str,
    text: str,
    findings: Iterable[Finding],
    ground: Ground,
    fixes: Mapping[str, Fix],
    usable: Callable[[str], bool] = bool,
) -> tuple[str, list[Change]]:
    """Apply a fix to every finding of one file that has one; return the text and what was changed.

    A fix whose result is not `usable` is not applied. Goes by the order of
    `fixes`, and within one begins with the last line, so that a line put in
    does not move those still to come.
    """
    changes = []
    order = list(fixes)
    own = [finding for finding in findings if finding.path == path and finding.id in fixes]
    for finding in sorted(own, key=lambda each: (order.index(each.id), -(each.line or 0))):
        mended = fixes[finding.id](finding, text, ground)
        if mended and mended.text != text and usable(mended.text):
            text = mended.text
            changes.append(Change(path, finding.line, finding.id, mended.what))
    return text, sorted(changes, key=lambda change: change.line or 0)


def lines(text: str) -> list[str]:
    r"""Split a text into lines with their ends: `\n`, `\r\n` or `\r`, as findings count them."""
    return _LINES.findall(text)


def on_line(text: str, number: int | None, change: Callable[[str], str]) -> str:
    """Change one line, given by its 1-based number, without its end."""
    whole = lines(text)
    if number is None or not 0 < number <= len(whole):
        return text
    line = whole[number - 1]
    end = _END.search(line)
    bare = line[: end.start()] if end else line
    whole[number - 1] = change(bare) + line[len(bare) :]
    return "".join(whole)


def insert(text: str, number: int, line: str) -> str:
    """Put a line in before the line `number`, ended as its neighbour is."""
    whole = lines(text)
    before = whole[number - 2] if number > 1 else whole[0]
    end = _END.search(before)
    whole.insert(number - 1, line + (end[0] if end else "\n"))
    return "".join(whole)
