"""Two flavours of a post's tree: the web's, which can jump and scroll, and the mail's, which cannot."""

from __future__ import annotations

from pipeline.render.content.tree import BLOCKS, Element

#: Width of the text column in mail: 600 px of paper less its padding.
MAIL_WIDTH = 536


def web(root: Element) -> Element:
    """Return a copy for pages and feeds: tables scroll by themselves, scrolling parts take the keyboard's focus."""
    copy = root.clone()
    _web(copy)
    return copy


def mail(root: Element) -> Element:
    """Return a copy for mail: nothing to jump to, nothing folded, no image wider than the column."""
    copy = root.clone()
    _mail(copy)
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


def _mail(element: Element) -> None:
    children: list[Element | str] = []
    for child in element.children:
        if isinstance(child, str):
            children.append(child)
            continue
        child.attrs.pop("id", None)
        child.attrs.pop("tabindex", None)
        _mail(child)
        children += _unfolded(child)
    element.children = children


def _unfolded(child: Element) -> list[Element | str]:
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
        _fit(child)
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


def _fit(img: Element) -> None:
    """Shrink a known width to the column, the height with it (Outlook obeys only these attributes)."""
    width, height = img.attrs.pop("width", ""), img.attrs.pop("height", "")
    if not width.isdecimal():
        percent = width.removesuffix("%")
        if width.endswith("%") and percent.isdecimal() and 0 < int(percent) <= 100:
            img.attrs["width"] = str(MAIL_WIDTH * int(percent) // 100)
        return
    img.attrs["width"] = str(min(int(width), MAIL_WIDTH))
    if height.isdecimal() and int(width):
        img.attrs["height"] = str(round(int(height) * min(1, MAIL_WIDTH / int(width))))


def _scope(th: Element) -> None:
    """Say that a heading cell heads its column, where the author does not say otherwise."""
    th.attrs.setdefault("scope", "col")
