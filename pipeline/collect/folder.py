"""Reads the posts folder: a Source of posts that are Markdown files."""

from __future__ import annotations

import os
import stat
import time
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from pipeline.collect import listing
from pipeline.collect.cache import Cache, Held, Stamp, kept_for_long
from pipeline.errors import PostError
from pipeline.model import Collection, Post, Unreadable

if TYPE_CHECKING:
    from pipeline.settings import Settings

CACHE = ".newsletter/cache/posts.json"


class Folder:
    """The Markdown files of a newsletter's posts folder.

    The folder may lie outside the newsletter's own; a post's path is relative
    to the newsletter's folder where that is possible, else as the setting
    names it. A README without front matter is about the folder, and no post.
    """

    def __init__(self, root: Path, settings: Settings) -> None:
        """`root` is the newsletter's folder."""
        self.root = root
        self.zone = settings.newsletter.zone
        self.exclude = tuple(settings.posts.exclude)
        self.folder = Path(os.path.normpath(root.absolute() / settings.posts.folder))
        inside = self.folder.is_relative_to(root.absolute())
        prefix = self.folder.relative_to(root.absolute()) if inside else PurePosixPath(settings.posts.folder)
        self.prefix = PurePosixPath(prefix.as_posix())
        self._made_with = {
            "timezone": settings.newsletter.timezone,
            "folder": str(self.folder),
            "prefix": str(self.prefix),
        }

    def read(self) -> Collection:
        """Return every post, and every file that cannot be one with its reason, in order of path.

        Files that have not changed since the last time are not opened. Raises
        PostError if the folder is missing.
        """
        if not self.folder.is_dir():
            raise PostError(
                f"there is no such folder. Make it, or set `folder` under [posts] in newsletter.toml "
                f"(it is {str(self.prefix)!r}).",
                path=str(self.prefix),
            )
        with kept_for_long():
            held = self._all()
        return Collection(
            posts=tuple(sorted((found for found in held if isinstance(found, Post)), key=_path)),
            unreadable=tuple(sorted((found for found in held if isinstance(found, Unreadable)), key=_path)),
        )

    def body(self, post: Post) -> str:
        r"""Return the Markdown below the front matter, NFC, `\n` line ends.

        Raises PostError if the file has gone or changed since `post` was read.
        """
        from pipeline.collect.fields import parts_of

        try:
            data = _bytes(self.root / post.path)
        except OSError as fault:
            raise PostError(
                f"cannot be read any more: {fault.strerror}. Run the command again.", path=post.path
            ) from fault
        if sha256(data).hexdigest() != post.digest:
            raise PostError("has changed while it was being used. Run the command again.", path=post.path)
        return parts_of(data).body

    def _all(self) -> list[Held]:
        cache = Cache(self.root / CACHE, self._made_with)
        read_at = time.time_ns()
        found: dict[str, tuple[Stamp, Held]] = {}
        unread: list[Held] = []
        changed = False
        for listed in listing.files(self.folder, self.exclude):
            known, held = cache.get(listed.name, listed.stamp)
            try:
                if listed.why:
                    raise PostError(listed.why)
                found[listed.name] = listed.stamp, held if known else self._parse(listed.name)
                changed = changed or not known
            except PostError as fault:
                unread.append(Unreadable(self._shown(listed.name), None, fault.message))
        if changed or len(found) != len(cache.entries):
            cache.save(found, read_at)
        return unread + [held for _, held in found.values()]

    def _shown(self, name: str) -> str:
        """Return a file's path as people are shown it."""
        return name if str(self.prefix) == "." else f"{self.prefix}/{name}"

    def _parse(self, name: str) -> Held:
        # YAML, TOML and the rest are loaded only where a file has to be read; most runs find all in the cache.
        from pipeline.collect.fields import post_of

        path = self._shown(name)
        try:
            data = _bytes(f"{self.folder}/{name}")
        except OSError as fault:  # may be mended without a change of the file, so it is not remembered
            raise PostError(f"cannot be read: {fault.strerror}. Mend it, or exclude it.") from fault
        try:
            return post_of(data, PurePosixPath(name), path, self.zone)
        except PostError as fault:
            return Unreadable(path, fault.line, fault.message)


def _path(held: Post | Unreadable) -> str:
    return held.path


def _bytes(file: str | Path) -> bytes:
    """Read a file that was listed; one that has become a link or a pipe since is not followed and does not block."""
    from pipeline.frontmatter.text import MAX_BYTES

    handle = os.open(file, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    with os.fdopen(handle, "rb", buffering=0) as opened:
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode):
            raise OSError(0, "not a file", str(file))
        # A bound makes Python take that much memory first, which for a small file is most of the time.
        return opened.readall() if found.st_size <= MAX_BYTES else opened.read(MAX_BYTES + 1)
