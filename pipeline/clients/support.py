"""Which HTML and CSS of a mail Gmail and Outlook do not support: the knowledge is caniemail.com's.

Everything they fall short in is named; `lost` marks what an editor should
hear of, by this rule. Style attributes and HTML are what every client is
meant to get, so what one of them drops there is lost, if it carries more than
decoration (lost.py) and nothing in the same place stands in for it: a plainer
value before, a colour under a picture. A `<style>` is for clients that can do
more; what they leave out of it is missed by nobody, and lost is only what
makes a client drop the whole sheet.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

from pipeline.clients.csstext import pieces
from pipeline.clients.lost import CARRIED_BY, LOST
from pipeline.clients.markup import Tag, tags

#: Gmail drops a `<style>` of more than 16 kB (caniemail.com, html-style, note 6).
STYLE_LIMIT = 16 * 1024

#: What shorthand's feature a longhand belongs to.
_FAMILIES = (
    (re.compile(r"(margin|padding)-(?:top|right|bottom|left)"), r"\1"),
    (re.compile(r"border-(?:top|bottom)-(?:left|right)-radius"), "border-radius"),
    (
        re.compile(
            r"border-(?:top|right|bottom|left)(?:-(?:width|style|color))?|border-(?:width|style|color)"
        ),
        "border",
    ),
    (re.compile(r"overflow-[xy]"), "overflow"),
    (re.compile(r"(transition|animation|scroll-snap)-[-a-z]+"), r"\1"),
)
_FUNCTION = re.compile(r"([-\w]+)\(")
_UNIT = re.compile(r"(?<![\w#-])(?:\d++(?:\.\d+)?|\.\d++)(rem|vw|vh|vmin|vmax|ch)\b", re.IGNORECASE)
_SELECTORS = re.compile(r"::?[-\w]+|[>+~*\[&]")


@dataclass(frozen=True, slots=True)
class Feature:
    """What is known of one feature."""

    slug: str
    title: str
    #: When it was tested last: a date, or a part of one.
    tested: str
    #: Clients that do not support it, and those that do so partly.
    no: tuple[str, ...]
    partly: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unsupported:
    """One thing in a mail that some clients do not support, or partly."""

    slug: str
    title: str
    #: As it stands there: `display:flex`, `<video>`, `hidden`.
    written: str
    #: Where first: the element's name and classes.
    tag: str
    classes: tuple[str, ...]
    in_style: bool
    no: tuple[str, ...]
    partly: tuple[str, ...]
    notes: tuple[str, ...]
    tested: str
    #: Whether readers of those clients miss something.
    lost: bool
    #: What to write instead; "" for what is not lost.
    instead: str


def unsupported(html: str) -> Iterator[Unsupported]:
    """Yield what Gmail and Outlook do not fully support, each thing once for style attributes and once for sheets."""
    seen: set[tuple[str, str, bool, bool]] = set()
    body = False
    for tag in tags(html):
        body = body or tag.name == "body"
        found = [*_of_tag(tag, html, body)]
        style = tag.get("style")
        backed = tag.get("bgcolor") is not None
        for slug, written, lost in _of_declarations(style.value) if style else ():
            found.append((slug, written, lost and not (backed and written.startswith("background")), False))
        if tag.name == "style":
            found += [
                (slug, written, False, True) for slug, written in _of_sheet(html[tag.end : tag.text_end])
            ]
        for slug, written, lost, in_style in found:
            if (key := (slug, written, lost, in_style)) not in seen:
                seen.add(key)
                yield _said(slug, written, lost, in_style, tag)


@cache
def features() -> Mapping[str, Feature]:
    """Return what is known, by slug."""
    found = {}
    for slug, each in _data()["features"].items():
        support: Mapping[str, str] = each["support"]
        found[slug] = Feature(
            slug,
            each["title"],
            each["tested"],
            tuple(name for name, value in support.items() if value[0] == "n"),
            tuple(name for name, value in support.items() if value[0] == "a"),
            tuple(each["notes"].values()),
        )
    return found


@cache
def _data() -> Mapping[str, Any]:
    text = files("pipeline.clients").joinpath("caniemail.json").read_text("utf-8")
    data: Mapping[str, Any] = json.loads(text)
    return data


@cache
def _finds(kind: str) -> Mapping[str, str]:
    """What to look for -> the feature it belongs to."""
    return {name: slug for slug, each in _data()["features"].items() for name in each["finds"].get(kind, ())}


def _said(slug: str, written: str, lost: bool, in_style: bool, tag: Tag) -> Unsupported:
    feature = features()[slug]
    classes = tag.get("class")
    lost = lost and slug in LOST and (bool(feature.no) or slug == "html-style")
    return Unsupported(
        slug,
        feature.title,
        written,
        tag.name,
        tuple(classes.value.split()) if classes else (),
        in_style,
        feature.no,
        feature.partly,
        feature.notes,
        feature.tested,
        lost,
        LOST[slug] if lost else "",
    )


def _of_tag(tag: Tag, html: str, body: bool) -> Iterator[tuple[str, str, bool, bool]]:
    """Yield feature, what is written, whether it may be lost, and whether it is in a sheet."""
    elements, attributes = _finds("elements"), _finds("attributes")
    if tag.name == "style":
        too_long = len(html[tag.end : tag.text_end].encode()) > STYLE_LIMIT
        yield "html-style", "<style>", body or too_long, True
    elif tag.name in elements:
        yield elements[tag.name], f"<{tag.name}>", True, False
    for name in ("type", "rel"):
        value = tag.get(name)
        written = f"{tag.name}[{name}={value.value.lower()}]" if value else ""
        if written in elements:
            yield elements[written], f'<{tag.name} {name}="{value.value}">' if value else "", True, False
    for attribute in tag.attributes:
        if attribute.name == "href" and attribute.value.startswith("#") and len(attribute.value) > 1:
            yield attributes["href=#"], f'href="{attribute.value}"', True, False
        elif attribute.name in attributes:
            yield attributes[attribute.name], attribute.name, True, False


@lru_cache(maxsize=4096)
def _of_declarations(css: str) -> tuple[tuple[str, str, bool], ...]:
    """Return what a block of declarations holds: feature, what is written, whether nothing else there carries it."""
    block = [
        (piece.name, css[piece.start : piece.end].strip())
        for piece in pieces(css)
        if piece.kind == "declaration"
    ]
    found = []
    for place, (name, value) in enumerate(block):
        for slug in dict.fromkeys(_features_of(name, value)):
            found.append((slug, f"{name}:{value}", not _carried(slug, name, block[:place], block)))
    return tuple(found)


def _features_of(name: str, value: str) -> Iterator[str]:
    properties, values = _finds("properties"), _finds("values")
    plain = re.sub(r"\s*!important$", "", value.lower())
    if f"{name}:{plain}" in values:
        yield values[f"{name}:{plain}"]
    elif name in properties and not _does_nothing(name, plain):
        yield properties[name]
    else:
        for family, shorthand in _FAMILIES:
            if family.fullmatch(name) and (whole := family.sub(shorthand, name)) in properties:
                yield properties[whole]
    if "(" in value:
        functions = _finds("functions")
        yield from (functions[each.lower()] for each in _FUNCTION.findall(value) if each.lower() in functions)
        if "url(" in plain and name == "background":
            yield "css-background-image"
    units = _finds("units")
    yield from (units[unit.lower()] for unit in _UNIT.findall(value) if unit.lower() in units)


def _does_nothing(name: str, value: str) -> bool:
    """Tell whether a value is what the property has anyway: dropping it changes nothing."""
    return value in {"position": ("static",), "float": ("none",), "visibility": ("visible",)}.get(
        name, ()
    ) or (value == "none" and name in ("background-image", "transform"))


def _carried(
    slug: str, name: str, before: Sequence[tuple[str, str]], block: Sequence[tuple[str, str]]
) -> bool:
    """Tell whether something in the same block stands in for a declaration that a client drops."""
    if any(other == name and slug not in _features_of(other, value) for other, value in before):
        return True
    others = {other for other, _ in block}
    return not others.isdisjoint(CARRIED_BY.get(name, ()))


@lru_cache(maxsize=64)
def _of_sheet(css: str) -> tuple[tuple[str, str], ...]:
    """Return what a sheet holds: feature, and what is written."""
    found: dict[tuple[str, str], None] = {}
    for piece in pieces(css):
        text = " ".join(css[piece.start : piece.end].split())
        if piece.kind == "declaration":
            hits = [(slug, f"{piece.name}:{text}") for slug in _features_of(piece.name, text)]
        elif piece.name:
            media = re.findall(r"\(\s*([-\w]+)", text) if piece.name == "@media" else ()
            hits = [(_finds("media")[each], text) for each in media if each in _finds("media")]
            hits += [(_finds("at")[piece.name], piece.name)] if piece.name in _finds("at") else []
        else:
            selectors = _finds("selectors")
            hits = [(selectors[each], text) for each in _SELECTORS.findall(text) if each in selectors]
        found.update(dict.fromkeys(hits))
    return tuple(found)
