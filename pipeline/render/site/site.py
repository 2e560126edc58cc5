"""Everything in public/: pages, feeds, stylesheets, pictures, each made only if what it is made from has changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from pipeline.errors import StoreError
from pipeline.model import Entry, Feed, FrozenIssue, Post, SiteFile
from pipeline.render.feeds.entries import category_feed, entry, whole_feed, with_text
from pipeline.render.site import pages
from pipeline.render.site.bodies import Bodies
from pipeline.render.site.categories import categories
from pipeline.render.site.files import attachments, merged, static_files
from pipeline.render.site.frame import EXCERPT_FORMATS, FORMATS, Frame, Page
from pipeline.render.site.inputs import digest, program

if TYPE_CHECKING:
    from pipeline.edges import Source
    from pipeline.render.addresses import Addresses
    from pipeline.render.theme.theme import Theme
    from pipeline.settings import Settings


class Issues(Protocol):
    """The part of the store that knows what was frozen."""

    def pages(self) -> Iterator[tuple[int, str, datetime, str]]:
        """Number, subject, date and page hash of every frozen issue, by number."""

    def frozen(self, number: int) -> FrozenIssue | None:
        """An issue's bytes as they were frozen."""


def site_files(
    posts: Sequence[Post],
    issues: Issues,
    source: Source,
    addresses: Addresses,
    theme: Theme,
    settings: Settings,
    updates: Mapping[str, datetime],
    root: Path,
    cache_folder: Path | None = None,
) -> list[SiteFile]:
    """List every file of the site.

    `posts` are those the public may read, in any order; `updates` say when a
    post's text (by id) last really changed; `root` is the newsletter's folder;
    `cache_folder` is where rendered bodies may be remembered. Raises
    PublishError if two files want one place.
    """
    site = _Site(posts, source, addresses, theme, settings, updates, cache_folder)
    made = [
        *site.stylesheets(),
        *site.post_pages(),
        *site.issue_pages(issues),
        *site.lists(issues),
        *site.feeds(),
    ]
    return merged(
        [*made, *attachments(site.posts, addresses, root), *static_files(root, settings.posts.static)]
    )


def feed_files(
    posts: Sequence[Post],
    source: Source,
    addresses: Addresses,
    theme: Theme,
    settings: Settings,
    updates: Mapping[str, datetime],
    cache_folder: Path | None = None,
) -> list[SiteFile]:
    """List the feeds alone, as `site_files` would."""
    return list(_Site(posts, source, addresses, theme, settings, updates, cache_folder).feeds())


def feed_entries(
    posts: Sequence[Post],
    source: Source,
    addresses: Addresses,
    settings: Settings,
    cache_folder: Path | None = None,
) -> tuple[Entry, ...]:
    """Return posts as feeds would hold them, in the order given; nothing is known of earlier edits."""
    frame, bodies = Frame(settings, addresses), Bodies(source, addresses, settings, cache_folder)
    return tuple(replace(entry(frame, post, {}), html=bodies.web(post)) for post in posts)


