"""Writes a feed as JSON Feed 1.1 (jsonfeed.org/version/1.1), by hand: feedgen does not know it."""

from __future__ import annotations

import json

from pipeline.model import Entry, Feed
from pipeline.render.feeds.feedtext import clean, line, moment, spoken, terms


def filename(feed: Feed) -> str:
    """Name the file in feeds/: "all.json"."""
    return f"{feed.name}.json"


def json_feed(feed: Feed) -> bytes:
    """Return the feed as JSON Feed 1.1, UTF-8 with a line end; keys in the specification's order."""
    document: dict[str, object] = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": line(feed.title) or clean(feed.url),
        "home_page_url": clean(feed.url),
        "feed_url": clean(feed.folder + filename(feed)),
        "description": line(feed.subtitle),
        "authors": _authors((feed.author,)),
        "language": feed.language,
        "items": [_item(entry, feed.language) for entry in feed.entries],
    }
    text = json.dumps(_said(document) | {"items": document["items"]}, ensure_ascii=False, indent=2)
    return text.encode() + b"\n"


def _item(entry: Entry, language: str) -> dict[str, object]:
    item: dict[str, object] = {
        "id": line(entry.id),
        "url": clean(entry.url),
        "title": line(entry.title) or clean(entry.url),
        "content_html": clean(entry.html),
        "summary": line(entry.excerpt),
        "image": clean(entry.image),
        "date_published": moment(entry.published).isoformat(),
        "date_modified": moment(entry.updated).isoformat(),
        "authors": _authors(entry.authors),
        "tags": [label for _, label in terms(entry)],
        "language": spoken(entry, language),
    }
    # An item needs content_html or content_text (version 1.1, "Items"), be it empty.
    return {"content_html": ""} | _said(item) if not item["content_html"] else _said(item)


def _said(object_: dict[str, object]) -> dict[str, object]:
    """Leave out what there is nothing to say of."""
    return {key: value for key, value in object_.items() if value}


def _authors(names: tuple[str, ...]) -> list[dict[str, str]]:
    return [{"name": name} for name in map(line, names) if name]
