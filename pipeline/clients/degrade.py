"""Shows a mail as less able clients do: pictures off, no style sheets, text twice as large."""

from __future__ import annotations

import re
from html import escape

from pipeline.clients.csstext import pieces
from pipeline.clients.markup import Edit, Tag, edited, head_start, styles, tags

#: Attributes by which elements fetch pictures (HTML, 4.8 and 16.2).
_FETCHING = frozenset({"background", "srcset", "imagesrcset", "poster", "lowsrc", "dynsrc"})
_URL = re.compile(
    r"(?:url|(?:-webkit-)?image-set)\((?:[^()\"']|\"[^\"]*\"|'[^']*'|\([^()]*\))*\)", re.IGNORECASE
)

#: A length that does not follow the font's size by itself (CSS Values 4, 6.1.2 and 6.2).
_LENGTH = re.compile(
    r"(?<![\w.#-])(\d++(?:\.\d+)?|\.\d++)(px|pt|pc|in|cm|mm|q|vw|vh|vmin|vmax)\b", re.IGNORECASE
)
#: Sizes by name, in pixels (CSS Fonts 4, 2.5).
_NAMED = {
    "xx-small": 9,
    "x-small": 10,
    "small": 13,
    "medium": 16,
    "large": 18,
    "x-large": 24,
    "xx-large": 32,
    "xxx-large": 48,
}
_NAME = re.compile(rf"(?<![\w-])(?:{'|'.join(_NAMED)})(?![\w-])", re.IGNORECASE)
#: <font size> from 1 to 7, by the same names.
_FONT_SIZES = ("x-small", "small", "medium", "large", "x-large", "xx-large", "xxx-large")


def without_images(html: str) -> str:
    """Return a whole mail as a client shows it that loads no pictures: alt texts in boxes, nothing requested."""
    edits = list(styles(html, _without_urls))
    edits = [edit for edit in edits if not _within_img(html, edit)]
    for tag in tags(html):
        if tag.name == "img":
            edits.append((tag.start, tag.end, _box(tag)))
        elif tag.name == "source" or (tag.name == "input" and _is(tag, "type", "image")):
            edits.append((tag.start, tag.end, ""))
        else:
            edits += ((a.start, a.end, "") for a in tag.attributes if a.name in _FETCHING)
            if tag.name in ("image", "use", "video"):
                edits += (
                    (a.start, a.end, "") for a in tag.attributes if a.name in ("href", "xlink:href", "src")
                )
    return edited(html, edits)


def without_style(html: str) -> str:
    """Return a whole mail without `<style>`, linked sheets and classes, as Gmail shows one of an IMAP account."""
    edits: list[Edit] = []
    for tag in tags(html):
        if tag.name == "style":
            closing = re.compile(r"</style[^>]*>", re.IGNORECASE).match(html, tag.text_end)
            edits.append((tag.start, closing.end() if closing else tag.text_end, ""))
        elif tag.name == "link" and "stylesheet" in _value(tag, "rel").lower().split():
            edits.append((tag.start, tag.end, ""))
        else:
            edits += ((a.start, a.end, "") for a in tag.attributes if a.name == "class")
    return edited(html, edits)


def text_doubled(html: str) -> str:
    """Return a whole mail with text at 200 percent (WCAG 2.2, 1.4.4): sizes and line heights, not widths."""
    edits = list(styles(html, _doubled_sheet))
    for tag in tags(html):
        size = tag.get("size") if tag.name == "font" else None
        if size and size.value.strip() in set("1234567"):
            pixels = 2 * _NAMED[_FONT_SIZES[int(size.value) - 1]]
            style = tag.get("style")
            if style is None:
                edits.append((size.start, size.end, f'style="font-size:{pixels}px"'))
    place = head_start(html)
    # What has no size of its own follows the root's, and sizes in em and percent follow what they lie in.
    edits.append((place, place, "<style>:where(html){font-size:200%}</style>"))
    return edited(html, edits)


def _doubled_sheet(css: str) -> str:
    edits: list[Edit] = []
    for piece in pieces(css):
        if piece.kind != "declaration" or piece.name not in ("font-size", "line-height", "font"):
            continue
        value = css[piece.start : piece.end]
        new = _LENGTH.sub(lambda found: f"{float(found[1]) * 2:g}{found[2]}", value)
        if piece.name != "line-height":
            new = _NAME.sub(lambda found: f"{2 * _NAMED[found[0].lower()]}px", new)
        edits.append((piece.start, piece.end, new))
    return edited(css, edits)


def _without_urls(css: str) -> str:
    edits = [
        (piece.start, piece.end, _URL.sub("none", css[piece.start : piece.end]))
        for piece in pieces(css)
        if piece.kind == "declaration"
    ]
    return edited(css, edits)


def _within_img(html: str, edit: Edit) -> bool:
    """Tell whether an edit is of a style attribute that goes with its <img> anyway."""
    opening = html.rfind("<", 0, edit[0])
    return html[opening : opening + 4].lower() == "<img"


def _box(tag: Tag) -> str:
    """Return a box with the alt text, as large as the picture was told to be."""
    alt = _value(tag, "alt")
    sizes = [(side, _value(tag, side).strip()) for side in ("width", "height")]
    style = [
        f"{side}:{value}{'' if value.endswith('%') else 'px'}" for side, value in sizes if _number(value)
    ]
    if not alt.strip() and not style:
        return ""  # mere decoration without a size takes no room
    style += ["display:inline-block", "max-width:100%", "overflow:hidden", "vertical-align:bottom"]
    # The author's own style after it: a client styles the alt text with it, and `display: block` stays so.
    own = _without_urls(_value(tag, "style")).strip().rstrip(";")
    style += [*([own] if own else []), "box-sizing:border-box", "border:1px solid #8A8A8A", "padding:2px 4px"]
    return (
        f'<span role="img" aria-label="{escape(alt)}"{_classes(tag)} style="{escape(";".join(style))}">'
        f"{escape(alt)}</span>"
    )


def _classes(tag: Tag) -> str:
    return f' class="{escape(_value(tag, "class"))}"' if tag.get("class") else ""


def _number(value: str) -> bool:
    return re.fullmatch(r"\d+(\.\d+)?%?", value) is not None and float(value.rstrip("%")) > 0


def _is(tag: Tag, name: str, value: str) -> bool:
    return _value(tag, name).strip().lower() == value


def _value(tag: Tag, name: str) -> str:
    attribute = tag.get(name)
    return attribute.value if attribute else ""
