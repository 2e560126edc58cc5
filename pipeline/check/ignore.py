"""Comments that silence findings: `<!-- check: ignore link-http -->`, one line at a time.

In a body `<!-- -->`; in front matter and newsletter.toml `#`; in a template
`{# #}`; in a stylesheet `/* */`. A comment speaks of its own line; alone on a
line, of the next one that is not blank.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from pipeline.check.findings import warning
from pipeline.check.material import SETTINGS, Material
from pipeline.check.mend import Ground, Mended, on_line
from pipeline.check.prose import without_code
from pipeline.model import Finding

_WORDS = r"check:[ \t]*ignore[ \t]+(?P<ids>[\w-]+(?:[ \t]*,[ \t]*[\w-]+){0,20})"
_BODY = re.compile(rf"<!--[ \t]*{_WORDS}[^\n]{{0,300}}?-->")
_HEAD = re.compile(rf"(?:^|(?<=\s))#[ \t]*{_WORDS}[^\n]{{0,300}}$", re.MULTILINE)
_TEMPLATE = re.compile(rf"\{{#-?[ \t]*{_WORDS}[^\n]{{0,300}}?#\}}")
_STYLE = re.compile(rf"/\*[ \t]*{_WORDS}[^\n]{{0,300}}?\*/")


@dataclass(frozen=True, slots=True)
class Comment:
    """One comment, and the line it silences."""

    path: str
    #: 1-based line on which it stands.
    line: int
    #: The line whose findings it silences.
    silences: int
    ids: tuple[str, ...]


def comments(m: Material) -> Iterator[Comment]:
    """Yield every ignore comment of posts, draft, settings and theme."""
    first = dict(m.bodies())
    for path, text in m.sources.items():
        if "check:" not in text:
            continue
        if path == SETTINGS:
            yield from _found(path, text, text, _HEAD)
            continue
        lines = text.split("\n")
        split = first.get(path, 1) - 1
        head, body = "\n".join(lines[:split]), "\n" * split + "\n".join(lines[split:])
        yield from _found(path, head, text, _HEAD)
        yield from _found(path, without_code(body), text, _BODY)
    for path, text in m.theme.items():
        if "check:" in text:
            yield from _found(path, text, text, _STYLE if path.endswith(".css") else _TEMPLATE)


def _found(path: str, text: str, whole: str, pattern: re.Pattern[str]) -> Iterator[Comment]:
    lines = whole.split("\n")
    for found in pattern.finditer(text):
        line = text.count("\n", 0, found.start()) + 1
        silences = line
        if lines[line - 1].strip() == found[0].strip():
            silences = next((n for n in range(line + 1, len(lines) + 1) if lines[n - 1].strip()), line)
        yield Comment(path, line, silences, tuple(part.strip() for part in found["ids"].split(",")))


def silenced(found: Collection[Comment]) -> Mapping[tuple[str, int], frozenset[str]]:
    """Return place -> ids that are not to be heard there."""
    places: dict[tuple[str, int], frozenset[str]] = {}
    for comment in found:
        place = comment.path, comment.silences
        places[place] = places.get(place, frozenset()) | set(comment.ids)
    return places


def rename_id(finding: Finding, text: str, ground: Ground) -> Mended | None:  # noqa: ARG001 -- a Fix
    """Give an id in a comment the name that was meant."""
    meant = re.match(r"`([\w-]+)` is no check: did you mean `([\w-]+)`\?", finding.message)
    if not meant:
        return None
    name = re.compile(rf"(?<![\w-]){re.escape(meant[1])}(?![\w-])")
    mended = on_line(text, finding.line, lambda line: name.sub(meant[2], line))
    return Mended(mended, f"`{meant[1]}` is `{meant[2]}` now")


def ignore_unknown(found: Collection[Comment], known: Collection[str]) -> Iterator[Finding]:
    """An ignore comment names checks that there are."""
    for comment in found:
        for name in comment.ids:
            if name not in known:
                near = difflib.get_close_matches(name, known, 1, 0.75)
                yield warning(
                    "ignore-unknown",
                    f"`{name}` is no check" + (f": did you mean `{near[0]}`?" if near else ""),
                    path=comment.path,
                    line=comment.line,
                    fix="correct the name, or take the comment out; docs/checks.md lists them",
                )
