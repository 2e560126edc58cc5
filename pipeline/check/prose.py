r"""Masks what is not running text in a source, so that what remains stands where it stood.

Every function returns a text of the same length with the same line breaks;
what does not count is spaces. So a match's line is the line in the file.
All of them take time in proportion to the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

_FENCE = re.compile(r"[ \t>]*(?:[-*+]|\d{1,9}[.)])?[ \t>]*(`{3,}|~{3,})([^\n]*)")
_LIST = re.compile(r" *(?:[-*+]|\d{1,9}[.)])(?: {1,4}(?=\S)| |$)")
_TICKS = re.compile(r"`+")
_RAW = ("pre", "code", "script", "style", "kbd", "samp")
_BREAK = re.compile(r"[^\n]")
#: What leads somewhere instead of being read: targets of links, addresses, definitions of references.
_TARGETS = re.compile(
    r"(?<=\])\([^()\n]{0,2000}(?:\([^()\n]{0,2000}\)[^()\n]{0,2000}){0,9}\)"
    r"|\bhttps?://[^\s<>\"')]+|^ {0,3}\[[^\]\n]{1,200}\]:[^\n]*",
    re.M,
)


@lru_cache(maxsize=256)
def without_code(text: str) -> str:
    """Mask code: fenced, indented, between backticks, in pre and code."""
    return _without_raw(_without_ticks(_without_blocks(text)))


@lru_cache(maxsize=256)
def prose(text: str, first: int) -> tuple[str, ...]:
    """Return a source's lines from its first; code, comments, link targets and all above line `first` are masked."""
    lines = text.split("\n")
    head = "\n" * min(first - 1, len(lines))
    body = without_code("\n".join(lines[first - 1 :]))
    shown = _TARGETS.sub(_blank, _without_comments(body))
    return tuple((head + shown).split("\n"))


def numbered(text: str, first: int) -> Iterator[tuple[int, str]]:
    """Yield 1-based number and masked text of every line of a source that has words."""
    for number, line in enumerate(prose(text, first), 1):
        if line and not line.isspace():
            yield number, line


def _blank(match: re.Match[str]) -> str:
    return _BREAK.sub(" ", match[0])


def _without_blocks(text: str) -> str:
    """Mask fenced and indented code (CommonMark 4.4, 4.5), in list items too."""
    fence, after_blank, in_code = "", True, False
    #: Column at which the text of each open list item begins.
    items: list[int] = []
    kept = []
    for line in text.split("\n"):
        found = _FENCE.match(line) if "```" in line or "~~~" in line else None
        if fence or (found and not (found[1][0] == "`" and "`" in found[2])):
            if not fence and found:
                fence = found[1]
            elif found and found[1].startswith(fence) and not found[2].strip():
                fence = ""
            kept.append(" " * len(line))
            continue
        plain = line.expandtabs(4)
        indent = len(plain) - len(plain.lstrip())
        item = _LIST.match(plain)
        blank = indent == len(plain)
        while items and not blank and indent < items[-1] and (after_blank or item):
            items.pop()
        if not blank:
            in_code = indent >= (items[-1] if items else 0) + 4 and (after_blank or in_code)
            if item and not in_code:
                items.append(item.end())
        kept.append(" " * len(line) if in_code else line)
        after_blank = blank
    return "\n".join(kept)


def _without_ticks(text: str) -> str:
    """Mask code spans: a run of backticks up to the next run as long in the same paragraph (CommonMark 6.1)."""
    if "`" not in text:
        return text
    parts: list[str] = []
    for paragraph in re.split(r"(\n[ \t]*\n)", text):
        parts.append(_spans(paragraph) if "`" in paragraph else paragraph)
    return "".join(parts)


def _spans(paragraph: str) -> str:
    runs = [(run.start(), run.end()) for run in _TICKS.finditer(paragraph)]
    later: dict[int, list[int]] = {}
    for index in range(len(runs) - 1, -1, -1):
        later.setdefault(runs[index][1] - runs[index][0], []).append(index)
    kept, at, index = [], 0, 0
    while index < len(runs):
        start, end = runs[index]
        waiting = later[end - start]
        while waiting and waiting[-1] <= index:
            waiting.pop()
        if not waiting or (start and paragraph[start - 1] == "\\"):
            index += 1
            continue
        close = waiting.pop()
        stop = runs[close][1]
        kept += [paragraph[at:start], _BREAK.sub(" ", paragraph[start:stop])]
        at, index = stop, close + 1
    return "".join(kept) + paragraph[at:]


def _without_raw(text: str) -> str:
    """Mask HTML elements whose content is code; one that is never closed is text."""
    if "<" not in text:
        return text
    small = text.lower()
    for tag in _RAW:
        at = 0
        while (start := small.find(f"<{tag}", at)) >= 0:
            at = start + len(tag) + 1
            if small[at : at + 1] not in (">", " ", "\n", "\t"):
                continue
            end = small.find(f"</{tag}", at)
            if end < 0:
                break
            text = text[:start] + _BREAK.sub(" ", text[start:end]) + text[end:]
            at = end
    return text


def _without_comments(text: str) -> str:
    """Mask HTML comments; one that is never closed reaches to the end (CommonMark 4.6)."""
    parts, at = [], 0
    while (start := text.find("<!--", at)) >= 0:
        end = text.find("-->", start)
        end = len(text) if end < 0 else end + 3
        parts += [text[at:start], _BREAK.sub(" ", text[start:end])]
        at = end
    return "".join(parts) + text[at:]
