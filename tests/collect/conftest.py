"""A newsletter's folder, written file by file and read as a run reads it."""

from __future__ import annotations

import os
from datetime import UTC
from pathlib import Path, PurePosixPath

import pytest

from pipeline.collect.fields import post_of
from pipeline.collect.folder import Folder
from pipeline.model import Collection, Post
from pipeline.settings import Settings


class Desk:
    """A newsletter's folder as its editor has it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.settings = Settings.model_validate({"newsletter": {"timezone": "America/New_York"}})
        (root / "posts").mkdir()

    def set(self, **posts: object) -> None:
        self.settings = self.settings.model_copy(
            update={"posts": self.settings.posts.model_copy(update=posts)}
        )

    def write(self, name: str, text: str | bytes) -> Path:
        file = self.root / "posts" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        return file

    def post(
        self,
        name: str,
        title: str = "Weather",
        date: str = "2026-01-31",
        body: str = "It snowed.",
        **more: str,
    ) -> Path:
        head = "".join(f"{key}: {value}\n" for key, value in {"title": title, "date": date, **more}.items())
        return self.write(name, f"---\n{head}---\n{body}\n")

    def age(self) -> None:
        """Make every file old enough for the cache to trust what it read."""
        for file in (self.root / "posts").rglob("*"):
            os.utime(file, (1_700_000_000, 1_700_000_000))

    @property
    def folder(self) -> Folder:
        return Folder(self.root, self.settings)

    def read(self) -> Collection:
        return self.folder.read()

    def paths(self) -> list[str]:
        return [post.path for post in self.read().posts]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


@pytest.fixture
def parse():
    """Make a post of a text, as if it were a file in posts/."""

    def parse(text: str | bytes, name: str = "snow.md", zone=UTC) -> Post | None:
        data = text if isinstance(text, bytes) else text.encode()
        return post_of(data, PurePosixPath(name), f"posts/{name}", zone)

    return parse
