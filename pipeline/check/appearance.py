"""Checks of how the mail looks where its readers read: colours in light and dark, and what clients drop."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from pipeline.check.findings import note, warning
from pipeline.check.material import TEMPLATES, Material, Place
from pipeline.check.texts import said, short
from pipeline.clients.colours import css_colour, html_colour
from pipeline.clients.computed import Written
from pipeline.clients.contrast import Pair, pairs
from pipeline.clients.csstext import pieces
from pipeline.clients.support import STYLE_LIMIT, Unsupported, unsupported
from pipeline.model import Finding

#: Contrast of text and of large text at least (WCAG 2.2, 1.4.3, level AA).
NEEDED, NEEDED_LARGE = 4.5, 3.0
#: A mail is looked at as wide as a desktop's reading pane, and as a phone: rules may hang on either.
WIDTHS = (640, 360)

_IN = {
    "light": "in light",
    "dark": "in dark",
    "forced": "where a client forces dark colours",
}


def contrast(m: Material) -> Iterator[Finding]:
    """All text has a contrast of 4.5, large text of 3, in light, dark and forced dark (WCAG 2.2, 1.4.3)."""
    faint: dict[tuple[Place, str, str, str], list[Pair]] = {}
    for pair in _pairs(m.rendered.html):
        if pair.ratio is not None and pair.ratio < (NEEDED_LARGE if pair.large else NEEDED):
            key = (_place(m, pair), pair.scheme, str(pair.colour), str(pair.background))
            faint.setdefault(key, []).append(pair)
    for (place, scheme, colour, background), found in faint.items():
        pair = found[0]
        needed = NEEDED_LARGE if pair.large else NEEDED
        texts = dict.fromkeys(each.text for each in found)
        more = f" and {said(len(texts) - 1, 'other text')}" if len(texts) > 1 else ""
        yield warning(
            "contrast",
            f"“{_text(m, pair)}”{more}: {colour} on {background} {_IN[scheme]}"
            f" is a contrast of {_down(pair.ratio or 0)}; {'large ' if pair.large else ''}text needs {needed:g}",
            path=place[0],
            line=place[1],
            fix=_remedy(pair),
        )


def contrast_unknown(m: Material) -> Iterator[Finding]:
    """The contrast of all text can be told: none lies on a picture or hangs on what only a client knows."""
    told: dict[tuple[Place, str], Pair] = {}
    for pair in _pairs(m.rendered.html):
        if pair.ratio is None:
            told.setdefault((_place(m, pair), pair.unresolved), pair)
    for (place, reason), pair in told.items():
        subject = (
            f"the contrast of “{_text(m, pair)}” cannot be told" if pair.text else "colours cannot be told"
        )
        yield note(
            "contrast-unknown",
            f"{subject}: {reason}",
            path=place[0],
            line=place[1],
            fix="look at it in the preview, in light and dark",
        )


def client_css(m: Material) -> Iterator[Finding]:
    """The mail relies on no HTML or CSS that Gmail or Outlook drop (caniemail.com)."""
    for each in unsupported(m.rendered.html):
        if each.lost:
            path, line = _used(m, each)
            yield warning("client-css", _dropped(each), path=path, line=line, fix=each.instead)


def _dropped(each: Unsupported) -> str:
    if each.slug == "html-style":
        return f"Gmail drops a <style> that is in the body, or longer than {STYLE_LIMIT:,} bytes, and all rules in it"
    clients = f"{', '.join(each.no[:-1])} and {each.no[-1]}" if len(each.no) > 1 else each.no[0]
    verb = "does" if len(each.no) == 1 else "do"
    return f"{clients} {verb} not know {short(each.written)} (caniemail.com/features/{each.slug}, tested {each.tested})"


def _remedy(pair: Pair) -> str:
    if pair.scheme == "forced":
        return (
            "choose colours that stay apart when light ones turn dark: no grey in the middle, text or paper"
        )
    if pair.scheme == "dark" and not pair.ink.selector:
        return (
            "give it a colour of its own under prefers-color-scheme: dark in mail-client.css, with !important"
        )
    return "make the text darker on light paper, or lighter on dark"


@lru_cache(maxsize=4)
def _pairs(html: str) -> tuple[Pair, ...]:
    """Both checks ask, and a preview asks again after a save that changed another part."""
    return tuple(pair for width in WIDTHS for pair in pairs(html, width=width))


def _text(m: Material, pair: Pair) -> str:
    """Return the text for a message: without the marks that stand for a reader's own words."""
    marks = m.rendered.marks
    text = pair.text
    for mark in (marks.name, marks.confirmed, marks.unsubscribe, marks.preferences):
        text = text.replace(mark, "…")
    return short(text)


