"""Digests of everything a published file is made from, so that it is made again when that changes, and only then."""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version

import pipeline

#: Raise it when the same inputs make other bytes: a change in render/ that no template shows.
RENDER_VERSION = 1
#: Packages whose upgrade may change a page or a feed.
PACKAGES = (
    "babel",
    "feedgen",
    "jinja2",
    "linkify-it-py",
    "lxml",
    "markdown-it-py",
    "mdit-py-plugins",
    "nh3",
    "pygments",
)


def digest(*parts: object) -> str:
    """Return SHA-256 over plain data, hexadecimal.

    Texts, numbers, moments, frozen dataclasses, and tuples, lists and dicts of
    them: anything whose repr says all there is, in the same order every time.
    """
    return sha256(repr(parts).encode("utf-8", "surrogatepass")).hexdigest()


@cache
def program() -> str:
    """Return a digest of the program itself and of the packages that pages and feeds are made with."""
    return digest(RENDER_VERSION, pipeline.__version__, *map(_version, PACKAGES))


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""
