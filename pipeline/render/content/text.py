"""Writes a post's tree as plain text for mail: 72 columns, links numbered and listed at the end.

Made from the Markdown's own tree, before any theme or flavour touched it.
"""

from __future__ import annotations

import re

from pipeline.render.content.settle import HEADINGS
from pipeline.render.content.table import table_lines
from pipeline.render.content.tree import BLOCKS, Element
from pipeline.render.wrap import WIDTH, columns, wrap

_SUPERSCRIPTS = str.maketrans("0123456789+-=()n", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁿ")
_SUBSCRIPTS = str.maketrans("0123456789+-=()", "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎")
#: Marks that keep a meaning plain text has no other sign for.
_MARKS = {"em": "_", "i": "_", "strong": "*", "b": "*", "code": "`", "del": "~~", "s": "~~"}
_UNDERLINES = {"h1": "=", "h2": "=", "h3": "-"}
#: Stands between a link and its number while lines are broken; `tree.scrub` lets no post hold it.
_GLUE = "\x1f"
_BULLETS = ("*", "-", "+")


def to_text(root: Element, width: int = WIDTH) -> str:
    """Return the body as text; lines end with `\\n`, the last one too, unless there is nothing to say."""
    writer = _Writer()
    blocks = writer.blocks(root, width)
    lines = _joined(blocks)
    if writer.links:
        lines += ["", *(f"[{number}] {url}" for url, number in writer.links.items())]
    text = "\n".join(line.rstrip(" ") for line in lines).strip("\n").replace(_GLUE, " ")
    return text + "\n" if text else ""


def _joined(blocks: list[list[str]]) -> list[str]:
    lines: list[str] = []
    for block in blocks:
        if block:
            lines += [*([""] if lines else []), *block]
    return lines


class _Writer:
    def __init__(self) -> None:
        #: Address -> number, in order of first mention.
        self.links: dict[str, int] = {}

    # --- blocks ------------------------------------------------------------------

    def blocks(self, element: Element, width: int, depth: int = 0) -> list[list[str]]:
        """Return the lines of each block below; text that stands between blocks is one of its own."""
        blocks: list[list[str]] = []
        flow: list[Element | str] = []
        for child in element.children:
            if isinstance(child, Element) and (child.tag in BLOCKS or _holds_blocks(child)):
                blocks.append(self._paragraph(flow, width))
                flow = []
                blocks += self._block(child, width, depth)
            else:
                flow.append(child)
        blocks.append(self._paragraph(flow, width))
        return [block for block in blocks if block]

    def _block(self, element: Element, width: int, depth: int) -> list[list[str]]:
        tag = element.tag
        if tag in HEADINGS:
            return [self._heading(element, width)]
        if tag in ("ul", "ol"):
            return [self._list(element, width, depth)]
        if tag == "blockquote":
            return [_prefixed(_joined(self.blocks(element, width - 2, depth)), "> ", "> ")]
        if tag == "pre":
            return [["    " + line if line else "" for line in element.text().strip("\n").split("\n")]]
        if tag == "hr":
            return [["* * *"]]
        if tag == "table":
            return table_lines(element, width, self._cell)
        if tag == "dd":
            return [_prefixed(_joined(self.blocks(element, width - 4, depth)), "    ", "    ")]
        if tag == "div" and element.css == "c-footnotes":
            return self._footnotes(element, width)
        if tag == "dl":
            return [[line for block in self.blocks(element, width, depth) for line in block]]
        return self.blocks(element, width, depth)

    def _heading(self, element: Element, width: int) -> list[str]:
        lines = self._paragraph(element.children, width)
        underline = _UNDERLINES.get(element.tag)
        if underline and lines:
            lines.append(underline * min(width, max(map(columns, lines))))
        return lines

    def _list(self, element: Element, width: int, depth: int) -> list[str]:
        items = [child for child in element.children if isinstance(child, Element)]
        start = element.attrs.get("start", "1")
        number = int(start) if re.fullmatch(r"-?\d{1,6}", start) else 1
        loose = any(_paragraphs(item) > 0 for item in items)
        last = number + len(items) - 1
        lines: list[str] = []
        for item in items:
            if element.tag == "ol":
                mark = f"{number}. ".rjust(len(f"{last}. "))
                number += 1
            else:
                mark = f"{_BULLETS[depth % 3]} "
            blocks = self.blocks(item, width - len(mark), depth + 1)
            body = _joined(blocks) if loose else [line for block in blocks for line in block]
            lines += [*([""] if loose and lines else []), *_prefixed(body or [""], mark, " " * len(mark))]
        return lines

    def _footnotes(self, element: Element, width: int) -> list[list[str]]:
        notes: list[list[str]] = []
        items = [below for ol in element.children if isinstance(ol, Element) for below in ol.children]
        for item in (below for below in items if isinstance(below, Element)):
            number = item.attrs.get("value") or str(len(notes) + 1)
            mark = number.translate(_SUPERSCRIPTS) + " "
            notes.append(_prefixed(_joined(self.blocks(item, width - len(mark))), mark, " " * len(mark)))
        return [["-" * 8], *notes]

    def _cell(self, cell: Element) -> str:
        """Return a table cell as one line."""
        return " ".join(line for block in self.blocks(cell, 10_000) for line in block)

    # --- text --------------------------------------------------------------------

    def _paragraph(self, flow: list[Element | str], width: int) -> list[str]:
        text = "".join(map(self._inline, flow))
        text = re.sub(r" *\n *", "\n", text).strip("\n ")
        return wrap(text, width) if text else []

    def _inline(self, node: Element | str) -> str:
        if isinstance(node, str):
            return re.sub(r"[ \t\n\r]+", " ", node)
        tag = node.tag
        if tag == "br":
            return "\n"
        if tag == "img":
            alt = " ".join(node.attrs.get("alt", "").split())
            return f"[Image: {alt}]" if alt else ""
        if node.css == "c-footnote-ref":
            return node.text().translate(_SUPERSCRIPTS)
        if node.css == "c-backref":
            return ""
        inner = "".join(map(self._inline, node.children))
        if tag == "a" and "href" in node.attrs:
            return self._link(inner, node.attrs["href"])
        return _marked(tag, inner)

    def _link(self, inner: str, url: str) -> str:
        text = inner.strip()
        if text in (url, url.removeprefix("mailto:"), url.removesuffix("/")) or not text:
            return inner if text else url
        number = self.links.setdefault(url, len(self.links) + 1)
        return f"{inner.rstrip()}{_GLUE}[{number}]" + inner[len(inner.rstrip()) :]


def _marked(tag: str, inner: str) -> str:
    text = inner.strip()
    if not text:
        return inner
    if tag in ("sup", "sub"):
        table = _SUPERSCRIPTS if tag == "sup" else _SUBSCRIPTS
        if all(ord(letter) in table for letter in text):
            return text.translate(table)
        return f"^({text})" if tag == "sup" else f"_({text})"
    if tag == "q":
        return f"“{inner}”"
    mark = _MARKS.get(tag)
    if mark is None or text.startswith(mark):
        return inner
    return inner.replace(text, f"{mark}{text}{mark}", 1)


def _holds_blocks(element: Element) -> bool:
    return any(below.tag in BLOCKS for below in element.walk())


def _paragraphs(item: Element) -> int:
    return sum(isinstance(child, Element) and child.tag == "p" for child in item.children)


def _prefixed(lines: list[str], first: str, rest: str) -> list[str]:
    return [(first if index == 0 else rest) + line for index, line in enumerate(lines)]
