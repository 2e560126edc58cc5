"""Fixes for what reading a post's head had to say: a key that is a slip, an excerpt that is missing."""

from __future__ import annotations

import json
import re

from pipeline.check.mend import Ground, Mended, insert, lines, on_line
from pipeline.model import Finding

_MEANT = re.compile(r"`(?P<key>[^`]+)`: did you mean `(?P<meant>[^`]+)`\?")
_PELICAN = re.compile(r"[A-Za-z][\w-]*[ \t]*:")
_EMPTY = re.compile(r"(?P<key>excerpt[ \t]*[:=])[ \t]*(?:\"\"|'')?[ \t]*", re.IGNORECASE)


def rename_key(finding: Finding, text: str, ground: Ground) -> Mended | None:  # noqa: ARG001 -- a Fix
    """Give a key the name that was meant."""
    meant = _MEANT.match(finding.message)
    if not meant:
        return None
    key = re.compile(rf"(?P<before>[ \t]*[\"']?){re.escape(meant['key'])}(?=[\"']?[ \t]*[:=])", re.IGNORECASE)
    mended = on_line(
        text,
        finding.line,
        lambda line: key.sub(lambda found: found["before"] + meant["meant"], line, count=1),
    )
    return Mended(mended, f"`{meant['key']}` is `{meant['meant']}` now")


def write_excerpt(finding: Finding, text: str, ground: Ground) -> Mended | None:  # noqa: ARG001 -- a Fix
    """Write the excerpt that stands in into the head, where its author finds it; none where there is no head."""
    excerpt = ground.post.excerpt if ground.post else ""
    written = lines(text)
    head = _head(written)
    if not excerpt or head is None:
        return None
    kind, first, end = head
    quoted = json.dumps(excerpt, ensure_ascii=False)
    what = f"wrote the first sentence down as `excerpt`: {quoted}"
    for number in range(first, end):
        empty = _EMPTY.fullmatch(written[number - 1].rstrip("\r\n"))
        if empty:
            filled = f"{empty['key']} {excerpt if kind == 'pelican' else quoted}"
            return Mended(on_line(text, number, lambda _, filled=filled: filled), what)  # type: ignore[misc]
    if kind == "toml":
        table = (n for n in range(first, end) if written[n - 1].lstrip().startswith("["))
        return Mended(insert(text, next(table, end), f"excerpt = {quoted}"), what)
    return Mended(
        insert(text, end, f"Summary: {excerpt}" if kind == "pelican" else f"excerpt: {quoted}"), what
    )


def _head(written: list[str]) -> tuple[str, int, int] | None:
    """Return a head's kind, the number of its first line and of the line after its last; None if there is none."""
    bare = [line.rstrip("\r\n \t") for line in written]
    start = next((n for n, line in enumerate(bare, 1) if line.strip("\ufeff")), 0)
    if not start:
        return None
    first = bare[start - 1].strip("\ufeff")
    fences = {"---": ("yaml", ("---", "...")), "+++": ("toml", ("+++",))}
    if first in fences:
        kind, closing = fences[first]
        end = next((n for n in range(start + 1, len(bare) + 1) if bare[n - 1] in closing), 0)
        return (kind, start + 1, end) if end else None
    if _PELICAN.match(first):
        end = next((n for n in range(start, len(bare) + 1) if not bare[n - 1].strip()), 0)
        return ("pelican", start, end) if end else None
    return None
