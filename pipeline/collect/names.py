"""Takes from a file's place what its front matter leaves out: slug, category, date, draft."""

from __future__ import annotations

import re
import unicodedata
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

from pipeline.collect import dates
from pipeline.slugs import slugify

#: With a date added and percent-decoded, a slug must still fit a file name (255 bytes).
MAX_SLUG_BYTES = 200

_DRAFTS = frozenset(("drafts", "_drafts"))
#: Folders that sort files for a generator and say nothing of their subject.
_SHELVES = _DRAFTS | {"posts", "_posts", "post", "content"}
_DATE_FOLDER = re.compile(r"\d{4}(?:[-_]\d{2}){0,2}|\d{1,2}", re.ASCII)
_PAGE_ENDING = re.compile(r"\.(?:html?|php|md|markdown)$", re.IGNORECASE)


def stem(file: PurePosixPath) -> str:
    """Return a file's name without its ending; `index.md` goes by its folder's name."""
    name = file.parent.name if file.stem.lower() == "index" and file.parent.name else file.stem
    return unicodedata.normalize("NFC", name)


def file_date(file: PurePosixPath) -> str:
    """Return the date that a file's name, or its folders (`2025/11/25/`), carry as `YYYY-MM-DD`, or ""."""
    return dates.in_file_name(stem(file)) or dates.in_path(file.parent.as_posix())


def in_drafts(file: PurePosixPath) -> bool:
    """Return whether a file lies in a folder for drafts."""
    return any(part.lower() in _DRAFTS for part in file.parent.parts)


def file_slug(file: PurePosixPath) -> str:
    """Return the slug of a file's name, without its date unless there is nothing else; may be ""."""
    name = stem(file)
    return shorten(slugify(dates.without_date(name)) or slugify(name))


def address_slug(address: str) -> str:
    """Return the slug of an address's last part; "" for a pattern (`/:year/:title/`) or a bare host."""
    if ":" in address.partition("://")[2] or (":" in address and "://" not in address):
        return ""
    try:
        path = urlsplit(address).path
    except ValueError:
        return ""
    last = PurePosixPath(unquote(path.rstrip("/")) or "/").name
    if last.lower() in ("index.html", "index.htm", "index.php"):
        last = PurePosixPath(path).parent.name
    return slugify(_PAGE_ENDING.sub("", last))


def folder_category(file: PurePosixPath) -> str:
    """Return the nearest folder's name that tells a subject, as people write it: "Cluster headaches"."""
    folders = file.parent.parts
    if file.stem.lower() == "index":
        folders = folders[:-1]
    for name in reversed(folders):
        if name.lower() not in _SHELVES and not _DATE_FOLDER.fullmatch(name):
            return humanise(name)
    return ""


def humanise(name: str) -> str:
    """Return a file or folder name as words: "cluster-headaches" -> "Cluster headaches"."""
    words = " ".join(re.sub(r"[-_\s]+", " ", unicodedata.normalize("NFC", name)).split())
    return words[:1].upper() + words[1:]


def shorten(slug: str, limit: int = 80) -> str:
    """Cut a slug that was made from a title or name at a hyphen near `limit` characters."""
    if len(slug) <= limit:
        return slug
    return slug[:limit].rpartition("-")[0] or slug[:limit]