def _down(ratio: float) -> str:
    """Write a ratio so that it never looks as if it were enough."""
    return f"{math.floor(ratio * 100) / 100:g}"


# --- where it is written -----------------------------------------------------


class _Line(NamedTuple):
    number: int
    selectors: tuple[str, ...]
    name: str
    value: str


def _place(m: Material, pair: Pair) -> Place:
    """Return where the text's colour is written; where its paper's is, if nobody gave the text one."""
    for written in (pair.ink, pair.paper):
        if written.value and (place := _written(m, written)):
            return place
    return TEMPLATES, None


def _written(m: Material, written: Written) -> Place | None:
    """Find a colour's declaration: in the sheets, best where the selector fits, then in templates and posts."""
    found = [
        (_fits(line, written), path, line.number)
        for path, text in m.theme.items()
        if path.endswith(".css")
        for line in _lines(text)
        if line.name.startswith(written.name.partition("-")[0]) and _same(line.value, written.value)
    ]
    if found:
        _, path, number = max(found, key=lambda each: each[0])
        return path, number
    return _mentioned(m, re.escape(written.value) + r"(?![\w])")


def _fits(line: _Line, written: Written) -> int:
    """Weigh how well a rule fits what carries the declaration; inlining takes classes away, so it may be not at all."""
    if written.selector:
        return 3 if _levelled(written.selector) in line.selectors else 0
    lasts = [re.split(r"[\s>+~]+", selector)[-1] for selector in line.selectors]
    if any(f".{name}" in re.findall(r"\.[-\w]+", last) for last in lasts for name in written.classes):
        return 2
    return int(any(re.match(r"[\w-]*", last)[0] == written.tag for last in lasts))  # type: ignore[index]


def _used(m: Material, each: Unsupported) -> Place:
    """Find where something that clients do not know is written."""
    name, colon, value = each.written.partition(":")
    if colon and not each.written.startswith(("<", "href")):
        for path, text in m.theme.items():
            if path.endswith(".css"):
                for line in _lines(text):
                    if line.name == name and _levelled(line.value) == _levelled(value):
                        return path, line.number
        return _mentioned(m, rf"{re.escape(name)}\s*:\s*{re.escape(value)}") or (TEMPLATES, None)
    if each.slug == "html-style":
        return _mentioned(m, r"<style") or (TEMPLATES, None)
    if each.written.startswith("<"):
        return _mentioned(m, rf"<{each.tag}\b") or (TEMPLATES, None)
    target = each.written.partition("#")[2].rstrip('"')
    pattern = rf"#{re.escape(target)}\b" if target else rf"<{each.tag}\b[^>]*\b{re.escape(each.written)}\b"
    return _mentioned(m, pattern) or (TEMPLATES, None)


def _mentioned(m: Material, pattern: str) -> Place | None:
    """Find the first line of a template, then of a post, in which something stands."""
    wanted = re.compile(pattern, re.IGNORECASE)
    for path, text in m.theme.items():
        for number, line in enumerate(_COMMENT.sub(_blank, text).split("\n"), 1):
            if not path.endswith((".css", ".txt")) and wanted.search(line):
                return path, number
    for path, first in m.bodies():
        lines = m.sources[path].split("\n")
        for number, line in enumerate(lines[first - 1 :], first):
            if wanted.search(line):
                return path, number
    return None


#: What no client reads: Jinja's comments and HTML's, those for Outlook included.
_COMMENT = re.compile(r"\{#.*?#\}|<!--.*?-->", re.DOTALL)


def _blank(comment: re.Match[str]) -> str:
    return "\n" * comment[0].count("\n")


@lru_cache(maxsize=16)
def _lines(css: str) -> tuple[_Line, ...]:
    """Return a sheet's declarations, each with its line and the selectors of its rule."""
    found: list[_Line] = []
    selectors: tuple[str, ...] = ()
    for piece in pieces(css):
        text = css[piece.start : piece.end]
        if piece.kind == "declaration":
            number = css.count("\n", 0, piece.start) + 1
            found.append(_Line(number, selectors, piece.name, text.strip()))
        elif not piece.name:
            plain = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
            selectors = tuple(_levelled(each) for each in plain.split(","))
    return tuple(found)


def _same(one: str, other: str) -> bool:
    """Tell whether two values are one colour; a shorthand may have more beside it."""
    parts = re.sub(r"\s*!important$", "", one, flags=re.IGNORECASE)
    colour = css_colour(other) or html_colour(other)
    if colour is None:
        return _levelled(parts) == _levelled(other)
    return any(css_colour(part) == colour for part in {parts, *parts.split()})


def _levelled(text: str) -> str:
    """Level how a selector or value is spaced and cased."""
    return re.sub(r"\s*([>+~:,()])\s*", r"\1", " ".join(text.lower().split()))
