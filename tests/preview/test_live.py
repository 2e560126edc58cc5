"""The preview follows the files: every save is seen, a broken one shows its fault over the last good look."""

from __future__ import annotations

import os
import re
import shutil
import threading
from collections.abc import Callable, Iterator
from html import unescape
from pathlib import Path
from urllib.parse import quote

import pytest
from support.letter import Letter, copy_sample
from support.preview import Preview, previewing

from pipeline.preview.watching import REMOTE, Watcher, remote
from pipeline.settings import Settings

FRAME = "/frame?view=html"
#: A picture of one dot.
DOT = bytes.fromhex("47494638396101000100800000ffffff00000021f90401000000002c00000000010001000002024401003b")


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Letter:
    """A newsletter with one post, all whose watched folders are still to come."""
    letter = copy_sample(tmp_path_factory.mktemp("live") / "letter")
    shutil.rmtree(letter.root / "posts")
    letter.post("weather", "Weather", "2026-01-01", "It rains.")
    return letter


@pytest.fixture(scope="module")
def live(shared: Letter) -> Iterator[Preview]:
    with previewing(shared) as preview:
        yield preview


# --- the watched places -------------------------------------------------------------


def test_a_save_in_each_watched_place_is_seen(shared: Letter, live: Preview) -> None:
    with live.listening() as listener:
        assert "text/event-stream" in listener.head
        shared.replace("posts/weather.md", "It rains.", "It snows.")
        listener.until(live, "It snows.", FRAME)
        # Folders that were not there when the preview began.
        shared.write(
            "issues/0001.md", "---\nnumber: 1\nsubject: A hand-made subject\nposts: [weather]\n---\n"
        )
        listener.until(live, "A hand-made subject")
        own = Path(__file__).parents[2] / "templates/mail/mail.txt"
        shared.write("templates/mail/mail.txt", f"A line of our own.\n{own.read_text('utf-8')}")
        listener.until(live, "A line of our own.", "/frame?view=text")
        shared.replace("templates/mail/mail.txt", "A line of our own.", "Another line.")
        listener.until(live, "Another line.", "/frame?view=text")
        shared.replace("newsletter.toml", 'name = "The Headache Letter"', 'name = "The Rain Letter"')
        listener.until(live, "The Rain Letter", FRAME)
        shared.replace("posts/weather.md", "It snows.", "It snows. ![A dot](/dot.gif)")
        listener.next()
        (shared.root / "static").mkdir()
        (shared.root / "static/dot.gif").write_bytes(DOT)
        listener.until(live, "/file?of=", FRAME)
        shared.post("more", "Wind in February", "2026-01-02")
        shared.write("issues/0001.md", "---\nnumber: 1\nposts: [weather, more]\n---\n")
        listener.until(live, "Wind in February")


def vim(path: Path, text: str) -> None:
    """As vim does with `backupcopy=no`: the old file becomes the backup, a new one takes its name."""
    probe = path.with_name("4913")
    probe.write_text("")
    probe.unlink()
    backup = path.with_name(f"{path.name}~")
    path.rename(backup)
    path.write_text(text)
    backup.unlink()


def beside(path: Path, text: str) -> None:
    """As many editors and sync programs do: written beside, then renamed over it."""
    other = path.with_name(f".{path.name}.tmp-1234")
    other.write_text(text)
    other.replace(path)


def in_pieces(path: Path, text: str) -> None:
    """As VS Code and plain redirection do: emptied, then written."""
    with path.open("w") as file:
        file.flush()
        for piece in re.findall(r".{1,40}", text, re.S):
            file.write(piece)
            file.flush()


@pytest.mark.parametrize("save", [vim, beside, in_pieces])
def test_every_editors_way_of_saving_is_seen(
    shared: Letter, live: Preview, save: Callable[[Path, str], None]
) -> None:
    path = shared.root / "posts/weather.md"
    with live.listening() as listener:
        for n in range(3):
            word = f"{save.__name__}{n}"
            save(
                path, re.sub(r"---\n\n.*", f"---\n\nSaved by {word}.\n", path.read_text("utf-8"), flags=re.S)
            )
            listener.until(live, f"Saved by {word}.", FRAME)


def test_what_is_no_save_of_ours_is_no_news(shared: Letter, live: Preview) -> None:
    with live.listening() as listener:
        before = listener.version
        for name in (
            "posts/.weather.md.swp",
            "posts/weather.md~",
            "notes.txt",
            "public/x.html",
            ".newsletter/x",
        ):
            shared.write(name, "x")
        path = shared.root / "posts/weather.md"
        path.write_bytes(path.read_bytes())  # saved without a change
        shared.post("last", "The last word", "2026-01-03")
        shared.write("issues/0001.md", "---\nnumber: 1\nposts: [weather, last]\n---\n")
        listener.until(live, "January 3, 2026", FRAME)
        assert listener.version != before


