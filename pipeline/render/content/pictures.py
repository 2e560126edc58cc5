"""Reads how large a picture is out of its file's first bytes; nothing is decoded.

The only module that knows imagesize. It is handed bytes, never a name: given
text that looks like an address, it would fetch it.
"""

from __future__ import annotations

from functools import lru_cache
from io import BytesIO
from pathlib import Path

from pipeline.model import Picture

#: What a file begins with -> its format. Sizes are read of the first four only, whose heads are simple.
_MAGIC = (
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"\xff\xd8\xff", "jpeg"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"BM", "bmp"),
    (b"\x00\x00\x01\x00", "ico"),
)
_MEASURED = frozenset({"png", "jpeg", "gif", "webp"})
#: The size stands behind colour profiles and previews in a JPEG, which is searched octet by octet if it is broken.
_HEAD = 1_000_000
#: A wider picture is a mistake in the file: no format that browsers show goes further.
_WIDEST = 65_535


def look(file: Path) -> Picture | None:
    """Return what a picture's file says; None if it cannot be read. Remembers files that have not changed."""
    try:
        found = file.stat()
    except (OSError, ValueError):
        return None
    return _look(file, found.st_size, found.st_mtime_ns)


@lru_cache(maxsize=1024)
def _look(file: Path, size: int, _changed: int) -> Picture | None:
    try:
        with file.open("rb") as opened:
            kind = _format(opened.read(512))
            width = height = 0
            if kind in _MEASURED:
                import imagesize

                opened.seek(0)
                width, height = imagesize.get(BytesIO(opened.read(_HEAD)))
    except OSError:
        return None
    if not (0 < width <= _WIDEST and 0 < height <= _WIDEST):
        return Picture(None, None, size, kind)
    return Picture(width, height, size, kind)


def _format(head: bytes) -> str:
    for magic, name in _MAGIC:
        if head.startswith(magic):
            return name
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "webp"
    if head[4:8] == b"ftyp":
        return "avif" if head[8:12] in (b"avif", b"avis") else "heic"
    return (
        "svg" if b"<svg" in head.lower() or head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<?xml") else ""
    )
