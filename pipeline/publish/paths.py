"""Says which paths may be published, and looks at the folder without ever following a link."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from pipeline.errors import PublishError

#: The list of our own files that travels inside the public folder.
#:
#: Without it a lost manifest (a fresh clone, a cleaned .newsletter/) could not tell our stale pages from
#: files an editor put there, and one would have to choose between pages that never go and files that are
#: lost. A generator mark in each page would do for HTML alone, and has to be read from every file. The list
#: is exchanged together with the tree, so it is never older than it; it names only what can be fetched.
LIST = ".newsletter-files"
#: Where changed files wait if they cannot wait beside the folder.
INSIDE = ".newsletter-next"

_BAD = re.compile(r"[\x00-\x1f\x7f\\]|^/|^[A-Za-z]:")


def safe(path: str) -> bool:
    """True for a relative path with forward slashes that stays inside and is none of our own notes."""
    parts = path.split("/")
    return not (_BAD.search(path) or {"", ".", ".."} & set(parts) or parts[0] in (LIST, INSIDE))


def demand_safe(paths: Sequence[str]) -> None:
    """Raise PublishError for the first path that leads out, comes twice, or is a file and a folder at once."""
    known = set(paths)
    if len(known) != len(paths):
        twice = next(path for path in paths if paths.count(path) > 1)
        raise PublishError(f"two pages want to be {twice}; give one of them another slug", path=twice)
    for path in paths:
        if not safe(path):
            raise PublishError(f"{path!r} is no path inside the public folder; nothing was published")
        for folder in parents(path):
            if folder in known:
                raise PublishError(f"{folder} cannot be a file and the folder of {path}; rename one of them")


def parents(path: str) -> list[str]:
    """Return the folders above a path, outermost first: "a/b/c" -> ["a", "a/b"]."""
    parts = path.split("/")
    return ["/".join(parts[:length]) for length in range(1, len(parts))]


def kept(path: str, keep: Iterable[str]) -> bool:
    """True if one of the globs names the path; `*` also runs through folders."""
    return any(fnmatchcase(path, glob) for glob in keep)


class Standing:
    """The public folder as it stands. What lies behind a symbolic link is not part of it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._folders: dict[str, bool] = {"": self._is_folder("")}

    def file(self, path: str) -> os.stat_result | None:
        """Return the stat of a regular file; None if there is none, or something else."""
        if not self._reached(path.rpartition("/")[0]):
            return None
        try:
            found = os.lstat(f"{self.root}/{path}")
        except (FileNotFoundError, NotADirectoryError):
            return None
        return found if stat.S_ISREG(found.st_mode) else None

    def read(self, path: str) -> bytes:
        """Return a file's bytes."""
        return (self.root / path).read_bytes()

    def ours(self) -> set[str] | None:
        """Return the paths that the tree's own list names; None if it has no list."""
        if self.file(LIST) is None:
            return None
        return set(filter(safe, self.read(LIST).decode(errors="replace").splitlines()))

    def _reached(self, folder: str) -> bool:
        known = self._folders.get(folder)
        if known is None:
            known = self._reached(folder.rpartition("/")[0]) and self._is_folder(folder)
            self._folders[folder] = known
        return known

    def _is_folder(self, folder: str) -> bool:
        try:
            return stat.S_ISDIR(os.lstat(f"{self.root}/{folder}" if folder else self.root).st_mode)
        except (FileNotFoundError, NotADirectoryError):
            return False
