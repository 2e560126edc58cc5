"""Serves public/ as a static host would, while other processes publish into it.

Each request goes by the path anew, so it finds the tree that stands just then
(publish/ exchanges whole trees), and reads from the file that it opened.
"""

from __future__ import annotations

import os
import re
import stat
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email.utils import formatdate, parsedate_to_datetime
from hashlib import sha256
from mimetypes import guess_type
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO
from urllib.parse import quote

from starlette.responses import PlainTextResponse, Response, StreamingResponse

if TYPE_CHECKING:
    from starlette.datastructures import Headers

INDEX, NOT_FOUND = "index.html", "404.html"
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
#: Bytes read at once; a smaller file is sent in one piece.
PIECE = 256 * 1024
#: Files whose digest is remembered.
REMEMBERED = 20_000
#: Seconds between two looks for a tree that is just being exchanged, where that takes two steps.
PAUSE = 0.05
#: Characters that no path of ours has: they would mean something to a file system.
_ODD = re.compile(r"[\x00-\x1f\x7f\\:]" if os.name == "nt" else r"[\x00-\x1f\x7f\\]")


@dataclass(frozen=True, slots=True)
class Found:
    """A file of the site, opened."""

    file: BinaryIO
    size: int
    modified: float
    #: Tells its bytes from all others, in quotes (RFC 9110, 8.8.3).
    etag: str
    kind: str


class Site:
    """A public folder."""

    def __init__(self, public: Path, posts_to: str) -> None:
        """`posts_to` is the origin that forms of the site may be sent to, besides itself."""
        self._public = public
        self._digests: dict[tuple[int, ...], str] = {}
        # As base.html says in each page; here for every file, whoever wrote it.
        self._policy = (
            f"script-src 'none'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; "
            f"form-action 'self' {posts_to}".rstrip()
        )

    def answer(self, path: str, headers: Headers, *, head: bool) -> Response | None:
        """Answer a GET or HEAD; None if there is no such file."""
        parts = path.removeprefix("/").split("/")
        folder = parts[-1] == ""
        names = [*parts[:-1], INDEX] if folder else parts
        if not all(map(_plain, names)):
            return None
        found = self._open("/".join(names))
        if found is not None:
            return self._sent(found, headers, head=head)
        if not folder and self._stat("/".join([*names, INDEX])):
            # Relative, so that it leads nowhere else: neither to another host nor to another scheme.
            return Response(
                status_code=308, headers={"Location": f"./{quote(names[-1])}/", **_shared("no-cache")}
            )
        return None

    def not_found(self) -> Response | None:
        """Return the site's own page for what is not there, if it has one."""
        found = self._open(NOT_FOUND)
        if found is None:
            return None
        with found.file:
            body = found.file.read()
        return Response(body, 404, media_type=found.kind, headers={"Content-Security-Policy": self._policy})

    # --- finding -----------------------------------------------------------------

    def _open(self, name: str) -> Found | None:
        # Once more, because an old tree may have gone from under us.
        for again in (True, False):
            try:
                return self._opened(name)
            except FileNotFoundError:
                if again and not self._public.is_dir():
                    time.sleep(PAUSE)
            except (OSError, ValueError):
                return None
        return None

    def _opened(self, name: str) -> Found | None:
        path = self._public / name
        # A symbolic link at public/ is followed, one inside it never: what it leads to was not published.
        if os.path.realpath(path) != os.path.join(os.path.realpath(self._public), *name.split("/")):  # noqa: PTH118
            if not os.path.lexists(path):
                raise FileNotFoundError(name)
            return None
        flags = (
            os.O_RDONLY
            | getattr(os, "O_NOFOLLOW", 0)
            | getattr(os, "O_NONBLOCK", 0)
            | getattr(os, "O_BINARY", 0)
        )
        number = os.open(path, flags)
        file = os.fdopen(number, "rb")
        about = os.fstat(number)
        if not stat.S_ISREG(about.st_mode):
            file.close()
            return None
        return Found(file, about.st_size, about.st_mtime, self._etag(file, about), _kind(name))

    def _stat(self, name: str) -> bool:
        found = self._open(name)
        if found is not None:
            found.file.close()
        return found is not None

    def _etag(self, file: BinaryIO, about: os.stat_result) -> str:
        """Return a digest of the bytes: a file that is published again unchanged stays the same to its readers."""
        key = (about.st_dev, about.st_ino, about.st_size, about.st_mtime_ns, about.st_ctime_ns)
        known = self._digests.get(key)
        if known is None:
            digest = sha256()
            for piece in iter(lambda: file.read(PIECE), b""):
                digest.update(piece)
            file.seek(0)
            if len(self._digests) >= REMEMBERED:
                self._digests.clear()
            known = self._digests[key] = f'"{digest.hexdigest()[:32]}"'
        return known

    # --- sending -----------------------------------------------------------------

    def _sent(self, found: Found, asked: Headers, *, head: bool) -> Response:
        told = {
            "ETag": found.etag,
            "Last-Modified": formatdate(found.modified, usegmt=True),
            "Accept-Ranges": "bytes",
            **_shared(_freshness(found.kind)),
        }
        told["Content-Security-Policy"] = self._policy if _acts(found.kind) else "frame-ancestors 'none'"
        if _unchanged(found, asked):
            found.file.close()
            return Response(status_code=304, headers=told)
        first, last = (0, found.size - 1) if head else _range(found, asked)
        if first >= found.size and found.size:
            found.file.close()
            return PlainTextResponse(
                "There are no such bytes.\n", 416, headers={"Content-Range": f"bytes */{found.size}"}
            )
        status, length = 200, last - first + 1
        if length < found.size:
            status = 206
            told["Content-Range"] = f"bytes {first}-{last}/{found.size}"
        told["Content-Type"] = found.kind
        if found.kind.startswith(FEEDS):
            # Chromium shows these types as plain text, and as XML with a sheet only what is called XML.
            told["Vary"] = "Sec-Fetch-Dest"
            if asked.get("sec-fetch-dest") == "document":
                told["Content-Type"] = "application/xml; charset=utf-8"
        if head:
            found.file.close()
            return Response(status_code=status, headers={**told, "Content-Length": str(length)})
        found.file.seek(first)
        if length <= PIECE:
            with found.file:
                return Response(found.file.read(length), status, headers=told)
        return StreamingResponse(
            _pieces(found.file, length), status, headers={**told, "Content-Length": str(length)}
        )


