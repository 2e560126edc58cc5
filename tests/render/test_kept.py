"""A body that was rendered before is not rendered again, unless anything it depends on has changed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from pipeline.model import Post
from pipeline.render.addresses import Addresses
from pipeline.render.content.body import render_body
from pipeline.render.content.kept import KEPT, KeptBodies
from pipeline.render.mail.inline import inline
from pipeline.settings import Settings

MARKDOWN = "Read [the old ways](sub/2007-09-22-old.md).\n\n![the sky](sky.png)\n"
#: Heads of PNG files of two sizes; hardly anybody reads further.
SMALL, LARGE = (
    b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + side.to_bytes(4, "big") * 2 + bytes(16) for side in (100, 200)
)


def addresses(posts: list[Post], root: Path) -> Addresses:
    return Addresses(
        Settings.model_validate({"newsletter": {"url": "https://letter.example.org"}}), posts, root
    )


def test_what_did_not_change_is_the_very_same_body(posts: list[Post], root: Path) -> None:
    kept = KeptBodies()
    post = replace(posts[0], references=("sub/2007-09-22-old.md", "sky.png"))
    first = kept(post, MARKDOWN, addresses(posts, root))
    assert first == render_body(post, MARKDOWN, addresses(posts, root))
    assert kept(post, MARKDOWN, addresses(posts, root)) is first
    assert kept(post, MARKDOWN, addresses(posts, root), 120) is not first


def test_a_change_of_anything_around_it_is_seen(posts: list[Post], root: Path) -> None:
    kept = KeptBodies()
    post = replace(posts[0], references=("sub/2007-09-22-old.md", "sky.png"))
    (root / "posts/sky.png").write_bytes(SMALL)
    first = kept(post, MARKDOWN, addresses(posts, root))
    assert 'width="100"' in first.mail
    assert "It rains" in kept(post, f"{MARKDOWN}\nIt rains.", addresses(posts, root)).mail
    moved = kept(post, MARKDOWN, addresses([post, replace(posts[1], slug="new-ways"), *posts[2:]], root))
    assert "posts/new-ways/" in moved.mail
    assert not all(link.resolved for link in kept(post, MARKDOWN, addresses([post], root)).links)
    assert kept(replace(post, body_line=9), MARKDOWN, addresses(posts, root)).links[0].line == 9
    (root / "posts/sky.png").write_bytes(LARGE)
    assert 'width="200"' in kept(post, MARKDOWN, addresses(posts, root)).mail
    (root / "posts/sky.png").unlink()
    assert not kept(post, MARKDOWN, addresses(posts, root)).images[0].resolved


def test_it_does_not_grow_without_end(posts: list[Post], root: Path) -> None:
    kept, where = KeptBodies(), addresses(posts, root)
    first = kept(posts[0], "Number 0.", where)
    for number in range(1, KEPT):
        kept(posts[0], f"Number {number}.", where)
    assert kept(posts[0], "Number 0.", where) is first
    kept(posts[0], "One more.", where)
    assert kept(posts[0], "Number 0.", where) is first
    assert len(kept._bodies) == KEPT


def test_a_sheet_that_was_read_before_means_the_same_again() -> None:
    page = '<!DOCTYPE html><html><head><title>t</title></head><body><p class="{0}">Text</p></body></html>'
    red, blue = "p { color: #aa0000 }", "p { color: #0000aa }"
    media = "p { color: #00aa00 }\n@media (max-width: 600px) { p { color: #000000 } }"
    sheets = [red, blue, media, *(f".c{n} {{ color: #{n:06x} }}" for n in range(40))]
    once = [inline(page.format(f"c{n}"), sheet) for n, sheet in enumerate(sheets)]
    assert [inline(page.format(f"c{n}"), sheet) for n, sheet in enumerate(sheets)] == once
    assert "#aa0000" in once[0]
    assert "#0000aa" in once[1]
