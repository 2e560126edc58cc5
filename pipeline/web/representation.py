"""What a file of the site is to who asks for it: its type, how long it is fresh, whether they have it, which part."""

from __future__ import annotations

import re
from email.utils import parsedate_to_datetime
from mimetypes import guess_type
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.datastructures import Headers

#: Endings that say more than their last part; feeds as RFC 4287 and jsonfeed.org name them, RSS as everybody does.
KINDS = (
    (".rss.xml", "application/rss+xml"),
    (".atom.xml", "application/atom+xml"),
    (".webp", "image/webp"),
    (".avif", "image/avif"),
    (".ics", "text/calendar"),
    (".webmanifest", "application/manifest+json"),
)
FEEDS = ("application/rss+xml", "application/atom+xml")
JSON_FEED = re.compile(r"feeds/[^/]+\.json")
#: What everybody may have, in place of what one reader alone may; mail programs on the web show the site's pictures.
EVERYBODYS = {"Cross-Origin-Resource-Policy": "cross-origin", "X-Robots-Tag": "all"}


def kind_of(name: str) -> str:
    """Return a file's media type, with the character set where it is text."""
    known = next((kind for ending, kind in KINDS if name.lower().endswith(ending)), None)
    if JSON_FEED.fullmatch(name):
        known = "application/feed+json"
    kind = known or guess_type(name)[0] or "application/octet-stream"
    # Of XML and JSON the standards say it themselves; saying so does no harm, and older readers guess worse.
    text = kind.startswith("text/") or kind.endswith(("+xml", "/xml", "/json", "+json", "/javascript"))
    return f"{kind}; charset=utf-8" if text else kind


def headers_of(kind: str, asked: Headers, policy: str) -> dict[str, str]:
    """Return the headers of a file of that type; `policy` is for those in which something could act in our name."""
    bare = kind.partition(";")[0]
    page = bare in ("text/html", "text/xml", "application/xml") or bare.endswith("+xml")
    told = {
        **EVERYBODYS,
        "Cache-Control": _freshness(bare),
        "Content-Security-Policy": policy if page else "frame-ancestors 'none'",
        "Content-Type": kind,
    }
    if bare in FEEDS:
        # Chromium shows these types as plain text, and as XML with a sheet only what is called XML.
        told["Vary"] = "Sec-Fetch-Dest"
        if asked.get("sec-fetch-dest") == "document":
            told["Content-Type"] = "application/xml; charset=utf-8"
    return told


def _freshness(bare: str) -> str:
    """Say for how long a file may be used without asking: a page not at all, since an edit must show."""
    if bare in ("text/html", "application/xhtml+xml"):
        return "no-cache"
    soon = bare in ("text/css", "application/feed+json", *FEEDS)
    return "public, max-age=300" if soon else "public, max-age=3600"


def unchanged(etag: str, modified: float, asked: Headers) -> bool:
    """Tell whether who asks has these bytes already (RFC 9110, 13.2.2)."""
    tags = asked.get("if-none-match")
    if tags is not None:
        return tags.strip() == "*" or etag in [tag.strip().removeprefix("W/") for tag in tags.split(",")]
    since = _moment(asked.get("if-modified-since", ""))
    return since is not None and int(modified) <= since


def changed(etag: str, modified: float, asked: Headers) -> bool:
    """Tell whether who asks wants other bytes than these or none (RFC 9110, 13.2.2)."""
    tags = asked.get("if-match")
    if tags is not None:
        return tags.strip() != "*" and etag not in [tag.strip() for tag in tags.split(",")]
    since = _moment(asked.get("if-unmodified-since", ""))
    return since is not None and int(modified) > since


def part(etag: str, size: int, asked: Headers) -> tuple[int, int]:
    """Return the first and the last byte that are wanted: of one range as asked, else of the whole (RFC 9110, 14.2)."""
    whole = (0, size - 1)
    wanted = re.fullmatch(r"bytes=(\d{0,18})-(\d{0,18})", asked.get("range", "").replace(" ", ""), re.ASCII)
    condition = asked.get("if-range")
    if not wanted or not (wanted[1] or wanted[2]) or condition not in (None, etag):
        return whole
    if not wanted[1]:
        return max(size - int(wanted[2]), 0) if int(wanted[2]) else size, size - 1
    first, last = int(wanted[1]), int(wanted[2]) if wanted[2] else size - 1
    return whole if last < first <= size - 1 else (first, min(last, size - 1))


def _moment(text: str) -> float | None:
    try:
        return parsedate_to_datetime(text).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None
