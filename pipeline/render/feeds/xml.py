"""Writes a feed as RSS 2.0 and as Atom (RFC 4287); alone knows feedgen.

feedgen 1.0.0 is held back here from what it would do by itself: it stamps
the present moment on whatever has no date and its version into <generator>,
turns entries round, takes the last link for RSS's <link>, makes Atom invalid
with type="CDATA", and switches the whole process's locale for every date.
"""

from __future__ import annotations

from email.utils import format_datetime

import feedgen.entry
import feedgen.feed

from pipeline.model import Entry, Feed
from pipeline.render.feeds.feedtext import clean, line, moment, terms
from pipeline.render.feeds.readable import NOTICE, ReadableEntry, ReadableFeed

# setlocale is process-wide: between feedgen's two calls other threads would write their dates and
# numbers in the C locale. The standard library's formatter knows no locale.
feedgen.feed.formatRFC2822 = feedgen.entry.formatRFC2822 = format_datetime

_XML = b'<?xml version="1.0" encoding="UTF-8"?>\n'
_SHEET = b'<?xml-stylesheet type="text/css" href="feed.css"?>\n'
_GENERATOR = "newsletter-pipeline"


def rss(feed: Feed, excerpts: bool = False, notice: str = NOTICE) -> bytes:
    """Return the feed as RSS 2.0: excerpt as description, the whole text as content:encoded.

    `excerpts` leaves the whole text out. `notice` is what a person reads who
    opens the feed in a browser, in the feed's language.
    """
    made = _generator(feed, "rss", excerpts, notice)
    return _XML + _SHEET + bytes(made.rss_str(pretty=True, xml_declaration=False))


def atom(feed: Feed, excerpts: bool = False, notice: str = NOTICE) -> bytes:
    """Return the feed as Atom: excerpt as summary, the whole text as content; arguments as for `rss`."""
    made = _generator(feed, "atom", excerpts, notice)
    return _XML + _SHEET + bytes(made.atom_str(pretty=True, xml_declaration=False))


def filename(feed: Feed, form: str, excerpts: bool = False) -> str:
    """Name one form's file in feeds/: "all.rss.xml", "all.excerpts.atom.xml"."""
    return f"{feed.name}{'.excerpts' if excerpts else ''}.{form}.xml"


def _generator(feed: Feed, form: str, excerpts: bool, notice: str) -> feedgen.feed.FeedGenerator:
    """Fill a generator with everything but the text that RSS and Atom carry differently."""
    address = clean(feed.folder + filename(feed, form, excerpts))
    made = feedgen.feed.FeedGenerator()
    made.id(line(feed.id))
    made.title(line(feed.title) or clean(feed.url))
    if feed.subtitle or form == "rss":  # RSS demands a description
        made.subtitle(line(feed.subtitle) or line(feed.title) or clean(feed.url))
    # RSS's <link> becomes the last one given, so the page comes after the feed's own address.
    made.link(href=address, rel="self", type=f"application/{form}+xml")
    made.link(href=clean(feed.url), rel="alternate", type="text/html")
    made.author(name=line(feed.author) or line(feed.title) or clean(feed.url))
    made.language(feed.language)
    made.generator(_GENERATOR)
    made.docs("https://www.rssboard.org/rss-specification")
    made.updated(moment(feed.updated))
    made.pubDate(moment(feed.updated))
    made.load_extension("dc", atom=False)
    made.register_extension("readable", lambda: ReadableFeed(feed, address, notice))
    for entry in feed.entries:
        made.add_entry(_entry(entry, feed, form, excerpts), order="append")
    return made


def _entry(entry: Entry, feed: Feed, form: str, excerpts: bool) -> feedgen.entry.FeedEntry:
    made = feedgen.entry.FeedEntry()
    made.id(line(entry.id))
    made.title(line(entry.title) or clean(entry.url))
    # One link only: feedgen loses rel and type of entries' links, so a second would be one more alternate.
    made.link(href=clean(entry.url), rel="alternate")
    made.published(moment(entry.published))
    made.updated(moment(entry.updated))
    made.load_extension("dc", atom=False)
    for name in filter(None, map(line, entry.authors)):
        made.author(name=name)
        made.dc.dc_creator(name)  # RSS's own <author> demands an e-mail address
    for term, label in terms(entry):
        made.category(term=term, label=label)
    _text(made, form, line(entry.excerpt), "" if excerpts else clean(entry.html))
    made.register_extension("readable", lambda: ReadableEntry(entry, feed.language))
    return made


def _text(made: feedgen.entry.FeedEntry, form: str, excerpt: str, html: str) -> None:
    """Put in the excerpt and the whole text, each escaped as often as its format reads it."""
    if form == "atom":
        if excerpt:
            made.summary(excerpt)
        if html:
            made.content(html, type="html")
        return
    # RSS says of a description that it is HTML, so plain text is escaped once more on its way in.
    made.description(excerpt.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"))
    if html:
        made.content(html, type="html")
