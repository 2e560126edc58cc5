"""Shows a light mail as clients do that force a dark mode on it, whatever the mail itself offers.

The algorithm is that of Chromium's algorithmic darkening, which Android's web
views use, and so the Gmail app and most others there (customer.io/learn,
"Taming forced dark mode"): each colour by itself, light backgrounds and dark
text turned over in their CIELAB lightness, everything between and all
pictures left alone. The figures are measured in Chromium 156 with
WebContentsForceDark, and a test compares every colour with it.
docs/mail-clients.md says how other clients differ.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from pipeline.clients.colours import BLACK, WHITE, Colour, css_colour, html_colour, inverted
from pipeline.clients.csstext import pieces, without_shielded
from pipeline.clients.markup import Edit, Tag, edited, head_start, styles, tags
from pipeline.clients.scheme import mentions_scheme

#: Text below this brightness is turned over, and backgrounds above that (of 0 to 255).
TEXT_BELOW, BACKGROUND_ABOVE = 150, 205
#: Lightness L becomes this less L: what was white does not become quite black.
LIGHTEST = 110.0
#: Greys that would come out darker than the first become the second (#121212, Material's surface).
NEARLY_BLACK, SURFACE = 32, 18

#: A link nobody coloured, and <mark> (HTML, 15.3.4 and 15.3.5).
LINK, MARK = Colour(0, 0, 238), Colour(255, 255, 0)

_TEXT = frozenset(
    {"color", "-webkit-text-fill-color", "text-decoration-color", "caret-color", "fill", "stroke"}
)
_TEXT_ATTRIBUTES = frozenset({"text", "link", "vlink", "alink", "color"})
#: A gradient is not darkened.
_SHADED = re.compile(r"gradient\(|image-set\(", re.IGNORECASE)
_COLOUR = re.compile(
    r"(?<![\w#.-])(?:#[0-9a-fA-F]{3,8}|(?:rgba?|hsla?|hwb|lab|lch|oklab|oklch|color)\([^()]*\)|[a-zA-Z]+)(?![\w(-])",
    re.IGNORECASE,
)


def force_dark(html: str) -> str:
    """Return a whole mail as a client with a forced dark mode shows it; only colours, and rules on schemes, change."""
    edits = list(styles(html, dark_sheet))
    for tag in tags(html):
        edits += _attributes(tag)
    edits.append((place := head_start(html), place, f"<style>{_defaults()}</style>"))
    return edited(html, edits)


def dark_text(colour: Colour) -> Colour:
    """Return what becomes of a text's colour."""
    return _turned(colour) if _brightness(colour) < TEXT_BELOW else colour


def dark_background(colour: Colour) -> Colour:
    """Return what becomes of a background's colour."""
    return _turned(colour) if _brightness(colour) > BACKGROUND_ABOVE else colour


def dark_sheet(css: str) -> str:
    """Return a sheet, or the content of a style attribute, with its colours darkened and its dark rules dropped."""
    edits: list[Edit] = []
    for piece in pieces(css):
        if piece.name == "@media" and mentions_scheme(css[piece.start : piece.end]):
            # These clients know nothing of the query, so neither "dark" nor "light" nor "not dark" holds.
            edits.append((piece.start, piece.end, "@media not all"))
        elif piece.kind == "declaration":
            edits += _darkened(css, piece.name, piece.start, piece.end)
    return edited(css, edits)


def _darkened(css: str, name: str, start: int, end: int) -> Iterator[Edit]:
    if name in ("color-scheme", "supported-color-schemes"):
        yield start, end, "dark"
    elif name in _TEXT or name.startswith(("background", "border", "outline", "box-shadow", "column-rule")):
        if _SHADED.search(css, start, end):
            return
        for first, last in without_shielded(css, start, end):
            for found in _COLOUR.finditer(css, first, last):
                colour = css_colour(found[0])
                if colour is not None and (new := _by_role(name, colour)) != colour:
                    yield found.start(), found.end(), str(new)


def _by_role(name: str, colour: Colour) -> Colour:
    if name in _TEXT:
        return dark_text(colour)
    if name.startswith("background"):
        return dark_background(colour)
    # Lines: Chromium weighs them against what they lie on; both thresholds come near to it.
    return (dark_background if _brightness(colour) > BACKGROUND_ABOVE else dark_text)(colour)


def _attributes(tag: Tag) -> Iterator[Edit]:
    for attribute in tag.attributes:
        if attribute.name == "bgcolor" or attribute.name in _TEXT_ATTRIBUTES:
            colour = html_colour(attribute.value)
            change = dark_background if attribute.name == "bgcolor" else dark_text
            if colour is not None and (new := change(colour)) != colour:
                yield attribute.rewritten(str(new))
        elif attribute.name == "media" and mentions_scheme(attribute.value):
            yield attribute.rewritten("not all")
    name, content = tag.get("name"), tag.get("content")
    if tag.name == "meta" and name and content and name.value.lower().endswith("color-scheme"):
        yield content.rewritten("dark")


def _defaults() -> str:
    """What a browser gives to a page that says nothing of colours, darkened; every rule of the mail outdoes it."""
    return (
        f":where(html){{color-scheme:dark;background-color:{dark_background(WHITE)};color:{dark_text(BLACK)}}}"
        f":where(a:any-link){{color:{dark_text(LINK)}}}"
        f":where(mark){{background-color:{dark_background(MARK)};color:{dark_text(BLACK)}}}"
    )


def _brightness(colour: Colour) -> float:
    """Brightness as the eye weighs red, green and blue, from 0 to 255 (W3C, AERT, 2.2)."""
    return (colour.red * 299 + colour.green * 587 + colour.blue * 114) / 1000


@lru_cache(maxsize=4096)
def _turned(colour: Colour) -> Colour:
    new = inverted(colour, LIGHTEST)
    red, green, blue = (round(channel) for channel in new.channels)
    if red == green == blue < NEARLY_BLACK:
        red = green = blue = SURFACE
    return Colour(red, green, blue, colour.alpha)
