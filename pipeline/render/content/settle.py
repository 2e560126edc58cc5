"""Settles what a post's tree points to: links and images to absolute addresses, headings to ids of their own."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from pipeline.model import Heading, Image, Link
from pipeline.render.addresses import SCHEMES, Addresses
from pipeline.render.content.tree import Element
from pipeline.slugs import slugify

if TYPE_CHECKING:
    from pipeline.model import Post

HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
_RENAMED = {"center": "div", "strike": "s", "tt": "code"}
#: Classes of links that only lead about in the same post.
_INNER = ("c-backref", "c-footnote-ref")


@dataclass(frozen=True, slots=True)
class Settled:
    """What a tree was found to hold, in order."""

    links: tuple[Link, ...]
    images: tuple[Image, ...]
    headings: tuple[Heading, ...]


def settle(root: Element, post: Post, addresses: Addresses) -> Settled:
    """Resolve every address in the tree, in place; return what was found.

    A link that leads nowhere becomes its text, an image that cannot be shown
    its alternative text. A link without text shows its address.
    """
    _modernise(root)
    _lower_headings(root)
    headings = tuple(_heading(each, post) for each in root.walk() if each.tag in HEADINGS)
    ids = _name(root)
    settler = _Settler(post, addresses, ids)
    settler.children(root)
    return Settled(tuple(settler.links), tuple(settler.images), headings)


class _Settler:
    def __init__(self, post: Post, addresses: Addresses, ids: dict[str, None]) -> None:
        self.links: list[Link] = []
        self.images: list[Image] = []
        self._post, self._addresses, self._ids = post, addresses, ids

    def children(self, element: Element) -> None:
        settled: list[Element | str] = []
        for child in element.children:
            if isinstance(child, str):
                settled.append(child)
            elif child.tag == "a":
                settled += self._link(child, inner=element.css in _INNER or child.css in _INNER)
            elif child.tag == "img":
                settled.append(self._image(child))
            else:
                self.children(child)
                settled.append(child)
        element.children = settled

    def _link(self, a: Element, *, inner: bool) -> list[Element | str]:
        line = _line(a)
        href = a.attrs.pop("href", None)
        target = a.attrs.pop("data-to", href)
        text = " ".join(a.text().split())
        self.children(a)
        if target is None:
            # <a id="x"></a> marks a place; without an id it says nothing.
            return [a] if "id" in a.attrs else a.children
        found = self._addresses.resolve(self._post, self._within(target))
        if not inner:
            link = Link(found.url, text, self._post.path, line, found.ok, found.file, found.target)
            self.links.append(link)
        if not found.ok or not _usable(found.url):
            return a.children or [target]
        a.attrs = {"href": found.url} | a.attrs
        if not text and not a.has("img"):
            a.children = [found.url]
        return [a]

    def _image(self, img: Element) -> Element | str:
        line = _line(img)
        target = img.attrs.pop("data-to", img.attrs.pop("src", ""))
        alt = img.attrs.get("alt")
        found = self._addresses.resolve(self._post, target, image=True)
        self.images.append(Image(found.url, alt, self._post.path, line, found.file, found.target, found.ok))
        if not found.ok or not _usable(found.url, pictures=True):
            return alt or ""
        img.attrs.pop("src", None)
        img.attrs = {"src": found.url, "alt": ""} | img.attrs
        return img

    def _within(self, target: str) -> str:
        """Meet a fragment that names a heading as another program would have: `#Some-Part`, `#don-t`."""
        if not target.startswith("#") or target[1:] in self._ids:
            return target
        meant = self._by_letters.get(_letters(target[1:]))
        return f"#{meant}" if meant else target

    @cached_property
    def _by_letters(self) -> dict[str, str]:
        """The first id of those that differ in hyphens and capitals only."""
        return {_letters(name): name for name in reversed(self._ids)}


def _usable(url: str, *, pictures: bool = False) -> bool:
    scheme = url.partition(":")[0].lower()
    return scheme in (("http", "https") if pictures else SCHEMES)


def _heading(element: Element, post: Post) -> Heading:
    return Heading(int(element.tag[1]), " ".join(element.text().split()), post.path, _line(element))


def _line(element: Element) -> int | None:
    line = element.attrs.pop("data-line", "")
    return int(line) if line.isascii() and line.isdigit() else None


def _modernise(root: Element) -> None:
    """Turn what HTML once had into what it has: <center>, align=, <a name=>."""
    for element in root.walk():
        align = element.attrs.pop("align", "").lower()
        if element.tag == "center":
            align = "center"
        element.tag = _RENAMED.get(element.tag, element.tag)
        if align in ("left", "right", "center") and element.tag != "img":
            element.attrs.setdefault("style", f"text-align:{align}")
        name = element.attrs.pop("name", "")
        if name and element.tag == "a":
            element.attrs.setdefault("id", name)


def _lower_headings(root: Element) -> None:
    """Move all headings down one level where the body has an h1: the page's title is the only one."""
    if not root.has("h1"):
        return
    for element in root.walk():
        if element.tag in HEADINGS:
            element.tag = f"h{min(6, int(element.tag[1]) + 1)}"


def _letters(name: str) -> str:
    return slugify(name).replace("-", "")


def _name(root: Element) -> dict[str, None]:
    """Give every heading an id from its text, and let no id stand twice; return them all, in order."""
    ids: dict[str, None] = {}
    nameless: list[Element] = []
    for element in root.walk():
        given = re.sub(r"[^\w.:-]+", "-", element.attrs.pop("id", "")).strip("-")
        if given and given not in ids:
            element.attrs["id"] = given
            ids[given] = None
        elif element.tag in HEADINGS:
            nameless.append(element)
    counts: dict[str, int] = {}
    for heading in nameless:
        slug = slugify(heading.text())[:80].strip("-") or "part"
        name = slug
        while name in ids:
            counts[slug] = counts.get(slug, 1) + 1
            name = f"{slug}-{counts[slug]}"
        heading.attrs["id"] = name
        ids[name] = None
    return ids
