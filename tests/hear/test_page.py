"""The page on bounces says what the table decides."""

from __future__ import annotations

from pathlib import Path

from pipeline.hear import phrases
from pipeline.hear.rules import RULES, SOFT_ISSUES, SOFT_OVER, SOFT_WITHIN, Rule

PAGE = Path(__file__).resolve().parents[2] / "docs/bounces.md"
HEAD = "| means | why | status | reply | words |\n|---|---|---|---|---|\n"
WORDS = {
    phrases.FULL: "full, quota ...",
    phrases.ABOUT_US: "spam, blocked, blocklist ...",
    phrases.SHUT: "disabled, closed ...",
    phrases.UNKNOWN: "unknown, no such user ...",
}


def row(rule: Rule) -> str:
    """Write a row as the page has it."""
    columns = [
        ", ".join(code if code == "none" else f"`{code}`" for code in codes.split())
        for codes in (rule.status, rule.reply)
    ]
    words = WORDS.get(rule.words) or ", ".join(rule.words)
    return f"| {rule.news.value} | {rule.reason} | {' | '.join(columns)} | {words} |\n"


def test_the_page_prints_the_table():
    assert HEAD + "".join(map(row, RULES)) in PAGE.read_text("utf-8")


def test_the_page_says_the_numbers():
    text = " ".join(PAGE.read_text("utf-8").split())
    assert f"copies of {SOFT_ISSUES} different issues came back within {SOFT_WITHIN.days} days" in text
    assert f"at least {SOFT_OVER.days} days apart" in text
