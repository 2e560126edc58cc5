"""The folder is read whole, read once, and read no further than it reaches."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

import pytest

from pipeline.collect import listing
from pipeline.collect.folder import CACHE, Folder
from pipeline.errors import PostError
from pipeline.settings import Settings


def test_every_markdown_file_is_a_post_wherever_it_lies(desk) -> None:
    for name in ("a.md", "B.MD", "c.markdown", "deep/er/d.md"):
        desk.post(name, slug=Path(name).stem)
    for name in ("_index.md", "deep/_index.de.md", ".hidden.md", ".git/e.md", "notes.txt", "README.md"):
        desk.write(name, "# Notes\n")
    assert desk.paths() == ["posts/B.MD", "posts/a.md", "posts/c.markdown", "posts/deep/er/d.md"]
    assert desk.read().unreadable == ()


@pytest.mark.parametrize(
    ("globs", "left"),
    [
        (["attic/**"], ["a-1.md", "b.md", "new/attic/c.md"]),
        (["attic"], ["a-1.md", "b.md", "new/attic/c.md"]),
        (["**/attic/**"], ["a-1.md", "b.md"]),
        (["*.md"], ["attic/deep/d.md", "new/attic/c.md"]),
        (["**/*.md"], []),
        (["a-[0-9].md", "?.md"], ["attic/deep/d.md", "new/attic/c.md"]),
        (["attic/*.md"], ["a-1.md", "attic/deep/d.md", "b.md", "new/attic/c.md"]),
        (["[!a]*.md", "./new/"], ["a-1.md", "attic/deep/d.md"]),
    ],
)
def test_excluded_files_are_not_looked_at(globs, left, desk) -> None:
    for name in ("a-1.md", "b.md", "attic/deep/d.md", "new/attic/c.md"):
        desk.post(name)
    desk.set(exclude=globs)
    assert desk.paths() == [f"posts/{name}" for name in left]


def test_an_unreadable_file_is_listed_with_its_place(desk) -> None:
    desk.post("good.md")
    desk.post("snow.md", date="tomorow")
    found = desk.read()
    assert [post.path for post in found.posts] == ["posts/good.md"]
    assert [(file.path, file.line) for file in found.unreadable] == [("posts/snow.md", 3)]
    assert found == desk.read()


def test_links_that_leave_the_folder_are_not_followed(desk, tmp_path) -> None:
    outside = tmp_path / "secret"
    outside.mkdir()
    (outside / "x.md").write_text("---\ntitle: Secret\ndate: 2026-01-31\n---\n")
    posts = desk.root / "posts"
    desk.post("real/a.md")
    (posts / "out.md").symlink_to(outside / "x.md")
    (posts / "outdir").symlink_to(outside)
    (posts / "passwd.md").symlink_to("/etc/passwd")
    (posts / "gone.md").symlink_to(posts / "nothing.md")
    (posts / "loop").symlink_to(posts)
    (posts / "self.md").symlink_to(posts / "self.md")
    (posts / "again.md").symlink_to(posts / "real/a.md")
    (posts / "photo.png").symlink_to(outside / "x.md")
    os.mkfifo(posts / "pipe.md")
    found = desk.read()
    assert [post.path for post in found.posts] == ["posts/real/a.md"]
    assert {file.path: file.why.split(".")[0] for file in found.unreadable} == {
        "posts/gone.md": "is a link that leads nowhere",
        "posts/out.md": "is a link that leaves the posts folder",
        "posts/outdir": "is a link that leaves the posts folder",
        "posts/passwd.md": "is a link that leaves the posts folder",
        "posts/pipe.md": "is not a file",
        "posts/self.md": "is a link that leads nowhere",
    }


def test_a_name_that_is_not_plain_text_is_reported_and_printable(desk) -> None:
    (desk.root / "posts" / os.fsdecode(b"\xff\n.md")).write_bytes(b"x")
    (found,) = desk.read().unreadable
    assert found.path.isprintable()
    assert "Rename" in found.why


def test_a_missing_folder_says_what_to_do(tmp_path) -> None:
    with pytest.raises(PostError, match="Make it, or set `folder`") as fault:
        Folder(tmp_path, Settings()).read()
    assert fault.value.path == "posts"


def test_a_folder_elsewhere_keeps_the_name_it_was_given(desk, tmp_path_factory) -> None:
    other = tmp_path_factory.mktemp("blog")
    (other / "a.md").write_text("---\ntitle: A\ndate: 2026-01-31\n---\nBody\n")
    desk.set(folder=str(other))
    (post,) = desk.read().posts
    assert post.path == f"{other.as_posix()}/a.md"
    assert desk.folder.body(post) == "Body\n"
    desk.set(folder="./posts/../posts")
    desk.post("b.md")
    assert desk.paths() == ["posts/b.md"]


def test_a_body_is_read_again_and_refused_if_it_changed(desk) -> None:
    desk.write("2026-01-31-a.md", "# Title\r\n\r\nSno\u0308w.\r\n".encode())
    (post,) = desk.read().posts
    assert desk.folder.body(post) == "Sn\u00f6w.\n"
    desk.write("2026-01-31-a.md", "# Title\n\nRain.\n")
    with pytest.raises(PostError, match="has changed") as fault:
        desk.folder.body(post)
    assert fault.value.path == "posts/2026-01-31-a.md"
    (desk.root / post.path).unlink()
    with pytest.raises(PostError, match="cannot be read any more"):
        desk.folder.body(post)


@pytest.fixture
def parsed(monkeypatch) -> list[str]:
    """Names of the files that were opened and read."""
    names: list[str] = []
    read = Folder._parse

    def spy(folder, name):
        names.append(name)
        return read(folder, name)

    monkeypatch.setattr(Folder, "_parse", spy)
    return names


def settle_down(monkeypatch) -> None:
    """Let ten seconds pass, so that what was just written is no longer racy."""
    now = time.time_ns
    monkeypatch.setattr(time, "time_ns", lambda: now() + 10_000_000_000)


def test_only_changed_files_are_read_again(desk, parsed, monkeypatch) -> None:
    settle_down(monkeypatch)
    files = {
        name: desk.post(f"{name}.md", title=name, body=f"Words of {name}. More.", mood="blue")
        for name in "abc"
    }
    desk.post("bad.md", date="never")
    cold = desk.read()
    assert sorted(parsed) == ["a.md", "b.md", "bad.md", "c.md"]
    parsed.clear()
    warm = desk.read()
    assert parsed == []
    assert warm == cold
    assert hash(warm.posts[0].fingerprint) == hash(cold.posts[0].fingerprint)
    # The same size and the same time, as a careless tool leaves them: the file's own change time tells.
    before = files["b"].stat()
    files["b"].write_text(files["b"].read_text().replace("Words", "Fords"))
    os.utime(files["b"], ns=(before.st_atime_ns, before.st_mtime_ns))
    assert (files["b"].stat().st_size, files["b"].stat().st_mtime_ns) == (before.st_size, before.st_mtime_ns)
    assert desk.read().posts[1].excerpt == "Fords of b."
    assert parsed == ["b.md"]
    parsed.clear()
    files["a"].unlink()
    files["c"].rename(files["c"].with_name("d.md"))
    assert desk.paths() == ["posts/b.md", "posts/d.md"]
    assert parsed == ["d.md"]


@pytest.mark.parametrize(("seconds", "trusted"), [(-0.05, False), (0.05, False), (0.5, True)])
def test_a_file_written_in_the_same_tick_is_not_trusted(seconds, trusted, desk, parsed, monkeypatch) -> None:
    file = desk.post("a.md")
    odd = file.stat().st_ctime_ns // 10**9 * 10**9 + 5 * 10**9 + 1
    os.utime(file, ns=(odd, odd))
    monkeypatch.setattr(time, "time_ns", lambda: odd + int(seconds * 1e9))
    desk.read()
    desk.read()
    assert parsed == ["a.md"] * (1 if trusted else 2)


def test_times_in_whole_seconds_are_trusted_later(desk, parsed, monkeypatch) -> None:
    file = desk.post("a.md")
    whole = (file.stat().st_ctime_ns // 10**9 + 5) * 10**9
    os.utime(file, ns=(whole, whole))
    for later in (1, 3, 3):
        monkeypatch.setattr(time, "time_ns", lambda later=later: whole + later * 10**9)
        desk.read()
    assert parsed == ["a.md"] * 2


@pytest.mark.parametrize(
    "damage", [b"", b"{", b"[]", b"\0" * 100, b'{"key":1,"entries":[]}', b"[" * 100_000, None]
)
def test_a_damaged_cache_is_made_anew(damage, desk, parsed, monkeypatch) -> None:
    settle_down(monkeypatch)
    desk.post("a.md")
    cold = desk.read()
    whole = (desk.root / CACHE).read_bytes()
    (desk.root / CACHE).write_bytes(whole[:-40] if damage is None else damage)
    assert desk.read() == cold
    assert parsed == ["a.md"] * 2
    assert json.loads((desk.root / CACHE).read_bytes())["entries"].keys() == {"a.md"}
    assert [file.name for file in (desk.root / CACHE).parent.iterdir()] == ["posts.json"]


def test_other_settings_read_everything_again(desk, parsed, monkeypatch) -> None:
    settle_down(monkeypatch)
    desk.post("a.md")
    first = desk.read().posts[0].published
    desk.settings = Settings.model_validate({"newsletter": {"timezone": "Europe/Berlin"}})
    assert desk.read().posts[0].published < first
    assert parsed == ["a.md"] * 2


def test_a_read_only_folder_works(desk, monkeypatch) -> None:
    desk.post("a.md")
    (desk.root / ".newsletter").write_text("a file where the folder should be")
    assert desk.paths() == ["posts/a.md"] == desk.paths()


def test_a_warm_read_loads_no_parser(desk, monkeypatch) -> None:
    settle_down(monkeypatch)
    desk.post("a.md")
    desk.read()
    for name in (
        "yaml",
        "pipeline.collect.fields",
        "pipeline.frontmatter.yaml_events",
        "pipeline.frontmatter.heads",
    ):
        monkeypatch.delitem(sys.modules, name, raising=False)
    desk.read()
    assert "pipeline.collect.fields" not in sys.modules


def test_a_folder_that_cannot_be_listed_is_reported(desk, monkeypatch) -> None:
    desk.post("deep/a.md")
    scan = os.scandir

    def denied(path):
        if str(path).rstrip("/").endswith("deep"):
            raise PermissionError(13, "Permission denied")
        return scan(path)

    monkeypatch.setattr(listing.os, "scandir", denied)
    (found,) = desk.read().unreadable
    assert (found.path, "Permission denied" in found.why) == ("posts/deep", True)
