"""Only what changed is touched, nothing of others is lost, and nothing leads out of the folder."""

from __future__ import annotations

import errno
import os
import resource
import signal
import stat
from pathlib import Path

import pytest

from pipeline.errors import PublishError
from pipeline.model import SiteFile
from pipeline.publish import beside, inplace, lock
from pipeline.publish import tree as tree_module
from pipeline.publish.tree import publish

A = {
    "index.html": b"front A",
    "posts/snow/index.html": b"snow",
    "posts/old/index.html": b"old",
    "feeds/all.json": b"{}",
}
B = {
    "index.html": b"front B",
    "posts/snow/index.html": b"snow",
    "posts/new/index.html": b"new",
    "feeds/all.json": b"{}",
}


@pytest.fixture(params=["exchanged", "two renames", "file by file"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The three ways a folder can be changed, as the system underneath decides."""
    if request.param == "two renames":
        monkeypatch.setattr(beside, "exchange", lambda one, other: False)
    if request.param == "file by file":
        # The first publish, into nothing, is a rename wherever it is.
        monkeypatch.setattr(tree_module, "_exchangeable", lambda public: False)
    return str(request.param)


def test_a_site_is_published_and_then_becomes_another(place, way) -> None:
    assert place.publish(A).written == 4
    assert place.site() == A
    done = place.publish(B)
    assert place.site() == B
    assert (done.written, done.unchanged, done.removed) == (2, 2, 1)
    assert set(done.changed) == {"index.html", "posts/new/index.html", "posts/old/index.html"}
    assert not (place.public / "posts/old").exists()
    assert place.litter() == set()


def test_what_did_not_change_keeps_its_inode_and_its_time(place, way) -> None:
    place.publish(A)
    before = (place.public / "posts/snow/index.html").stat()
    place.publish(B)
    after = (place.public / "posts/snow/index.html").stat()
    assert (after.st_ino, after.st_mtime_ns, after.st_nlink) == (before.st_ino, before.st_mtime_ns, 1)


def test_a_run_without_a_change_makes_nothing_and_writes_nothing(place, way) -> None:
    place.publish(A)
    before = {path: os.lstat(path) for path in place.root.rglob("*")}
    done = place.publish(A)
    assert (done.written, done.unchanged, done.removed) == (0, 4, 0)
    assert place.made == []
    assert os.lstat(place.public).st_ino == before[place.public].st_ino
    for path, found in before.items():
        assert os.lstat(path).st_mtime_ns == found.st_mtime_ns


def test_a_page_made_anew_with_the_same_bytes_is_not_touched(place, way) -> None:
    place.publish(A)
    before = (place.public / "index.html").stat()
    files = [SiteFile(f.path, f.inputs + "x", f.make) for f in place.files(A)]
    assert publish(place.public, files, place.manifest).written == 0
    assert (place.public / "index.html").stat().st_ino == before.st_ino
    place.made.clear()
    publish(place.public, files, place.manifest)
    assert place.made == []


def test_files_of_others_stay_as_they_are(place, way) -> None:
    place.publish(A)
    (place.public / "CNAME").write_text("letter.example.org")
    (place.public / ".git/refs").mkdir(parents=True)
    (place.public / ".git/HEAD").write_text("ref: x")
    (place.public / "posts/old/notes.txt").write_text("mine")
    (place.public / "posts/link").symlink_to("snow")
    (place.public / ".well-known").mkdir(mode=0o750)
    before = (place.public / "CNAME").stat()
    place.publish(B)
    assert (place.public / "CNAME").stat().st_ino == before.st_ino
    assert (place.public / ".git/HEAD").read_text() == "ref: x"
    assert (place.public / ".git/refs").is_dir()
    assert (place.public / "posts/old/notes.txt").read_text() == "mine"
    assert not (place.public / "posts/old/index.html").exists()
    assert (place.public / "posts/link").readlink() == Path("snow")
    assert stat.S_IMODE((place.public / ".well-known").stat().st_mode) == 0o750


def test_pages_to_be_kept_stay_and_go_when_they_no_longer_are(place, way) -> None:
    place.publish(A)
    assert place.publish(B, keep=["posts/o*"]).removed == 0
    assert place.site()["posts/old/index.html"] == b"old"
    assert place.publish(B).removed == 1
    assert "posts/old/index.html" not in place.site()


def test_a_page_edited_by_hand_is_put_right(place, way) -> None:
    place.publish(A)
    (place.public / "index.html").write_bytes(b"edited!")
    (place.public / "feeds/all.json").unlink()
    assert place.publish(A).written == 2
    assert place.site() == A
    assert sorted(place.made) == ["feeds/all.json", "index.html"]


@pytest.mark.parametrize(
    "damage",
    [
        "lost",
        "older",
        b'{"version": 1, "files": {"index.html": 3}}',
        b'{"version": 1, "files": []}',
        b"{",
        b"[" * 200_000,
        b"\xff",
    ],
    ids=lambda damage: str(damage[:40]),
)
def test_a_manifest_that_cannot_be_trusted_costs_only_time(place, way, damage) -> None:
    place.publish(A)
    memory = place.manifest.read_bytes()
    place.publish(B)
    if damage == "lost":
        place.manifest.unlink()
    else:
        place.manifest.write_bytes(memory if damage == "older" else damage)
    before = (place.public / "posts/new/index.html").stat()
    assert place.publish(B).written == 0
    assert (place.public / "posts/new/index.html").stat().st_ino == before.st_ino


def test_without_a_manifest_stale_pages_are_still_known_as_ours(place, way) -> None:
    place.publish(A)
    (place.public / "mine.html").write_text("mine")
    place.manifest.unlink()
    place.publish(B)
    assert place.site() == {**B, "mine.html": b"mine"}


def test_a_file_becomes_a_folder_and_back(place, way) -> None:
    place.publish({"a": b"file"})
    place.publish({"a/b": b"inner"})
    assert place.site() == {"a/b": b"inner"}
    place.publish({"a": b"file"})
    assert place.site() == {"a": b"file"}


def test_a_folder_with_files_of_others_is_not_replaced_by_a_page(place, way) -> None:
    place.publish({"index.html": b"x"})
    (place.public / "a").mkdir()
    (place.public / "a/mine").write_text("mine")
    with pytest.raises(PublishError, match="a/ with other files"):
        place.publish({"index.html": b"y", "a": b"page"})
    assert place.site() == {"index.html": b"x", "a/mine": b"mine"}
    assert place.litter() == set()


def test_links_inside_are_replaced_and_never_written_through(place, way) -> None:
    place.publish(A)
    outside = place.root / "elsewhere"
    (outside / "new").mkdir(parents=True)
    (outside / "new/index.html").write_bytes(b"theirs")
    for name in ("index.html", "old/index.html"):
        (outside / name).parent.mkdir(exist_ok=True)
        (outside / name).write_bytes(b"theirs")
    for path in ("posts/snow", "posts/old"):
        (place.public / path / "index.html").unlink()
        (place.public / path).rmdir()
    (place.public / "posts").rmdir()
    (place.public / "posts").symlink_to(outside)
    (place.public / "index.html").unlink()
    (place.public / "index.html").symlink_to(outside / "index.html")
    place.publish(B)
    assert place.site() == B
    assert not (place.public / "posts").is_symlink()
    assert {p.read_bytes() for p in outside.rglob("*.html")} == {b"theirs"}
    assert len(list(outside.rglob("*"))) == 5


def test_a_public_folder_that_is_a_link_is_worked_on_where_it_leads(place, way) -> None:
    (place.root / "elsewhere").mkdir()
    place.public.symlink_to("elsewhere")
    place.publish(A)
    place.publish(B)
    assert place.public.is_symlink()
    assert place.site() == B


@pytest.mark.parametrize(
    "path", ["../x", "/x", "a/../x", "a//x", "./x", "a\\b", "a\0", "a\n", "", ".newsletter-files", "C:x"]
)
def test_paths_that_lead_out_are_refused_before_anything_is_done(place, path) -> None:
    place.publish(A)
    with pytest.raises(PublishError):
        place.publish({**B, path: b"x"})
    assert place.site() == A


def test_a_list_that_names_files_outside_removes_nothing_there(place, way) -> None:
    place.publish(A)
    (place.root / "letter.toml").write_text("x")
    (place.public / ".newsletter-files").write_text("../letter.toml\n/etc/passwd\nposts/old/index.html\n")
    place.publish(B)
    assert (place.root / "letter.toml").exists()


def test_modes_that_were_given_to_files_and_folders_stay(place, way) -> None:
    place.publish(A)
    (place.public / "index.html").chmod(0o640)
    (place.public / "posts").chmod(0o2775)
    place.publish(B)
    assert stat.S_IMODE((place.public / "index.html").stat().st_mode) == 0o640
    assert stat.S_IMODE((place.public / "posts").stat().st_mode) == 0o2775


def test_a_full_disk_leaves_the_old_site_and_says_what_to_do(place, way) -> None:
    place.publish(A)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, hard))
    try:
        with pytest.raises(PublishError, match=r"public/ could not be published: .*old site stands"):
            place.publish({**B, "zebra.html": b"z" * 20_000})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)
    assert place.site() == A
    assert place.litter() == set()
    place.publish(B)
    assert place.site() == B


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO])
def test_a_disk_that_fails_when_synced_leaves_the_old_site(place, monkeypatch, code) -> None:
    place.publish(A)

    def fail(root: Path) -> None:
        raise OSError(code, os.strerror(code))

    with monkeypatch.context() as broken:
        broken.setattr(beside, "sync_tree", fail)
        with pytest.raises(PublishError, match="The old site stands"):
            place.publish(B)
    assert place.site() == A
    place.publish(B)
    assert place.site() == B


def test_a_page_that_cannot_be_made_leaves_the_old_site(place, way) -> None:
    place.publish(A)

    def broken() -> bytes:
        raise ValueError("template")

    with pytest.raises(ValueError, match="template"):
        publish(place.public, [*place.files(B), SiteFile("z", "", broken)], place.manifest)
    assert place.site() == A
    assert place.litter() == set()


def test_a_second_run_at_the_same_time_waits_and_then_says_so(place, monkeypatch) -> None:
    place.publish(A)
    monkeypatch.setattr(lock, "TRIES", 2)
    with lock.locked(place.manifest.parent / "publish.lock"):
        with pytest.raises(PublishError, match="another run is publishing"):
            place.publish(B)
        assert place.site() == A
    place.publish(B)
    assert place.site() == B


def test_a_memory_that_cannot_be_written_does_not_undo_a_site_that_is_out(place, way) -> None:
    place.manifest.mkdir(parents=True)
    assert place.publish(A).written == 4
    assert place.publish(B).written == 2
    assert place.site() == B


def test_a_disk_that_fails_in_the_middle_of_single_files_is_not_called_untouched(place, monkeypatch) -> None:
    place.publish(A)
    monkeypatch.setattr(tree_module, "_exchangeable", lambda public: False)

    def fail(folder: Path) -> None:
        raise OSError(errno.EIO, "I/O error")

    with monkeypatch.context() as broken:
        broken.setattr(inplace, "sync_folder", fail)
        with pytest.raises(PublishError, match="the next run completes it"):
            place.publish(B)
    place.publish(B)
    assert place.site() == B
    assert place.litter() == set()
