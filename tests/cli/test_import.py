"""What `newsletter subscribers import` says, and where."""

from __future__ import annotations

import pytest
from support.letter import HERE, Letter

KIT = str(HERE / "tests/audience/lists/kit.csv")
LISTMONK = str(HERE / "tests/audience/lists/subscribers.csv")


@pytest.fixture
def moving(sample: Letter) -> Letter:
    sample.write("list.csv", "email,Contact Status\nana@example.com,gone\nnobody,\n")
    return sample


def test_a_dry_run_prints_the_same_counts_and_says_that_it_was_one(moving: Letter) -> None:
    rehearsed = moving.run("subscribers", "import", KIT, "--dry-run", "--json")
    assert not (moving.root / ".newsletter").exists()
    assert rehearsed.err.splitlines() == [
        f"{KIT}: taken for Kit's export: address from “email”; name from “first_name”; state from “status”; "
        "day of consent from “created_at”",
        f"{KIT}: 7 rows, by what they say: 3 confirmed, 2 suppressed, 1 unconfirmed, 1 unsubscribed",
        f"A dry run: nothing was written. Next: newsletter subscribers import {KIT}",
    ]
    done = moving.run("subscribers", "import", KIT, "--json")
    assert (done.code, done.json) == (rehearsed.code, rehearsed.json)
    assert done.json == {"added": 5, "updated": 0, "unchanged": 0, "refused": 0, "suppressed": 2}
    again = moving.run("subscribers", "import", KIT, "-n", "-q")
    assert (again.code, again.out, again.err) == (0, "", "")


def test_several_files_are_one_document_and_each_is_told_of(moving: Letter) -> None:
    ran = moving.run("subscribers", "import", "readers.csv", LISTMONK, "list.csv", "--json")
    assert ran.json == {"added": 5, "updated": 0, "unchanged": 2, "refused": 1, "suppressed": 1}
    lines = ran.err.splitlines()
    assert "list.csv:3: an address has an @ in it, like ana@example.org" in lines
    assert "list.csv: 2 rows, by what they say: 1 confirmed, 1 refused" in lines
    warnings = [line for line in lines if line.startswith("warning: ")]
    assert warnings[0].startswith(f"warning: {LISTMONK}: listmonk's export does not tell who unsubscribed")
    assert warnings[1] == (
        "warning: list.csv: the column “Contact Status” is not heeded. If it says who left, call it “status”."
    )


def test_rows_that_are_kept_out_are_not_told_by_the_word_that_rows_use_of_themselves(sample: Letter) -> None:
    sample.run("subscribers", "import", "readers.csv")
    sample.run("subscribers", "remove", "ana@example.com")
    sample.write("again.csv", "email,status\nana@example.com,\nbo@example.org,blocked\n")
    ran = sample.run("subscribers", "import", "again.csv", "--dry-run")
    assert "again.csv: 2 rows, by what they say: 1 confirmed, 1 suppressed" in ran.err
    assert ran.out == (
        "0 added, 0 updated, 0 unchanged, 0 refused, 2 kept out (left before, suppressed or forgotten)\n"
    )
    sample.run("subscribers", "import", "again.csv")
    assert "suppressed: a list says so" in sample.run("subscribers", "list").out


def test_a_plain_list_is_taken_in_without_many_words(sample: Letter) -> None:
    assert sample.run("subscribers", "import", "readers.csv").err == ""
    said = sample.run("subscribers", "import", "readers.csv", "-v", "--as", "confirmed").err
    assert said == (
        "readers.csv: address from “email”; name from “name”; state from “confirmed”; "
        "day of consent from “confirmed”\n"
    )
    assert sample.run("subscribers", "import").code == 2
