"""`newsletter check`, as a person and as a script see it."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from support.letter import CLOCK, HERE, SECRET, Letter

HEAD = "---\ntitle: Snow on the roofs\ndate: 2026-01-02\nauthor: Ana\ncatgory: Weather\n---\n\n"
POST = HEAD + "Where it fell.\n\n![](a.png)\nTK [a](http://x.example/) <!-- check: ignore link-http -->\n"


@pytest.fixture
def unsent(tmp_path: Path) -> Letter:
    """A newsletter with one post that has faults, and no readers."""
    made = Letter(tmp_path / "letter")
    made.write("newsletter.toml", (HERE / "newsletter.toml").read_text("utf-8"))
    made.write("posts/snow.md", POST)
    return made


def test_findings_stand_by_file_with_what_to_do_and_their_sum(unsent: Letter) -> None:
    ran = unsent.run("check", "1")
    assert ran.code == 3
    assert ran.err == ""
    *found, last, mendable, following = ran.out[ran.out.index("posts/") :].splitlines()
    assert found == [
        "posts/snow.md:5 warning front-matter-key `catgory`: did you mean `category`?",
        "    Write `category`; as it stands the key is only passed to the templates.",
        "posts/snow.md:8 note excerpt-derived the excerpt is the first sentence",
        "    Add a line `excerpt: ...` of your own.",
        "posts/snow.md:10 error image-alt a.png has no description",
        '    write one: ![a chart of ...](file.png); alt="" in HTML for mere decoration',
        "posts/snow.md:10 warning image-missing a.png is not there; its description stands in its place",
        "    put the file beside the post or into static/, or correct the name",
        "posts/snow.md:11 warning placeholder “TK” still stands in the text",
        "    write what was meant to stand there, or take it out",
        "",
    ]
    assert re.fullmatch(r"1 error, 3 warnings, 3 notes, 1 ignored, \d\d passed", last)
    assert mendable == "What mends itself (2): newsletter check --fix"
    assert following == "Mend the errors, then: newsletter check"
    assert "\x1b" not in ran.out


def test_fix_says_each_change_and_what_is_left(unsent: Letter) -> None:
    unsent.write("posts/snow.md", POST.replace("![](a.png)\nTK ", ""))
    ran = unsent.run("check", "--fix", "--strict")
    assert ran.code == 0, ran
    assert ran.out.startswith(
        "posts/snow.md:5 front-matter-key `catgory` is `category` now\n"
        'posts/snow.md:8 excerpt-derived wrote the first sentence down as `excerpt`: "Where it fell."\n'
        "2 faults mended.\n"
    )
    assert ran.out.endswith("Next: newsletter test --to you@example.org\n")
    again = unsent.run("check", "--fix", "--json").json
    assert again["fixed"] == []
    assert {finding["severity"] for finding in again["findings"]} == {"note"}
    assert again["ignored"] == 1
    assert len(again["passed_ids"]) == again["passed"]


def test_sarif_is_one_document_and_json_another(unsent: Letter) -> None:
    ran = unsent.run("check", "--sarif")
    assert ran.code == 3
    assert {result["ruleId"] for result in json.loads(ran.out)["runs"][0]["results"]} >= {
        "image-alt",
        "placeholder",
    }
    both = unsent.run("check", "--sarif", "--json")
    assert both.code == 2
    assert "ask for one" in both.err


def test_another_issue_than_the_next_is_refused_in_a_sentence(letter: Callable[[], Letter]) -> None:
    made = letter()
    made.write("posts/snow.md", POST.replace("![](a.png)", ""))
    ran = made.run("check", "7")
    assert ran.code == 1
    assert "there is no issue 7; the next one is 1: newsletter check 1" in ran.err
    assert made.run("send", "--yes").code == 0
    assert "issue 1 is out as it is; the next one is 2" in made.run("check", "1").err


def test_colour_is_for_terminals(unsent: Letter) -> None:

    def seen(*more: str) -> bytes:
        ours, theirs = pty.openpty()
        command = [sys.executable, "-m", "pipeline", "-C", str(unsent.root), "--clock", CLOCK, "check", *more]
        env = {key: value for key, value in os.environ.items() if key != "NO_COLOR"} | {
            "NEWSLETTER_SECRET": SECRET
        }
        with subprocess.Popen(command, cwd=HERE, env=env, stdout=theirs, stderr=theirs):
            os.close(theirs)
            read = b""
            while True:
                try:
                    part = os.read(ours, 65536)
                except OSError:  # Linux says so when nobody writes any more
                    part = b""
                if not part:
                    break
                read += part
        os.close(ours)
        return read

    assert b"\x1b[31m\x1b[1merror\x1b[0m image-alt" in seen()
    assert b"\x1b" not in seen("--no-color")
