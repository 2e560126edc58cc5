"""What every page of one site shares: its head, its navigation, its feeds, its cards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from pipeline.render.site.cards import Card, direction, make_card
from pipeline.render.site.local import Local, root_of

if TYPE_CHECKING:
    from pipeline.model import Post
    from pipeline.render.addresses import Addresses
    from pipeline.settings import Settings

#: Name for people, ending, media type. The first two come with excerpts as well.
FORMATS = (
    ("RSS", "rss.xml", "application/rss+xml"),
    ("Atom", "atom.xml", "application/atom+xml"),
    ("JSON", "json", "application/feed+json"),
)
EXCERPT_FORMATS = FORMATS[:2]
#: The feed of the whole newsletter.
WHOLE = "all"


@dataclass(frozen=True, slots=True)
class FeedLink:
    """One file of a feed."""

    #: The format's name.
    name: str
    title: str
    type: str
    url: str


@dataclass(frozen=True, slots=True)
class Page:
    """A page before it is filled in: everything it depends on but its body."""

    #: Relative to public/.
    path: str
    template: str
    context: Mapping[str, object]


@dataclass(frozen=True)
class Frame:
    """Makes the context of pages; the same settings and addresses give the same one."""

    settings: Settings
    addresses: Addresses
    local: Local = field(init=False)
    _cards: dict[tuple[str, str], Card] = field(default_factory=dict, init=False)
    _links: dict[tuple[str, str, str, bool], list[FeedLink]] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "local", Local(self.settings.newsletter.url))

    def page(
        self,
        template: str,
        path: str,
        title: str,
        *,
        description: str = "",
        kind: str = "website",
        image: str = "",
        canonical: str | None = None,
        root: str | None = None,
        feeds: Sequence[tuple[str, str]] = (),
        **context: object,
    ) -> Page:
        """Put a page together.

        `canonical` is its absolute address, "" for a page that has none; `root` the way back to
        public/; `feeds` are (name, title) of feeds that belong to it, beside the newsletter's own.
        """
        newsletter = self.settings.newsletter
        root = root_of(path) if root is None else root
        if canonical is None:
            canonical = self.local.base + path.removesuffix("index.html")
        links = [
            link
            for name, label in ((WHOLE, newsletter.name), *feeds)
            for link in self.feed_links(name, label, root)
        ]
        head = {
            "path": path,
            "root": root,
            "title": title,
            "description": description,
            "kind": kind,
            "image": image,
            "canonical": canonical,
            "feeds": links,
        }
        return Page(path, template, {"page": head, "site": self.site, **context})

    @cached_property
    def site(self) -> dict[str, str]:
        """Return what is true of every page."""
        newsletter = self.settings.newsletter
        return {
            "name": newsletter.name,
            "tagline": newsletter.tagline,
            "language": newsletter.language,
            "direction": direction(newsletter.language),
            "subscribe": self.addresses.subscribe,
            "postal_address": newsletter.postal_address,
            "footer_note": newsletter.footer_note,
        }

    def card(self, post: Post, root: str) -> Card:
        """Return a post's card for pages whose way to public/ is `root`, made once."""
        key = (post.id, root)
        if key not in self._cards:
            self._cards[key] = make_card(post, root, self.settings, self.addresses, self.local)
        return self._cards[key]

    def feed_links(self, name: str, title: str, root: str, excerpts: bool = False) -> list[FeedLink]:
        """List the files of one feed, as links from a page; made once."""
        key = (name, title, root, excerpts)
        if key not in self._links:
            infix, forms = (".excerpts", EXCERPT_FORMATS) if excerpts else ("", FORMATS)
            self._links[key] = [
                FeedLink(form, title, media, self._relative_feed(f"{name}{infix}.{ending}", root))
                for form, ending, media in forms
            ]
        return self._links[key]

    def _relative_feed(self, filename: str, root: str) -> str:
        return self.local.relative(self.addresses.feed(filename), root)

    def own_file(self, url: str) -> str:
        """Return the file in public/ that one of our own addresses names."""
        file = self.local.file(url)
        if file is None:
            raise ValueError(f"{url} is not below {self.local.base}")
        return file
