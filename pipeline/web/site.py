"""Serves public/ as a static host would, while other processes publish into it.

Each request goes by the path anew, so it finds the tree that stands just then
(publish/ exchanges whole trees), and reads from the file that it opened.
"""

from __future__ import annotations

import os
import re
import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass
from email.utils import formatdate
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO
from urllib.parse import quote

from starlette.responses import PlainTextResponse, Response, StreamingResponse

from pipeline.web.representation import EVERYBODYS, changed, headers_of, kind_of, part, unchanged

if TYPE_CHECKING:
    from starlette.datastructures import Headers

INDEX, NOT_FOUND = "index.html", "404.html"
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
            to = {"Location": f"./{quote(names[-1])}/", "Cache-Control": "no-cache"}
            return Response(status_code=308, headers=to | EVERYBODYS)
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
        return Found(file, about.st_size, about.st_mtime, self._etag(file, about), kind_of(name))

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
            **headers_of(found.kind, asked, self._policy),
        }
        if changed(found.etag, found.modified, asked):
            found.file.close()
            return PlainTextResponse("It has changed.\n", 412)
        if unchanged(found.etag, found.modified, asked):
            found.file.close()
            del told["Content-Type"]
            return Response(status_code=304, headers=told)
        first, last = (0, found.size - 1) if head else part(found.etag, found.size, asked)
        if first >= found.size and found.size:
            found.file.close()
            beyond = {"Content-Range": f"bytes */{found.size}"}
            return PlainTextResponse("There are no such bytes.\n", 416, headers=beyond)
        status, length = 200, last - first + 1
        if length < found.size:
            status = 206
            told["Content-Range"] = f"bytes {first}-{last}/{found.size}"
        if head:
            found.file.close()
            return Response(status_code=status, headers={**told, "Content-Length": str(length)})
        found.file.seek(first)
        if length <= PIECE:
            with found.file:
                return Response(found.file.read(length), status, headers=told)
        told["Content-Length"] = str(length)
        return StreamingResponse(_pieces(found.file, length), status, headers=told)


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
