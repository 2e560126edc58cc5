"""A post that went out is known again, whatever happens to its file."""

from __future__ import annotations

import shutil
import unicodedata
from pathlib import Path

import pytest
from support.letter import Letter

NAME = "posts/2025-11-15-cluster-headaches-after-a-solar-storm.md"


def rename(letter: Letter) -> None:
    (letter.root / NAME).rename(letter.root / "posts/2025-11-15-quite-another-name.md")


def redate(letter: Letter) -> None:
    letter.replace(NAME, "2025-11-15", "2026-01-03")
    (letter.root / NAME).rename(letter.root / "posts/cluster-headaches-after-a-solar-storm.md")


def edit(letter: Letter) -> None:
    with (letter.root / NAME).open("a", encoding="utf-8") as file:
        file.write("\nA paragraph that was added later.\n")


def move(letter: Letter) -> None:
    (letter.root / "posts/archive/2025").mkdir(parents=True)
    shutil.move(letter.root / NAME, letter.root / "posts/archive/2025")


def reencode(letter: Letter) -> None:
    file = letter.root / NAME
    text = unicodedata.normalize("NFD", file.read_text("utf-8"))
    file.write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())


def rename_and_edit(letter: Letter) -> None:
    edit(letter)
    rename(letter)


@pytest.mark.parametrize("change", [rename, redate, edit, move, reencode, rename_and_edit])
def test_a_published_post_is_never_new_again(change, sent: Letter) -> None:
    change(sent)
    status = sent.run("status", "--json").json
    assert status["posts"] == []
    assert {item["reason"] for item in status["left_out"]} == {"carried"}
    assert len(status["left_out"]) == 6


def test_a_back_dated_post_is_new(sent: Letter) -> None:
    sent.post("2001-02-03-found-in-a-drawer", "Found in a drawer", "2001-02-03")
    assert sent.new() == ["found-in-a-drawer"]
    assert sent.run("send", "--yes").code == 0
    assert sent.new() == []
    assert (sent.root / "public/issues/2/index.html").exists()


def test_the_issue_files_remember_when_the_ledger_is_lost(sent: Letter) -> None:
    shutil.rmtree(sent.root / ".newsletter")
    rename(sent)
    status = sent.run("status", "--json").json
    assert status["posts"] == []
    assert status["issue"] == 2


def test_every_file_is_in_the_issue_or_has_a_reason(sample: Letter) -> None:
    sample.post("2026-01-02-idea", "An idea", "2026-01-02", draft="true")
    sample.post("2027-01-02-later", "Later", "2027-01-02")
    sample.post("2025-01-02-over", "Over", "2025-01-02", expiryDate="2025-02-01")
    sample.post("2025-01-03-web", "Web", "2025-01-03", newsletter="false")
    sample.write("posts/broken.md", "---\ntitle: Broken\ndate: tomorow\n---\n")
    status = sample.run("status", "--json").json
    reasons = {item["path"]: item["reason"] for item in status["left_out"]}
    assert reasons == {
        "posts/2026-01-02-idea.md": "draft",
        "posts/2027-01-02-later.md": "future",
        "posts/2025-01-02-over.md": "expired",
        "posts/2025-01-03-web.md": "web-only",
        "posts/broken.md": "unreadable",
    }
    seen = {post["path"] for post in status["posts"]} | set(reasons)
    assert seen == {f"posts/{file.name}" for file in (sample.root / "posts").iterdir()}
    assert all(item["why"] for item in status["left_out"])


def test_an_unreadable_post_stops_the_issue_with_its_place(sample: Letter) -> None:
    sample.run("subscribers", "import", "readers.csv")
    sample.write("posts/broken.md", "---\ntitle: Broken\ndate: tomorow\n---\n")
    ran = sample.run("send", "--yes")
    assert ran.code == 1
    assert "posts/broken.md:3" in ran.err
    assert not (sample.root / "outbox").exists()
    assert sample.run("build").code == 1
    sample.replace("newsletter.toml", '# exclude = ["attic/**"]', 'exclude = ["broken.md"]')
    assert sample.run("send", "--yes").code == 0


def test_a_published_post_that_breaks_stops_nothing_and_keeps_its_page(sent: Letter) -> None:
    sent.replace(NAME, "date: 2025-11-15", "date: sometime")
    sent.post("2026-01-02-fresh", "Fresh", "2026-01-02")
    assert sent.run("send", "--yes").code == 0
    assert (sent.root / "public/posts/cluster-headaches-after-a-solar-storm/index.html").exists()


def archive(letter: Letter, count: int = 30) -> Path:
    for number in range(count):
        letter.post(
            f"post-{number:02}",
            f"Post {number}",
            f"2025-{number % 12 + 1:02}-{number % 28 + 1:02}",
            f"Words {number}.",
        )
    return letter.root


def test_a_first_issue_over_an_archive_is_refused_with_two_ways_on(letter) -> None:
    made = letter()
    archive(made)
    ran = made.run("send", "--yes")
    assert ran.code == 1
    assert "30 posts are new" in ran.err
    assert "--since DATE" in ran.err
    assert "--latest N" in ran.err
    assert not (made.root / "outbox").exists()


@pytest.mark.parametrize("way", [("--since", "2025-11-01"), ("--latest", "5")])
def test_older_posts_count_as_published_before_for_good(way, letter) -> None:
    made = letter()
    archive(made)
    before = made.run("status", "--json", *way).json
    assert 0 < len(before["posts"]) <= 6
    assert {item["reason"] for item in before["left_out"]} == {"before-first"}
    assert made.run("send", "--yes", *way).code == 0
    after = made.run("status", "--json").json
    assert after["posts"] == []
    assert len(after["left_out"]) == 30
    made.post("old-find", "An old find", "1999-01-01")
    assert made.new() == ["old-find"]
