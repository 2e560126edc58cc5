"""Checks that know the issues that are out: repeated subjects and links, posts that are old news."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from support import letter as command

from pipeline.check.run import Report

from .conftest import RAIN, Edits, Letter

SECOND = RAIN.replace("Rain in the valley", "Ice on the river").replace("2026-01-01", "2026-01-03")


@pytest.fixture(scope="module")
def first_out(sound: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sound newsletter after its first issue."""
    root = tmp_path_factory.mktemp("out") / "letter"
    shutil.copytree(sound, root)
    sender = command.Letter(root)
    sender.write("readers.csv", "email\nann@example.com\n")
    assert sender.run("subscribers", "import", str(root / "readers.csv")).code == 0
    sent = sender.run("send", "--yes")
    assert sent.code == 0, sent
    return root


@pytest.fixture
def second(first_out: Path, tmp_path: Path) -> Callable[[Edits], Letter]:
    def make(edits: Edits) -> Letter:
        shutil.copytree(first_out, tmp_path / "letter")
        made = Letter(tmp_path / "letter")
        made.edit({"posts/ice.md": SECOND} | dict(edits))
        return made

    return make


def heard(report: Report) -> list[str]:
    return [f"{f.path}:{f.line} {f.severity} {f.id}" for f in report.findings if str(f.severity) != "note"]


def test_a_second_issue_of_new_things_is_sound(second: Callable[[Edits], Letter]) -> None:
    links = "[us](https://letter.example.org/feeds/) [them](https://weather.example/)"
    assert heard(second({"posts/ice.md": SECOND + links}).check()) == []


def test_a_subject_that_an_issue_had_is_found_at_its_title(second: Callable[[Edits], Letter]) -> None:
    letter = second({"posts/ice.md": SECOND.replace("Ice on the river", "Snow, on the *roofs*")})
    report = letter.check()
    assert heard(report) == ["posts/ice.md:2 warning subject-repeated"]
    assert report.findings[-1].message == "issue 1 had this subject"


def test_a_link_that_an_issue_ran_is_found_at_its_line(second: Callable[[Edits], Letter]) -> None:
    body = "\nOne.\n[The office](http://www.weather.example/report/#top) <!-- check: ignore link-http -->\n"
    report = second({"posts/ice.md": SECOND + body}).check()
    assert heard(report) == ["posts/ice.md:12 warning link-repeated"]
    assert report.ignored == 1


def test_a_post_that_is_old_is_found_at_its_date(second: Callable[[Edits], Letter]) -> None:
    old = second({"posts/ice.md": SECOND.replace("2026-01-03", "2025-12-04")})
    assert heard(old.check()) == ["posts/ice.md:3 warning post-age"]


def test_issues_that_are_out_are_read_once(second: Callable[[Edits], Letter]) -> None:
    letter = second({"posts/ice.md": SECOND + "\n[The office](https://weather.example/report)\n"})
    letter.check()
    memory = letter.root / ".newsletter/cache/earlier.json"
    kept = json.loads(memory.read_bytes())
    assert "https://weather.example/report" in kept["1"][1]
    kept["1"][1] = []
    memory.write_text(json.dumps(kept))
    assert heard(letter.check()) == []
    memory.write_text("not json")
    assert heard(letter.check()) == ["posts/ice.md:11 warning link-repeated"]
