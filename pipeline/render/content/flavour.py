"""Two flavours of a post's tree: the web's, which can jump and scroll, and the mail's, which cannot."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.render.content.tree import BLOCKS, Element

#: Address of a picture -> its width and height in pixels.
Sizes = Mapping[str, tuple[int, int]]
NO_SIZES: Sizes = {}

#: Width of the text column in mail: 600 px of paper less its padding.
MAIL_WIDTH = 536


def web(root: Element) -> Element:
    """Return a copy for pages and feeds: tables scroll by themselves, scrolling parts take the keyboard's focus."""
    copy = root.clone()
    _web(copy)
    return copy


def mail(root: Element, sizes: Sizes = NO_SIZES) -> Element:
    """Return a copy for mail: nothing to jump to, nothing folded, every image with its size, and in the column.

    `sizes` are the true ones, by address, of pictures that are ours.
    """
    copy = root.clone()
    _mail(copy, sizes)
    return copy


def _web(element: Element) -> None:
    for index, child in enumerate(element.children):
        if isinstance(child, str):
            continue
        _web(child)
        if child.tag == "pre":
            child.attrs["tabindex"] = "0"
        elif child.tag == "th":
            _scope(child)
        elif child.tag == "table" and element.css != "c-scroll":
            element.children[index] = Element("div", {"class": "c-scroll", "tabindex": "0"}, [child])


def _mail(element: Element, sizes: Sizes) -> None:
    children: list[Element | str] = []
    for child in element.children:
        if isinstance(child, str):
            children.append(child)
            continue
        child.attrs.pop("id", None)
        child.attrs.pop("tabindex", None)
        _mail(child, sizes)
        children += _unfolded(child, sizes)
    element.children = children


def _unfolded(child: Element, sizes: Sizes) -> list[Element | str]:
    """Return what stands in mail for an element."""
    if child.css == "c-backref":
        return []
    if child.css == "c-footnote-ref":
        return [Element("sup", {}, [child.text()])]
    if child.tag == "details" or (child.tag == "a" and "href" not in child.attrs):
        return child.children
    if child.tag == "summary":
        return [_heading(child)]
    if child.tag == "img":
        _fit(child, sizes.get(child.attrs.get("src", "")))
    elif child.tag == "th":
        _scope(child)
    elif child.tag == "div" and child.css == "c-footnotes":
        child.attrs = {}
    return [child]


def _heading(summary: Element) -> Element:
    """Show a summary as a bold paragraph, or as it is where it holds a heading or another block."""
    if any(below.tag in BLOCKS for below in summary.walk() if below is not summary):
        return Element("div", {}, summary.children)
    return Element("p", {}, [Element("strong", {}, summary.children)])


def _fit(img: Element, true: tuple[int, int] | None) -> None:
    """Write the size: the author's, else the true one, shrunk to the column (Outlook obeys only these attributes)."""
    width, height = img.attrs.pop("width", ""), img.attrs.pop("height", "")
    wide = _pixels(width) or (true[0] if true and not _pixels(height) else 0)
    # A height beside a share of the column would squeeze the picture on every other width.
    high = 0 if width.endswith("%") else _pixels(height)
    if true and not (wide and high):
        # One side is given, or none: the other follows, so that nobody looks squeezed.
        wide, high = (wide, true[1] * wide / true[0]) if wide else (true[0] * high / true[1], high)
    if not wide:
        return
    fits = min(1, MAIL_WIDTH / wide)
    img.attrs["width"] = str(max(1, round(wide * fits)))
    if high:
        img.attrs["height"] = str(max(1, round(high * fits)))


def _pixels(written: str) -> float:
    """Return a side as an author wrote it, a percentage being of the column; 0 if it says nothing."""
    if written.isdecimal():
        return int(written)
    percent = written.removesuffix("%")
    if written.endswith("%") and percent.isdecimal() and 0 < int(percent) <= 100:
        return MAIL_WIDTH * int(percent) // 100
    return 0


def _scope(th: Element) -> None:
    """Say that a heading cell heads its column, where the author does not say otherwise."""
    th.attrs.setdefault("scope", "col")
