"""Makes people's words fit for a feed: characters, moments and category names that every reader accepts."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from pipeline.model import Entry
from pipeline.slugs import slugify

#: What XML 1.0 cannot hold, not even escaped (section 2.2), and the two it should not.
_NOT_XML = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufdcf\ufdf0-\ufffd\U00010000-\U0010ffff]")

#: The shape of a language tag (RFC 5646, 2.1).
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")


def clean(text: str) -> str:
    """Return `text` without characters that XML 1.0 forbids, and with plain line ends."""
    return _NOT_XML.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def line(text: str) -> str:
    """Return `text` cleaned and on one line: titles, names, ids."""
    return " ".join(clean(text).split())


def moment(when: datetime) -> datetime:
    """Return `when` in whole seconds, with an offset that RFC 3339 can write.

    Offsets stay as given, except those from before standard time (Amsterdam
    had +00:19:32), which no feed format can say: they are turned to UTC.
    """
    offset = when.utcoffset()
    if offset is None:
        raise ValueError(f"a moment in a feed needs its zone: {when}")
    if offset % timedelta(minutes=1):
        when = when.astimezone(UTC)
    return when.replace(microsecond=0)


def spoken(entry: Entry, language: str) -> str:
    """Return the entry's language, or the feed's where the post names none or something that is no tag."""
    return entry.lang if _LANGUAGE.fullmatch(entry.lang) else language


def terms(entry: Entry) -> list[tuple[str, str]]:
    """Return (term, label) of the category and the tags, each once, the category first."""
    labels = filter(None, map(line, (entry.category, *entry.tags)))
    found: dict[str, str] = {}
    for label in labels:
        found.setdefault(slugify(label) or label, label)
    return list(found.items())
