"""Makes a feed readable in a browser: a few XHTML elements that feed.css shows, and it hides the rest.

XSLT is being removed from browsers, and CSS can neither make a link nor show
escaped markup as markup. So each entry carries a heading with a real link,
its date and its excerpt once more, in the XHTML namespace: an extension in
the sense of RFC 4287, 6.4 and of RSS 2.0, "Extending RSS". Feed readers pass
over them. No `div` and no `body`: some readers take these for the content.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from lxml import etree

from pipeline.dates import long_date
from pipeline.model import Entry, Feed
from pipeline.render.feeds.feedtext import clean, line, moment, spoken

NOTICE = "This is a feed. Copy its address into a feed reader, and new posts come to you."

_XHTML = "http://www.w3.org/1999/xhtml"
_ATOM = "http://www.w3.org/2005/Atom"
_LANG = "{http://www.w3.org/XML/1998/namespace}lang"


class ReadableFeed:
    """What a browser shows above the entries; a feedgen extension."""

    def __init__(self, feed: Feed, address: str, notice: str) -> None:
        self._feed, self._address, self._notice = feed, address, notice

    def extend_ns(self) -> dict[str, str]:
        """Declare the prefix once, on the root."""
        return {"xhtml": _XHTML}

    def extend_rss(self, root: etree._Element) -> None:
        """Add the head to the channel."""
        self._head(root[0])

    def extend_atom(self, root: etree._Element) -> None:
        """Add the head to the feed."""
        self._head(root)

    def _head(self, parent: etree._Element) -> None:
        feed = self._feed
        # Without it a phone lays the page out as wide as a desk's.
        _add(parent, "meta", name="viewport", content="width=device-width, initial-scale=1")
        head = _add(parent, "header")
        notice = _add(head, "section")
        _add(notice, "p", self._notice)
        _add(notice, "code", self._address)
        _add(_add(head, "h1"), "a", line(feed.title) or feed.url, **_href(feed.url))
        if feed.subtitle:
            _add(head, "p", line(feed.subtitle))


class ReadableEntry:
    """What a browser shows of one entry, and what feedgen cannot say itself; a feedgen extension."""

    def __init__(self, entry: Entry, language: str) -> None:
        self._entry, self._language = entry, language

    def extend_ns(self) -> dict[str, str]:
        """Declare nothing: the root has."""
        return {}

    def extend_rss(self, item: etree._Element) -> None:
        """Add the entry's own language, and the date of an edit, for which RSS has no word."""
        entry = self._entry
        self._speak(item)
        if moment(entry.updated) != moment(entry.published):
            etree.SubElement(item, f"{{{_ATOM}}}updated").text = moment(entry.updated).isoformat()
        self._card(item)

    def extend_atom(self, element: etree._Element) -> None:
        """Add the entry's own language."""
        self._speak(element)
        self._card(element)

    def _speak(self, element: etree._Element) -> None:
        if (language := spoken(self._entry, self._language)) != self._language:
            element.set(_LANG, language)

    def _card(self, parent: etree._Element) -> None:
        entry = self._entry
        card = _add(parent, "article")
        day = long_date(entry.published.date(), spoken(entry, self._language))
        _add(card, "p", " · ".join(filter(None, (day, line(entry.category)))), **{"class": "meta"})
        _add(_add(card, "h2"), "a", line(entry.title) or entry.url, **_href(entry.url))
        if excerpt := line(entry.excerpt):
            _add(card, "p", excerpt)


def _add(parent: etree._Element, name: str, text: str = "", /, **attributes: str) -> etree._Element:
    # One prefix, so that no entry declares the namespace anew.
    element = etree.SubElement(parent, f"{{{_XHTML}}}{name}", attributes, nsmap={"xhtml": _XHTML})
    element.text = clean(text) or None
    return element


def _href(url: str) -> dict[str, str]:
    """Only web addresses can be clicked; a feed is opened on the site's own origin."""
    return {"href": clean(url)} if urlsplit(clean(url)).scheme in ("http", "https") else {}