# --- faults ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "old", "new", "said"),
    [
        ("posts/weather.md", "date: 2026-01-01", "date: tomorow", "Write a date like"),
        ("newsletter.toml", "[newsletter]", "[newsletter", "not valid TOML"),
        ("newsletter.toml", 'show = "lead"', 'show = "leed"', "issue.show"),
        ("issues/0001.md", "number: 1", "numbr: 1", "numbr is not known here"),
        ("issues/0001.md", "[weather, ", "[wether, ", "there is no post `wether`"),
        ("templates/mail/mail.txt", "Another line.", "{% if %}", "xpected an expression"),
    ],
)
def test_a_fault_is_shown_over_the_last_good_look_until_it_is_mended(
    shared: Letter, live: Preview, path: str, old: str, new: str, said: str
) -> None:
    with live.listening() as listener:
        look = live.ask(FRAME).text
        shared.replace(path, old, new)
        page = listener.until(live, said)
        # The file, and the very line as it stands there.
        assert path in page
        assert new in unescape(page)
        assert live.ask(FRAME).text == look
        shared.replace(path, new, old)
        while said in live.ask("/").text:
            listener.next()
        assert live.ask(FRAME).text == look


def test_posts_in_another_folder_are_watched_there(tmp_path: Path) -> None:
    letter = copy_sample(tmp_path / "letter")
    with previewing(letter) as preview, preview.listening() as listener:
        letter.replace("newsletter.toml", 'folder = "posts"', 'folder = "new/letters"')
        assert "new/letters" in listener.until(preview, "there is no such folder")
        letter.write("new/letters/one.md", "---\ntitle: Moved in\ndate: 2026-01-01\n---\n\nFirst words.\n")
        listener.until(preview, "Moved in", FRAME)
        letter.replace("new/letters/one.md", "First words", "Other words")
        listener.until(preview, "Other words", FRAME)


def test_nothing_new_shows_what_is_left_out_and_why(tmp_path: Path) -> None:
    letter = copy_sample(tmp_path / "letter")
    shutil.rmtree(letter.root / "posts")
    letter.post("later", "Later", "2027-01-01")
    with previewing(letter) as preview, preview.listening() as listener:
        page = preview.ask("/").text
        assert "dated 1 January 2027" in page
        assert preview.ask(FRAME).status == 200
        letter.post("now", "Something after all", "2026-01-01")
        listener.until(preview, "Something after all", FRAME)


# --- past issues ------------------------------------------------------------------------


def test_a_past_issue_is_shown_from_its_frozen_bytes(tmp_path: Path) -> None:
    letter = copy_sample(tmp_path / "letter")
    for post in (letter.root / "posts").iterdir():
        post.unlink()
    (letter.root / "posts/dot.gif").write_bytes(DOT)
    letter.post("pictured", "A picture", "2026-01-03", "![a dot](dot.gif) and words.")
    assert letter.run("subscribers", "import", "readers.csv").code == 0
    assert letter.run("send", "--yes").code == 0
    shown = (letter.root / ".newsletter/issues/0001/email.html").read_text("utf-8")
    subject = re.search(r"<title>(.*?)</title>", shown)
    assert subject
    shutil.rmtree(letter.root / "posts")  # nothing of it is rendered again
    (letter.root / "posts").mkdir()
    before = letter.files("public"), (letter.root / ".newsletter/newsletter.db").read_bytes()
    with previewing(letter, "1") as preview:
        assert "Preview of issue 1:" in preview.said
        assert subject[1] in preview.ask(FRAME).text
        assert preview.ask("/").status == 200
        picture = preview.ask(
            f"/file?of={quote('https://letter.example.org/posts/pictured/dot.gif', safe='')}"
        )
        assert (picture.status, picture.body) == (200, DOT)
    with previewing(letter) as preview, preview.listening() as listener:
        assert "Preview of issue 2:" in preview.said
        assert subject[1] in preview.ask(f"{FRAME}&issue=1").text
        letter.post("wind", "Wind", "2026-01-02")
        listener.until(preview, "Wind", FRAME)
        assert subject[1] in preview.ask(f"{FRAME}&issue=1").text
    assert (letter.files("public"), (letter.root / ".newsletter/newsletter.db").read_bytes()) == before


# --- what the page can do ----------------------------------------------------------------

DRAFT = """\
---
number: 1   # the first
subject: "By hand"
lead: weather   # leads

# In my order:
posts:
  - "weather"  # Weather
  # then the lighter things
  - wind   # about wind
  - 'snow'
---

A note, with a list:

- weather
- wind
"""


@pytest.fixture
def three(tmp_path: Path) -> Letter:
    letter = copy_sample(tmp_path / "three")
    shutil.rmtree(letter.root / "posts")
    for day, name in enumerate(("weather", "wind", "snow"), 1):
        letter.post(name, name.title(), f"2026-01-0{4 - day}")
    return letter


