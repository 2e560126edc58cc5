"""Posts as they appear in feeds: which ones, under which names, and when they last really changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pipeline.model import Entry, Feed, Post
from pipeline.render.site.frame import WHOLE

if TYPE_CHECKING:
    from pipeline.render.site.categories import Category
    from pipeline.render.site.frame import Frame


def whole_feed(frame: Frame, posts: Sequence[Post], updates: Mapping[str, datetime]) -> Feed:
    """Return the newsletter's own feed, its entries still without text. `posts` newest first."""
    newsletter = frame.settings.newsletter
    return _feed(frame, WHOLE, newsletter.name, newsletter.tagline, frame.addresses.index, posts, updates)


def category_feed(frame: Frame, category: Category, updates: Mapping[str, datetime]) -> Feed:
    """Return a category's feed, its entries still without text."""
    newsletter = frame.settings.newsletter
    title = f"{newsletter.name}: {category.name}"
    return _feed(frame, category.feed, title, newsletter.tagline, category.url, category.posts, updates)


def with_text(feed: Feed, posts: Mapping[str, Post], text: Callable[[Post], str]) -> Feed:
    """Put the entries' text in. `posts` are by entry id; `text` gives a post's sanitised fragment."""
    return replace(feed, entries=tuple(replace(entry, html=text(posts[entry.id])) for entry in feed.entries))


def _feed(
    frame: Frame,
    name: str,
    title: str,
    subtitle: str,
    url: str,
    posts: Sequence[Post],
    updates: Mapping[str, datetime],
) -> Feed:
    settings = frame.settings
    entries = tuple(entry(frame, post, updates) for post in posts[: settings.feeds.entries])
    return Feed(
        id=f"tag:{settings.tag_authority}:feed:{name}",
        title=title,
        subtitle=subtitle,
        url=url,
        folder=frame.addresses.feeds_page,
        name=name,
        language=settings.newsletter.language,
        author=settings.newsletter.name,
        # Never now: a feed that nothing was added to has not changed.
        updated=max((each.updated for each in entries), default=_beginning(settings.tag_authority)),
        entries=entries,
    )


def entry(frame: Frame, post: Post, updates: Mapping[str, datetime]) -> Entry:
    """Return a post's entry without its text.

    `updated` is the last real edit: what the author says, or what `updates`
    (post id -> moment) has seen; never before publication.
    """
    zone = frame.settings.newsletter.zone
    moments = [post.published, post.updated, updates.get(post.id)]
    image = frame.addresses.resolve(post, post.image, image=True) if post.image else None
    return Entry(
        id=frame.addresses.tag_id(post),
        url=frame.addresses.post(post),
        title=post.title,
        published=post.published.astimezone(zone),
        updated=max(moment for moment in moments if moment is not None).astimezone(zone),
        authors=post.authors,
        category=post.category,
        tags=post.tags,
        excerpt=post.excerpt,
        html="",
        lang=post.lang,
        image=image.url if image is not None and image.ok else "",
    )


def _beginning(authority: str) -> datetime:
    """Return the moment from which the authority mints ids (RFC 4151, 2.1): "letter.example.org,2026-05"."""
    year, month, day = ([int(part) for part in authority.rpartition(",")[2].split("-")] + [1, 1])[:3]
    return datetime(year, month, day, tzinfo=UTC)
