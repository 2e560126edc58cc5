"""The tutorial shows what a newcomer sees."""

from __future__ import annotations

import difflib
import re

from support.tutorial import PAGE, walk

#: What a build is called: it names the versions of the packages that made it too, which are newer on every day.
BUILD = re.compile(r"\b[0-9a-f]{6}…[0-9a-f]{4}\b")


def test_every_command_of_the_tutorial_prints_what_the_page_shows(tmp_path):
    shown = PAGE.read_text("utf-8")
    real = walk(shown, tmp_path / "letter")
    assert len(BUILD.findall(real)) == len(BUILD.findall(shown)) == 2
    pages = [BUILD.sub("9f2c41…a0e1", page).splitlines() for page in (shown, real)]
    difference = "\n".join(difflib.unified_diff(*pages, "shown", "real", lineterm=""))
    assert not difference, f"PYTHONPATH=tests python -m support.tutorial renews the page\n{difference}"


def test_the_tutorial_shows_what_it_promises():
    """Without this, a page on which every command fails would compare well."""
    shown = PAGE.read_text("utf-8")
    assert "3 readers now" in shown
    assert shown.count("is out: 3 accepted.") == 2
    assert "There is nothing new to send." in shown
    assert "posts/2026-11-20-first.md:3" in shown
    assert "posts/a-week-of-meditation.md  carried: issue 1 carried it" in shown
