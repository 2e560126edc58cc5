"""Reads out of a rendered mail what it points to, shows and heads: the bodies' part and the theme's own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from lxml import etree

from pipeline.model import Body, Heading, Image, Link

_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")


@dataclass(frozen=True, slots=True)
class Found:
    """What a mail holds besides text."""

    links: tuple[Link, ...]
    images: tuple[Image, ...]
    headings: tuple[Heading, ...]


def found(html: str, bodies: Sequence[Body]) -> Found:
    """Return all links and images: the bodies' own, each with its file and line, then those only `html` has.

    The bodies' come whole, also what a cut hides and what did not resolve and
    so is not in `html` at all: it is published with the issue, and checked.
    Headings are those of `html`, in order; a body's with its file and line.
    """
    links = [link for body in bodies for link in body.links]
    images = [image for body in bodies for image in body.images]
    known = {_plain(link.url) for link in links} | {_plain(image.url) for image in images}
    page: Any = etree.fromstring(html, etree.HTMLParser(huge_tree=True, no_network=True))
    for a in page.iter("a"):
        if a.get("href") and _plain(a.get("href")) not in known:
            links.append(Link(a.get("href"), _text(a)))
    for img in page.iter("img"):
        if _plain(img.get("src", "")) not in known:
            size = (_number(img.get(side, "")) for side in ("width", "height"))
            images.append(Image(img.get("src", ""), img.get("alt"), "", None, "", "", True, *size))
    headings = [Heading(int(each.tag[1]), _text(each)) for each in page.iter(*_HEADINGS)]
    return Found(tuple(links), tuple(images), tuple(_placed(headings, bodies)))


def _placed(headings: Sequence[Heading], bodies: Sequence[Body]) -> Iterator[Heading]:
    """Put the bodies' own headings, which know their place, where they stand in the mail."""
    waiting = [list(body.headings) for body in bodies]
    for heading in headings:
        own = next((queue for queue in waiting if queue and _same(queue[0], heading)), None)
        yield own.pop(0) if own else heading


def _same(one: Heading, other: Heading) -> bool:
    return (one.level, one.text) == (other.level, other.text)


def _text(element: Any) -> str:
    return " ".join("".join(element.itertext()).split())


def _number(written: str) -> int | None:
    return int(written) if written.isascii() and written.isdigit() else None


def _plain(url: str) -> str:
    """Level the ways in which one address is written: libxml2 percent-encodes what is not ASCII."""
    return unquote(url)
