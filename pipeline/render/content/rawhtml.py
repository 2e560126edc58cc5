"""HTML that stands in Markdown: made ready for the sanitiser without losing what was meant as text.

`Vec<usize>` or "the <form> element" without backticks look like tags. A tag
no HTML knows, and an opening tag whose content would be thrown away although
it is never closed, are shown as text instead of swallowing the rest.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from markdown_it.token import Token

from pipeline.render.content.sanitise import SWALLOWED, TAGS, names
from pipeline.render.content.tree import TooDeep

#: Tags of HTML that we do not keep but whose disappearance is no loss of text.
FADING = names(
    "acronym address area article aside b base basefont bdo bdi bgsound big blink body center col"
    " colgroup data datalist dir div fieldset font footer head header hgroup html i image input"
    " keygen label legend link main map marquee menu menuitem meta meter nav nobr optgroup option"
    " output param picture progress rb rp rt rtc ruby search section source spacer strike tbody tfoot"
    " thead time track tt u var wbr"
)
KNOWN = TAGS | SWALLOWED | FADING
VOID = names("area base br col embed hr img input link meta param source track wbr")
#: Elements whose closing tag HTML lets authors leave out.
LAX = names("p li dt dd tr td th thead tbody tfoot option colgroup body html head")
#: Elements whose line findings name.
PLACED = names("a img h1 h2 h3 h4 h5 h6")
#: More elements open at once than any post needs; html5ever's time grows with the square of it.
DEEPEST = 80

_TAG = re.compile(r"<(/?)([a-zA-Z][^\s/>]*)")
_CUSTOM = re.compile(r"[-:]")
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)


def prepare(raw: Sequence[tuple[Token, int]]) -> None:
    """Rewrite the raw HTML tokens of one post, in order, each with the file's line it begins on.

    Links, images and headings get a `data-line`. Raises TooDeep.
    """
    closed = _closed_later(raw)
    opened: Counter[str] = Counter()
    for index, (token, line) in enumerate(raw):
        comments = [match.span() for match in _COMMENT.finditer(token.content)]
        parts, last = [], 0
        for match in _TAG.finditer(token.content):
            if any(start <= match.start() < end for start, end in comments):
                continue
            here = line + token.content.count("\n", 0, match.start())
            closing, name = match[1], match[2].lower()
            if _depth(opened, closing, name) > DEEPEST:
                raise TooDeep(here)
            parts += [
                token.content[last : match.start()],
                _tag(match, here, (index, match.start()) in closed),
            ]
            last = match.end()
        token.content = "".join(parts) + token.content[last:]


def _tag(match: re.Match[str], line: int, closed: bool) -> str:
    """Return the beginning of a tag: with its line, as text, or as it was."""
    closing, name = match[1], match[2].lower()
    if name not in KNOWN and not _CUSTOM.search(name):
        return "&lt;" + match[0][1:]
    if name in SWALLOWED and not closing and not closed:
        return "&lt;" + match[0][1:]
    if name in PLACED and not closing:
        # Without quotes, so that it does no harm where it lands inside an attribute's value.
        return f"{match[0]} data-line={line} "
    return match[0]


def _closed_later(raw: Sequence[tuple[Token, int]]) -> set[tuple[int, int]]:
    """Return (token, offset) of every opening tag of SWALLOWED that some later tag closes."""
    seen: set[str] = set()
    closed = set()
    for index in range(len(raw) - 1, -1, -1):
        for match in reversed(list(_TAG.finditer(raw[index][0].content))):
            name = match[2].lower()
            if match[1]:
                seen.add(name)
            elif name in seen:
                closed.add((index, match.start()))
    return closed


def _depth(opened: Counter[str], closing: str, name: str) -> int:
    """Count a tag in; return how many elements may be open at once. A closing tag closes only its own kind."""
    if name not in VOID and name not in LAX and (name in KNOWN or _CUSTOM.search(name)):
        if not closing:
            opened[name] += 1
        elif opened[name]:
            opened[name] -= 1
    return opened.total()
