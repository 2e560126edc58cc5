"""Lists the files of a folder that may be posts, without opening any.

Links are followed nowhere: one that stays inside the folder shows what is
found in its own place anyway, one that leaves it would let a post open any
file of the machine, and is reported.
"""

from __future__ import annotations

import os
import re
import stat
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pipeline.collect.cache import Stamp
from pipeline.errors import PostError

_ENDINGS = (".md", ".markdown")


@dataclass(frozen=True, slots=True)
class Listed:
    """One file, or the reason why it cannot be looked at."""

    #: Relative to the folder, forward slashes.
    name: str
    stamp: Stamp = (0, 0, 0, 0)
    #: "" if it can be read.
    why: str = ""


def files(folder: Path, exclude: Sequence[str]) -> Iterator[Listed]:
    """Yield every `*.md` and `*.markdown` below `folder`, in no order.

    `_index` files, dot files and dot folders are not posts. Raises PostError
    if the folder cannot be listed.
    """
    excluded = matcher(exclude)
    real = os.path.realpath(folder)
    waiting = [""]
    while waiting:
        prefix = waiting.pop()
        try:
            with os.scandir(folder / prefix) as found:
                entries = list(found)
        except OSError as fault:
            if not prefix:
                raise PostError(
                    f"the posts folder cannot be read: {fault.strerror}.", path=str(folder)
                ) from fault
            yield Listed(
                _shown(prefix.rstrip("/")), why=f"cannot be listed: {fault.strerror}. Mend it, or exclude it."
            )
            continue
        for entry in entries:
            name = prefix + entry.name
            is_folder = entry.is_dir(follow_symlinks=False)
            if entry.name[0] == "." or not (is_folder or _may_be_post(entry)) or excluded(name):
                continue
            if _shown(name) != name:
                yield Listed(_shown(name), why="has a name that is not plain text. Rename it.")
            elif is_folder:
                waiting.append(f"{name}/")
            else:
                listed = _look(entry, name, real)
                if listed:
                    yield listed


def _may_be_post(entry: os.DirEntry[str]) -> bool:
    name = entry.name.lower()
    if entry.is_symlink():
        with suppress(OSError):  # a link to itself; its name tells
            if entry.is_dir():
                return True
    return name.endswith(_ENDINGS) and not name.startswith("_index.")


def _look(entry: os.DirEntry[str], name: str, real: str) -> Listed | None:
    """Return a file with its stamp; None for a link to what is found in its own place."""
    try:
        if entry.is_symlink():
            target = os.path.realpath(entry.path)
            inside = target == real or target.startswith(real.rstrip(os.sep) + os.sep)
            if inside and os.path.exists(target):  # noqa: PTH110 - a loop makes Path.exists raise
                return None
            why = "is a link that leads nowhere" if inside else "is a link that leaves the posts folder"
            return Listed(name, why=f"{why}. Put the file itself here, or exclude it.")
        found = entry.stat(follow_symlinks=False)
    except OSError as fault:
        return Listed(name, why=f"cannot be read: {fault.strerror}.")
    if not stat.S_ISREG(found.st_mode):
        return Listed(name, why="is not a file. Remove it, or exclude it.")
    return Listed(name, (found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino))


def matcher(globs: Sequence[str]) -> Callable[[str], bool]:
    """Return a test for paths relative to the folder: `*` within a name, `**` across folders.

    A pattern that names a folder takes all that is in it.
    """
    if not globs:
        return lambda _: False
    pattern = re.compile("|".join(map(_translated, globs)), re.DOTALL)
    return lambda name: pattern.fullmatch(unicodedata.normalize("NFC", name)) is not None


def _translated(glob: str) -> str:
    glob = unicodedata.normalize("NFC", glob).removeprefix("./").strip("/").removesuffix("/**")
    parts = []
    for part in re.findall(r"\*\*/|\*+|\?|\[!?\]?[^\]/]*\]|.", glob, re.DOTALL):
        if part == "**/":
            parts.append("(?:[^/]+/)*")
        elif part == "*":
            parts.append("[^/]*")
        elif part[0] == "*":
            parts.append(".*")
        elif part == "?":
            parts.append("[^/]")
        elif part[0] == "[" and len(part) > 2:
            inner = part[1:-1].replace("\\", "\\\\")
            parts.append(f"[^{inner[1:]}]" if inner[0] == "!" else f"[{inner}]")
        else:
            parts.append(re.escape(part))
    return f"{''.join(parts)}(?:/.*)?"


def _shown(name: str) -> str:
    """Return a name that can be printed and stored: bytes that are no UTF-8, and controls, become `\\ufffd`."""
    if name.isprintable():
        return name
    clean = name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return "".join(c if c.isprintable() or c == "\u00ad" else "\ufffd" for c in clean)
