"""The editor's draft: reorder, drop, write a note."""

from __future__ import annotations

from support.letter import Letter

DRAFT = "issues/0001.md"


def drafted(letter: Letter) -> list[str]:
    ran = letter.run("draft")
    assert ran.code == 0, ran
    assert DRAFT in ran.out
    return (letter.root / DRAFT).read_text("utf-8").splitlines()


def test_a_dropped_post_comes_back_next_time_and_the_order_is_the_editors(sample: Letter) -> None:
    lines = drafted(sample)
    first = lines.index("posts:") + 1
    listed = lines[first : lines.index("---", first)]
    assert len(listed) == 6
    kept = [listed[3], listed[1], listed[0]]
    sample.write(
        DRAFT, "\n".join([*lines[:first], *kept, *lines[first + 6 :], "A **note** from the editor."])
    )
    sample.replace(
        DRAFT, next(line for line in lines if line.startswith("subject:")), "subject: Chosen by hand"
    )
    status = sample.run("status", "--json").json
    assert [f'  - "{post["id"]}"' for post in status["posts"]] == [line.split("  #")[0] for line in kept]
    assert [item["reason"] for item in status["left_out"]] == ["not-chosen"] * 3
    sample.run("subscribers", "import", "readers.csv")
    assert sample.run("send", "--yes").code == 0
    assert len(sample.new()) == 3
    html = (sample.root / ".newsletter/issues/0001/email.html").read_text("utf-8")
    assert "<strong>note</strong>" in html or "<strong" in html
    mail = next(iter(sample.files("outbox/0001").values()))
    assert b"\r\nSubject: Chosen by hand\r\n" in mail


def test_an_untouched_draft_sends_what_send_would_have_composed(sample: Letter, sent: Letter) -> None:
    drafted(sample)
    sample.run("subscribers", "import", "readers.csv")
    assert sample.run("send", "--yes").code == 0
    assert sample.files("outbox") == sent.files("outbox")


def test_a_second_draft_does_not_overwrite_the_first(sample: Letter) -> None:
    drafted(sample)
    ran = sample.run("draft")
    assert ran.code == 1
    assert f"{DRAFT}: is there already" in ran.err


def test_a_wrong_draft_is_refused_with_its_line(sample: Letter) -> None:
    lines = drafted(sample)
    number = lines.index("posts:") + 2
    sample.replace(DRAFT, lines[number - 1], '  - "no-such-post"')
    ran = sample.run("send", "--yes")
    assert ran.code == 1
    assert f"{DRAFT}:{number}: there is no post `no-such-post`" in ran.err


def test_the_program_leaves_the_editors_comments_and_note_alone(sample: Letter) -> None:
    drafted(sample)
    with (sample.root / DRAFT).open("a") as file:
        file.write("\nMy   note, as I typed it.\n")
    sample.replace(DRAFT, "posts:", "# mine: do not touch\nposts:")
    before = (sample.root / DRAFT).read_text("utf-8").splitlines()
    sample.run("subscribers", "import", "readers.csv")
    assert sample.run("send", "--yes").code == 0
    after = (sample.root / DRAFT).read_text("utf-8").splitlines()
    added = [line.split(":")[0] for line in after if line not in before]
    assert added == ["frozen", "fingerprints", "sent"]
    assert [line for line in after if line in before] == before
