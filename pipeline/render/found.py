"""Reads out of a rendered mail what it points to and shows, and who wrote that."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lxml import etree

from pipeline.model import Body, Image, Link


def found(html: str, bodies: Sequence[Body]) -> tuple[tuple[Link, ...], tuple[Image, ...]]:
    """Return the links and images of `html` in its order.

    What a body knows (file, line, whether it resolved) comes from the body;
    the rest is the theme's own, an override's included.
    """
    links = {_plain(link.url): link for body in bodies for link in body.links}
    images = {_plain(image.url): image for body in bodies for image in body.images}
    page: Any = etree.fromstring(html, etree.HTMLParser(huge_tree=True, no_network=True))
    seen_links = [
        links.get(_plain(a.get("href"))) or Link(a.get("href"), " ".join("".join(a.itertext()).split()))
        for a in page.iter("a")
        if a.get("href")
    ]
    seen_images = [
        images.get(_plain(img.get("src", ""))) or Image(img.get("src", ""), img.get("alt"))
        for img in page.iter("img")
    ]
    return tuple(seen_links), tuple(seen_images)


def _plain(url: str) -> str:
    """Level the ways in which one address is written: libxml2 percent-encodes what is not ASCII."""
    from urllib.parse import unquote

    return unquote(url)