class _Site:
    """One build of the site: what its files share."""

    def __init__(
        self,
        posts: Sequence[Post],
        source: Source,
        addresses: Addresses,
        theme: Theme,
        settings: Settings,
        updates: Mapping[str, datetime],
        cache_folder: Path | None,
    ) -> None:
        self.posts = sorted(posts, key=lambda post: (-post.published.timestamp(), post.id))
        self.theme = theme
        self.settings = settings
        self.updates = updates
        self.frame = Frame(settings, addresses)
        self.bodies = Bodies(source, addresses, settings, cache_folder)
        self.categories = categories(self.posts, self.frame)
        self.words = theme.words()
        #: What every page depends on beside its own context.
        self.shared = digest(program(), theme.digest)

    # --- pages -----------------------------------------------------------------

    def post_pages(self) -> Iterator[SiteFile]:
        """Yield a page for every post, unless posts live elsewhere."""
        if self.frame.addresses.elsewhere:
            return
        by_url = {category.url: category for category in self.categories}
        newest = self.posts[: pages.CARDS + 1]
        for post in self.posts:
            yield self._page(pages.post_page(self.frame, post, newest, by_url), post)

    def issue_pages(self, issues: Issues) -> Iterator[SiteFile]:
        """Yield the issues' pages, byte for byte as they were frozen."""
        for number, _, _, page_hash in issues.pages():
            path = self.frame.own_file(self.frame.addresses.issue(number))
            yield SiteFile(path, digest("frozen", page_hash), partial(_frozen_page, issues, number))

    def lists(self, issues: Issues) -> Iterator[SiteFile]:
        """Yield the front page, the lists of issues, posts and categories, the feeds' page, and 404.html."""
        frame = self.frame
        lines = [(number, subject, date) for number, subject, date, _ in issues.pages()][::-1]
        yield self._page(
            pages.front_page(
                frame, self.posts, self._issue_lines(lines[: pages.FRONT_ISSUES], ""), self.categories
            )
        )
        yield self._page(pages.issues_page(frame, self._issue_lines(lines, "../"), self._word("past_issues")))
        if self.posts:
            yield self._page(pages.posts_page(frame, self.posts, self._word("all_posts")))
        for category in self.categories:
            yield self._page(pages.category_page(frame, category))
        yield self._page(
            pages.feeds_page(frame, self.categories, self._word("feeds"), self._word("feeds_intro"))
        )
        yield self._page(pages.not_found_page(frame, self._word("not_found")))

    def _issue_lines(self, lines: Sequence[tuple[int, str, datetime]], root: str) -> list[pages.IssueLine]:
        return [pages.issue_line(self.frame, number, subject, date, root) for number, subject, date in lines]

    def _page(self, page: Page, post: Post | None = None) -> SiteFile:
        """Turn a page, with a post's body if there is one, into a file.

        The inputs are the very context that the template is given, so nothing
        a page shows can change without them.
        """

        def make() -> bytes:
            body = {}
            if post is not None:
                body["body"] = pages.body(self.frame, page, post, self.bodies.web(post))
            return self.theme.render(page.template, **page.context, **body).encode()

        text = self.bodies.inputs(post) if post is not None else ""
        return SiteFile(page.path, digest(self.shared, page.template, page.context, text), make)

    def _word(self, key: str) -> str:
        return str(self.words[key])

    # --- stylesheets and feeds -----------------------------------------------------

    def stylesheets(self) -> Iterator[SiteFile]:
        """Yield the pages' stylesheet, with the rules for code in the dark, and the feeds'."""
        pages_sheet, feeds_sheet = self.theme.source("web/site.css"), self.theme.source("feeds/feed.css")
        yield SiteFile("style.css", digest(program(), pages_sheet), partial(_with_dark_code, pages_sheet))
        yield SiteFile("feeds/feed.css", digest(feeds_sheet), feeds_sheet.encode)

    def feeds(self) -> Iterator[SiteFile]:
        """Yield the newsletter's own feed and each category's, in every format, whole and with excerpts."""
        yield from self._feed(whole_feed(self.frame, self.posts, self.updates), self.posts)
        for category in self.categories:
            yield from self._feed(category_feed(self.frame, category, self.updates), category.posts)

    def _feed(self, feed: Feed, posts: Sequence[Post]) -> Iterator[SiteFile]:
        by_entry = {self.frame.addresses.tag_id(post): post for post in posts[: len(feed.entries)]}
        texts = [self.bodies.inputs(post) for post in by_entry.values()]
        notice = self._word("feed_notice")
        inputs = digest(program(), feed, texts, notice)

        @cache
        def filled() -> Feed:
            return with_text(feed, by_entry, self.bodies.web)

        for _, ending, _ in FORMATS:
            path = f"feeds/{feed.name}.{ending}"
            yield SiteFile(path, digest(inputs, path), partial(_write, filled, ending, notice))
        for _, ending, _ in EXCERPT_FORMATS:
            path = f"feeds/{feed.name}.excerpts.{ending}"
            yield SiteFile(path, digest(inputs, path), partial(_write, filled, ending, notice, excerpts=True))


def _with_dark_code(sheet: str) -> bytes:
    from pipeline.render.content.highlight import dark_rules

    dark = "\n".join(f"  {rule}" for rule in dark_rules().splitlines())
    return f"{sheet.rstrip()}\n\n@media screen and (prefers-color-scheme: dark) {{\n{dark}\n}}\n".encode()


def _write(filled: Callable[[], Feed], ending: str, notice: str, *, excerpts: bool = False) -> bytes:
    """Write a feed in the format that a file's ending names."""
    from pipeline.render.feeds.jsonfeed import json_feed
    from pipeline.render.feeds.xml import atom, rss

    feed = filled()
    if ending == "json":
        return json_feed(feed)
    write = rss if ending == "rss.xml" else atom
    return write(feed, excerpts, notice)


def _frozen_page(issues: Issues, number: int) -> bytes:
    frozen = issues.frozen(number)
    if frozen is None:
        raise StoreError(
            f"issue {number} is in the ledger without its bytes. Restore the ledger from a backup."
        )
    return frozen.page
