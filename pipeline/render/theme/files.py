"""The files of one folder of a theme, as they were at one moment."""

from __future__ import annotations

import os
from pathlib import Path

from pipeline.errors import ThemeError


class Files:
    """One folder's files by their path in it, read once. Raises ThemeError for one that cannot be."""

    def __init__(self, folder: Path, title: str = "") -> None:
        #: How the folder is called in a message: relative to the newsletter's, or what it is.
        self.place = folder.name
        self.title = title or f"{folder.name}/"
        self.data = dict(_read(folder))

    def display(self, name: str) -> str:
        """Return a file's path for people."""
        return f"{self.place}/{name}"

    def text(self, name: str) -> str | None:
        """Return a file's text, line ends as `\\n`; None if it is not here. Raises ThemeError unless it is UTF-8."""
        data = self.data.get(name)
        if data is None:
            return None
        try:
            return data.decode("utf-8-sig").replace("\r\n", "\n")
        except UnicodeDecodeError as fault:
            line = data.count(b"\n", 0, fault.start) + 1
            raise ThemeError(
                "not UTF-8. Save the file as UTF-8.", path=self.display(name), line=line
            ) from fault


def _read(folder: Path) -> list[tuple[str, bytes]]:
    """Read every file below `folder`; a link that leads out of it is not followed."""
    found, inside = [], folder.resolve()
    for here, folders, names in os.walk(folder):
        folders[:] = sorted(each for each in folders if not each.startswith((".", "__")))
        for name in sorted(names):
            path = Path(here, name)
            if not name.startswith(".") and path.is_file() and path.resolve().is_relative_to(inside):
                try:
                    found.append((path.relative_to(folder).as_posix(), path.read_bytes()))
                except OSError as fault:
                    raise ThemeError(f"cannot be read: {fault.strerror}", path=str(path)) from fault
    return found
