"""Reads out of a rendered mail what the theme itself points to and shows, beside what the bodies report."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import unquote

from lxml import etree

from pipeline.model import Body, Image, Link


def found(html: str, bodies: Sequence[Body]) -> tuple[tuple[Link, ...], tuple[Image, ...]]:
    """Return all links and images: the bodies' own, each with its file and line, then those only `html` has.

    The bodies' come whole, also what a cut hides and what did not resolve and
    so is not in `html` at all: it is published with the issue, and checked.
    """
    links = [link for body in bodies for link in body.links]
    images = [image for body in bodies for image in body.images]
    known = {_plain(link.url) for link in links} | {_plain(image.url) for image in images}
    page: Any = etree.fromstring(html, etree.HTMLParser(huge_tree=True, no_network=True))
    for a in page.iter("a"):
        if a.get("href") and _plain(a.get("href")) not in known:
            links.append(Link(a.get("href"), " ".join("".join(a.itertext()).split())))
    for img in page.iter("img"):
        if _plain(img.get("src", "")) not in known:
            images.append(Image(img.get("src", ""), img.get("alt")))
    return tuple(links), tuple(images)


def _plain(url: str) -> str:
    """Level the ways in which one address is written: libxml2 percent-encodes what is not ASCII."""
    return unquote(url)
