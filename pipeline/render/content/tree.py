"""A post's HTML as a small tree, read from what the sanitiser normalised and written back for its last door."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import escape
from html.parser import HTMLParser

VOID = frozenset({"br", "hr", "img", "col", "wbr"})
#: Elements that stand as blocks of their own; all others flow with the text.
BLOCKS = frozenset(
    {"blockquote", "caption", "dd", "details", "div", "dl", "dt", "figcaption", "figure"}
    | {"h1", "h2", "h3", "h4", "h5", "h6", "hr", "li", "ol", "p", "pre", "summary"}
    | {"table", "tbody", "td", "tfoot", "th", "thead", "tr", "ul"}
)

# C0 and C1 controls, noncharacters and interlinear marks mean nothing in text and are forbidden in XML.
_UNWANTED = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ufdd0-\ufdef\ufff9-\ufffb\ufffe\uffff\ud800-\udfff]"
)
# Some programs break lines at these; HTML does not, and a line is what mail is made of.
_BREAKS = re.compile("[\x0b\x0c\x85\u2028\u2029]")
# LRO and RLO turn text against its own letters ("gpj.exe"); no language needs them.
_OVERRIDES = re.compile("[\u202d\u202e]")
_EMBEDDINGS = re.compile("[\u202a\u202b\u202c\u2066-\u2069]")


#: A safety net under rawhtml.DEEPEST, which counts tags and not what HTML makes of them.
DEEPEST = 200


class TooDeep(Exception):
    """Elements are nested deeper than any post needs."""

    def __init__(self, line: int | None = None) -> None:
        super().__init__(line)
        self.line = line


@dataclass(slots=True)
class Element:
    """An element; the root has no tag."""

    tag: str = ""
    attrs: dict[str, str] = field(default_factory=dict)
    children: list[Element | str] = field(default_factory=list)

    def clone(self) -> Element:
        """Copy the whole branch."""
        children = [child if isinstance(child, str) else child.clone() for child in self.children]
        return Element(self.tag, dict(self.attrs), children)

    def walk(self) -> Iterator[Element]:
        """Yield this element and all below it, in document order."""
        yield self
        for child in self.children:
            if isinstance(child, Element):
                yield from child.walk()

    def text(self) -> str:
        """All text below, images by their alternative text, white space as written."""
        if self.tag == "img":
            return self.attrs.get("alt", "")
        if self.tag == "br":
            return "\n"
        return "".join(child if isinstance(child, str) else child.text() for child in self.children)

    def has(self, *tags: str) -> bool:
        """True if an element with such a tag is below."""
        return any(element.tag in tags for element in self.walk())

    @property
    def css(self) -> str:
        """Its class, of which there is never more than one."""
        return self.attrs.get("class", "")


def parse(html: str) -> Element:
    """Read well-formed HTML, as `sanitise.normalise` writes it. Raises TooDeep."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.root


def serialise(element: Element) -> str:
    """Write a tree as HTML."""
    parts: list[str] = []
    _write(element, parts)
    return "".join(parts)


def scrub(text: str) -> str:
    """Remove characters that are no text, and direction marks that would reach beyond their own run of text."""
    text = _OVERRIDES.sub("", _BREAKS.sub(" ", _UNWANTED.sub("", text)))
    return text if _balanced(text) else _EMBEDDINGS.sub("", text)


def _balanced(text: str) -> bool:
    stack: list[str] = []
    for mark in _EMBEDDINGS.findall(text):
        if mark in "\u202c\u2069":
            if not stack or stack.pop() != mark:
                return False
        else:
            stack.append("\u202c" if mark in "\u202a\u202b" else "\u2069")
    return not stack


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Element()
        self._open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: scrub(value or "") for name, value in attrs})
        self._open[-1].children.append(element)
        if tag not in VOID:
            self._open.append(element)
            if len(self._open) > DEEPEST:
                raise TooDeep

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if len(self._open) > 1 and self._open[-1].tag == tag:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        children = self._open[-1].children
        text = scrub(data)
        if children and isinstance(children[-1], str):
            children[-1] += text
        elif text:
            children.append(text)


def _write(element: Element, parts: list[str]) -> None:
    if element.tag:
        attrs = "".join(f' {name}="{escape(value)}"' for name, value in element.attrs.items())
        parts.append(f"<{element.tag}{attrs}>")
        if element.tag in VOID:
            return
        # HTML drops a line break that directly follows <pre>.
        if element.tag == "pre" and element.children and str(element.children[0]).startswith("\n"):
            parts.append("\n")
    for child in element.children:
        if isinstance(child, str):
            parts.append(escape(child, quote=False))
        else:
            _write(child, parts)
    if element.tag:
        parts.append(f"</{element.tag}>")
