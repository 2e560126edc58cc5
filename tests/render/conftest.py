"""What the tests of bodies share: a small newsletter's folder, its posts, and a way to render one body."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pipeline.model import Body, Fingerprint, Post
from pipeline.render.addresses import Addresses
from pipeline.render.content.body import render_body
from pipeline.settings import Settings


def post(slug: str, path: str, **more: Any) -> Post:
    given = {"id": slug, "title": slug.title(), "published": datetime(2018, 9, 22, 1, 30, tzinfo=UTC)}
    return Post(slug=slug, path=path, digest="", fingerprint=Fingerprint(""), **(given | more))


@pytest.fixture
def posts() -> list[Post]:
    """The first one is where the tests write."""
    return [
        post("weather", "posts/2018-09-22-weather.md", body_line=5, category="Über Köpfe"),
        post("old-ways", "posts/sub/2007-09-22-old.md"),
        post("schön", "posts/scho\u0308n.md", id="schön & gut"),
        post("bundle", "posts/bundle/index.md"),
        post("unready", "posts/unready.md", draft=True),
    ]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A newsletter's folder with pictures inside, outside, and linked from one to the other."""
    home = tmp_path / "letter"
    for name in (
        "posts/sky.png",
        "posts/img/rain.png",
        "posts/sub/near.png",
        "posts/paper.pdf",
        "posts/.hidden.png",
    ):
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).touch()
    (home / "static/img").mkdir(parents=True)
    (home / "static/img/logo.png").touch()
    (home / "posts/page.html").touch()
    (home / "secret.png").touch()
    (tmp_path / "outside.png").touch()
    (home / "posts/escape.png").symlink_to(tmp_path / "outside.png")
    return home


@pytest.fixture
def make_addresses(posts: list[Post], root: Path) -> Callable[..., Addresses]:
    """Addresses of a newsletter with other settings than usual."""

    def make(**sections: Any) -> Addresses:
        newsletter = {"url": "https://letter.example.org", "timezone": "America/New_York"}
        return Addresses(Settings.model_validate({"newsletter": newsletter} | sections), posts, root)

    return make


@pytest.fixture
def body(posts: list[Post], make_addresses: Callable[..., Addresses]) -> Callable[..., Body]:
    """Render Markdown as the first post's body, which begins on line 5 of its file."""
    addresses = make_addresses()

    def render(markdown: str, limit: int | None = None, **changes: Any) -> Body:
        from dataclasses import replace

        return render_body(replace(posts[0], **changes), markdown, addresses, limit)

    return render
