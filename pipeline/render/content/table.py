"""Writes a table as plain text: in columns if it fits, else one line for each cell."""

from __future__ import annotations

from collections.abc import Callable

from pipeline.render.content.tree import Element
from pipeline.render.wrap import columns, pad, wrap

#: Space between two columns.
GUTTER = "  "


def table_lines(table: Element, width: int, text_of: Callable[[Element], str]) -> list[list[str]]:
    """Return the table's lines in one block, or a block a row where it is too wide for columns."""
    caption = [wrap(text_of(element), width) for element in table.walk() if element.tag == "caption"]
    rows = [_cells(row) for row in table.walk() if row.tag == "tr"]
    rows = [row for row in rows if row]
    texts = [[text_of(cell) for cell in row] for row in rows]
    if not rows:
        return caption
    count = max(map(len, texts))
    sizes = [max(columns(row[i]) if i < len(row) else 0 for row in texts) for i in range(count)]
    head = all(cell.tag == "th" for cell in rows[0])
    if sum(sizes) + len(GUTTER) * (count - 1) <= width:
        return [*caption, _aligned(rows, texts, sizes, head)]
    return [*caption, *_listed(texts, head, width)]


def _cells(row: Element) -> list[Element]:
    return [child for child in row.children if isinstance(child, Element) and child.tag in ("td", "th")]


def _aligned(rows: list[list[Element]], texts: list[list[str]], sizes: list[int], head: bool) -> list[str]:
    lines = []
    for index, (row, cells) in enumerate(zip(rows, texts, strict=True)):
        parts = [
            pad(text, size, cell.attrs.get("style", "").removeprefix("text-align:"))
            for cell, text, size in zip(row, cells, sizes, strict=False)
        ]
        lines.append(GUTTER.join(parts).rstrip(" "))
        if index == 0 and head:
            lines.append(GUTTER.join("-" * size for size in sizes))
    return lines


def _listed(texts: list[list[str]], head: bool, width: int) -> list[list[str]]:
    """Write a row as lines of "Heading: cell"."""
    names = texts[0] if head else []
    blocks = []
    for row in texts[1:] if head else texts:
        lines: list[str] = []
        for index, text in enumerate(row):
            name = f"{names[index]}: " if index < len(names) and names[index] else ""
            wrapped = wrap(name + text, width - 2)
            lines += [wrapped[0], *("  " + line for line in wrapped[1:])] if text else []
        blocks.append(lines)
    return blocks
