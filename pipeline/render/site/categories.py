"""Groups posts by category: one page and one set of feeds for all names that share an address."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from unicodedata import normalize

from pipeline.render.site.frame import WHOLE

if TYPE_CHECKING:
    from pipeline.model import Post
    from pipeline.render.site.frame import Frame


@dataclass(frozen=True, slots=True)
class Category:
    """Posts that belong together, newest first."""

    #: As most posts write it; names that differ by more than case are listed: "C, C++".
    name: str
    #: Last part of its page's address.
    slug: str
    #: Absolute address of its page.
    url: str
    posts: tuple[Post, ...]

    @property
    def feed(self) -> str:
        """File name of its feeds, without ending; "all" belongs to the whole newsletter."""
        return self.slug if self.slug != WHOLE else f"category-{WHOLE}"


def categories(posts: Sequence[Post], frame: Frame) -> list[Category]:
    """Group posts (newest first) by their category's address, in order of name."""
    groups: dict[str, list[Post]] = {}
    for post in posts:
        if post.category.strip():
            groups.setdefault(frame.addresses.category(post.category), []).append(post)
    found = [
        Category(_name(group), frame.own_file(url).split("/")[-2], url, tuple(group))
        for url, group in groups.items()
    ]
    return sorted(found, key=lambda category: (category.name.casefold(), category.slug))


def _name(posts: Sequence[Post]) -> str:
    spellings: dict[str, Counter[str]] = {}
    for post in posts:
        name = " ".join(normalize("NFC", post.category).split())
        spellings.setdefault(name.casefold(), Counter())[name] += 1
    # The spelling used most often; among equals the first in the alphabet.
    names = [min(counts, key=lambda name: (-counts[name], name)) for _, counts in sorted(spellings.items())]
    return ", ".join(names)