def _pieces(file: BinaryIO, length: int) -> Iterator[bytes]:
    with file:
        while length > 0:
            piece = file.read(min(PIECE, length))
            if not piece:
                return
            length -= len(piece)
            yield piece


def _plain(name: str) -> bool:
    """Tell whether a part of a path may be looked for: no dot file, no way up, nothing a system takes for more."""
    return bool(name) and not name.startswith(".") and not _ODD.search(name) and len(name.encode()) <= 255


def _kind(name: str) -> str:
    """Return a file's media type, with the character set where it is text."""
    known = next((kind for ending, kind in KINDS if name.lower().endswith(ending)), None)
    if JSON_FEED.fullmatch(name):
        known = "application/feed+json"
    kind = known or guess_type(name)[0] or "application/octet-stream"
    # Of XML and JSON the standards say it themselves; saying so does no harm, and older readers guess worse.
    text = kind.startswith("text/") or kind.endswith(("+xml", "/xml", "/json", "+json", "/javascript"))
    return f"{kind}; charset=utf-8" if text else kind


def _acts(kind: str) -> bool:
    """Tell whether a browser makes a page of a file, in which something could act in our name."""
    bare = kind.partition(";")[0]
    return bare in ("text/html", "text/xml", "application/xml") or bare.endswith("+xml")


def _freshness(kind: str) -> str:
    """Say for how long a file may be used without asking: a page not at all, since an edit must show."""
    bare = kind.partition(";")[0]
    if bare in ("text/html", "application/xhtml+xml"):
        return "no-cache"
    soon = bare in ("text/css", "application/feed+json", *FEEDS)
    return "public, max-age=300" if soon else "public, max-age=3600"


def _shared(freshness: str) -> Mapping[str, str]:
    """Return the headers that what everybody may have has in place of what one reader alone may."""
    return {
        "Cache-Control": freshness,
        # Mail programs on the web show the site's pictures.
        "Cross-Origin-Resource-Policy": "cross-origin",
        "X-Robots-Tag": "all",
    }


def _unchanged(found: Found, asked: Headers) -> bool:
    """Tell whether who asks has these bytes already (RFC 9110, 13.2.2)."""
    tags = asked.get("if-none-match")
    if tags is not None:
        return tags.strip() == "*" or found.etag in [
            tag.strip().removeprefix("W/") for tag in tags.split(",")
        ]
    since = _moment(asked.get("if-modified-since", ""))
    return since is not None and int(found.modified) <= since


def _range(found: Found, asked: Headers) -> tuple[int, int]:
    """Return the first and the last byte that are wanted: of one range as asked, else of the whole (RFC 9110, 14.2)."""
    whole = (0, found.size - 1)
    wanted = re.fullmatch(r"bytes=(\d{0,18})-(\d{0,18})", asked.get("range", "").replace(" ", ""), re.ASCII)
    condition = asked.get("if-range")
    if not wanted or not (wanted[1] or wanted[2]) or condition not in (None, found.etag):
        return whole
    if not wanted[1]:
        return max(found.size - int(wanted[2]), 0) if int(wanted[2]) else found.size, found.size - 1
    first, last = int(wanted[1]), int(wanted[2]) if wanted[2] else found.size - 1
    return whole if last < first <= found.size - 1 else (first, min(last, found.size - 1))


def _moment(text: str) -> float | None:
    try:
        return parsedate_to_datetime(text).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None