def test_moving_a_post_changes_its_line_and_nothing_else(three: Letter) -> None:
    file = three.write("issues/0001.md", DRAFT)
    with previewing(three) as preview:
        preview.act("/order", post="snow", move="up")
        assert file.read_text() == DRAFT.replace(
            "  - wind   # about wind\n  - 'snow'", "  - 'snow'\n  - wind   # about wind"
        )
        preview.act("/order", post="snow", move="up")
        assert file.read_text() == DRAFT.replace("lead: weather ", 'lead: "snow" ').replace(
            '"weather"  # Weather', "'snow'"
        ).replace("- wind   # about wind\n  - 'snow'", '- "weather"  # Weather\n  - wind   # about wind')
        said = preview.act("/order", post="snow", move="up")
        assert "is the first post already" in said
        file.write_text(
            DRAFT.replace(
                "posts:\n", 'posts: [wind, "snow", weather] # all\nsince: 2025-01-01T00:00:00Z\n'
            ).split("  - ")[0]
            + "---\n"
        )
        preview.act("/order", post="snow", move="down")
        assert 'posts: [wind, weather, "snow"] # all\n' in file.read_text()


def test_moving_a_post_of_an_issue_without_a_draft_writes_one(three: Letter) -> None:
    with previewing(three) as preview, preview.listening() as listener:
        page = preview.act("/order", post="wind", move="up", back="view=text&amp=x")
        assert "Moved “Wind” up, in issues/0001.md." in page
        assert listener.next() != ""
        lines = (three.root / "issues/0001.md").read_text().splitlines()
        assert [line.split()[1] for line in lines if line.startswith("  - ")] == [
            '"wind"',
            '"weather"',
            '"snow"',
        ]
        assert 'lead: "wind"' in lines
        assert "cannot be moved" in preview.act("/order", post="nobody", move="up")
        assert "A post moves up or down" in preview.act("/order", post="snow", move="sideways")


def test_a_test_copy_and_an_approval_say_what_came_of_them(three: Letter) -> None:
    three.write("readers.csv", "email,name\nann@example.com,Ann\n")
    assert three.run("subscribers", "import", "readers.csv").code == 0
    with previewing(three) as preview:
        assert "Sent a test copy to editor@example.org." in preview.act(
            "/test", to="editor@example.org", by="Bea"
        )
        assert '"Bea"' in (three.root / ".newsletter/issues/0001/tests.json").read_text()
        assert len(list((three.root / "outbox/mail").glob("*.eml"))) == 1
        assert "outbox/0001" not in "".join(three.files("outbox"))
        assert "An address has an @ in it" in preview.act("/test", to="nobody")
        assert "The issue has changed since you looked at it" in preview.act(
            "/approve", by="Ana", build="0" * 64
        )
        build = re.search(r'name="build"\s+value="([0-9a-f]{64})"', preview.ask("/").text)
        assert build
        assert "Approved by Ana" in preview.act("/approve", by="Ana", build=build[1])
        assert "approved: {by:" in (three.root / "issues/0001.md").read_text()
    assert three.run("send", "--yes").code == 0


# --- where the system does not tell of saves ----------------------------------------------


def test_where_saves_cannot_be_told_files_are_looked_at(tmp_path: Path) -> None:
    letter = copy_sample(tmp_path / "letter")
    with (
        previewing(letter, env={"WATCHFILES_FORCE_POLLING": "1"}) as preview,
        preview.listening() as listener,
    ):
        letter.post("late", "Noticed late", "2026-01-02")
        listener.until(preview, "Noticed late", FRAME)
        _, err = preview.ends()
        assert "files are looked at every 250 ms" in err


def test_a_system_without_room_for_a_watch_is_looked_at(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    (tmp_path / "posts").mkdir()
    saved, notes = threading.Event(), list[str]()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    # Room for one more open file: enough to look into a folder, too little for inotify.
    taken = [os.open(os.devnull, os.O_RDONLY)]
    resource.setrlimit(resource.RLIMIT_NOFILE, (taken[0] + 1, hard))
    os.close(taken[0])
    try:
        watcher = Watcher(tmp_path, Settings(), lambda _: saved.set(), notes.append)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    (tmp_path / "posts/new.md").write_text("x")
    assert saved.wait(10)
    assert len(notes) == 1
    watcher.stop()


def test_folders_of_other_machines_are_known_by_their_file_system() -> None:
    assert not remote("/proc")
    assert [
        bool(REMOTE.fullmatch(kind))
        for kind in ("nfs4", "cifs", "9p", "fuse.sshfs", "ext4", "btrfs", "overlay")
    ] == [
        *[True] * 4,
        *[False] * 3,
    ]
