"""A small site in versions, and a folder to publish it into."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from pipeline.model import SiteFile
from pipeline.publish.tree import Published, publish


@dataclass
class Place:
    """A newsletter's folder, and what was made for it."""

    root: Path
    made: list[str] = field(default_factory=list)

    @property
    def public(self) -> Path:
        return self.root / "public"

    @property
    def manifest(self) -> Path:
        return self.root / ".newsletter" / "site.json"

    def files(self, pages: dict[str, bytes]) -> list[SiteFile]:
        def maker(path: str, data: bytes) -> Callable[[], bytes]:
            def make() -> bytes:
                self.made.append(path)
                return data

            return make

        return [SiteFile(path, repr(hash(data)), maker(path, data)) for path, data in pages.items()]

    def publish(self, pages: dict[str, bytes], keep: Sequence[str] = ()) -> Published:
        self.made.clear()
        return publish(self.public, self.files(pages), self.manifest, keep)

    def site(self) -> dict[str, bytes]:
        """Everything a reader could fetch, the list of our files left aside."""
        found = {}
        for folder, _, names in os.walk(self.public):
            for name in names:
                path = Path(folder, name)
                found[path.relative_to(self.public).as_posix()] = path.read_bytes()
        found.pop(".newsletter-files", None)
        return found

    def litter(self) -> set[str]:
        return {path.name for path in self.root.iterdir()} - {"public", ".newsletter", "elsewhere"}


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)
