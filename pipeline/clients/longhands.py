"""Takes CSS shorthands apart as far as a text's looks depend on them, and drops values that no browser takes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import tinycss2

from pipeline.clients.colours import css_colour

#: Values of any property (CSS Cascade 5, 7.3).
WIDE = frozenset({"inherit", "initial", "unset", "revert", "revert-layer"})
#: Colours that only the reader's system knows (CSS Color 4, 6.2 and appendix A).
SYSTEM = frozenset(
    "accentcolor accentcolortext activetext buttonborder buttonface buttontext canvas canvastext "  # noqa: SIM905
    "field fieldtext graytext highlight highlighttext linktext mark marktext selecteditem selecteditemtext "
    "visitedtext window windowtext captiontext infobackground infotext menu menutext".split()
)


def longhands(name: str, value: Sequence[Any]) -> Iterator[tuple[str, str]]:
    """Yield properties and values, as written, that a declaration sets; none for one that browsers ignore."""
    text = tinycss2.serialize(value).strip()
    if name == "background":
        yield from _background(value, text)
    elif name == "font":
        yield from _font(value, text)
    elif name in ("color", "background-color", "-webkit-text-fill-color"):
        parts = [part for part in value if part.type not in ("whitespace", "comment")]
        if len(parts) == 1 and (_is_colour(parts[0]) or text.lower() in WIDE):
            yield name, text
    else:
        yield name, text


def _background(value: Sequence[Any], text: str) -> Iterator[tuple[str, str]]:
    if text.lower() in WIDE:
        yield "background-color", text
        yield "background-image", text
        return
    colours = [part.serialize() for part in value if _is_colour(part)]
    pictures = [part.serialize() for part in value if _is_picture(part)]
    yield "background-color", colours[-1] if colours else "transparent"
    yield "background-image", pictures[0] if pictures else "none"


def _font(value: Sequence[Any], text: str) -> Iterator[tuple[str, str]]:
    if text.lower() in WIDE:
        yield "font-size", text
        yield "font-weight", text
        return
    before: list[str] = []
    for part in value:
        if part.type == "literal":  # the slash before the line height
            break
        before.append(part.serialize())
    weights = [each for each in before if each.lower() in ("bold", "bolder", "lighter") or each.isdigit()]
    sizes = [part.serialize() for part in value if part.type in ("dimension", "percentage", "function")]
    yield "font-weight", weights[0] if weights else "normal"
    if sizes:
        yield "font-size", sizes[0]


def _is_colour(part: Any) -> bool:
    if part.type == "function":
        return (
            part.lower_name not in ("url", "image", "image-set", "cross-fade")
            and "gradient" not in part.lower_name
        )
    if part.type == "hash":
        return len(part.value) in (3, 4, 6, 8) and css_colour(part.serialize()) is not None
    if part.type != "ident":
        return False
    return (
        part.lower_value in SYSTEM or part.lower_value == "currentcolor" or css_colour(part.value) is not None
    )


def _is_picture(part: Any) -> bool:
    return part.type == "url" or (
        part.type == "function"
        and ("gradient" in part.lower_name or part.lower_name in ("url", "image-set", "image"))
    )
