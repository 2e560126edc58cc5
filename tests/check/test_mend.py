"""`--fix` mends what needs no guess, keeps every other byte, and leaves the rest to its author."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from pipeline import inspection

from .conftest import RAIN, SNOW, Edits, Letter

NO_EXCERPT = SNOW.replace("excerpt: Where it fell, and how long it will stay.\n", "")
SENTENCE = "Since Friday, January 2, 2026, it has snowed in the hills."
LOCAL = "[the rain](http://localhost:8000/posts/rain/?x=1#top)"
TOML = """\
+++
title = "Snow on the roofs"
date = 2026-01-02
{}[extra]
author = "Ana"
+++

First one. Then more.
"""

CASES: Mapping[str, tuple[str, str]] = {
    "a key": (SNOW.replace("category", "catgory"), SNOW),
    "no excerpt": (NO_EXCERPT, NO_EXCERPT.replace("Weather\n---", f'Weather\nexcerpt: "{SENTENCE}"\n---')),
    "an empty excerpt": (
        NO_EXCERPT.replace("author", "excerpt: ''\nauthor"),
        NO_EXCERPT.replace("author", f'excerpt: "{SENTENCE}"\nauthor'),
    ),
    "TOML": (TOML.format(""), TOML.format('excerpt = "First one."\n')),
    "Pelican": (
        "Title: Snow on the roofs\nDate: 2026-01-02\nAuthor: Ana\n\nFirst one. Then more.\n",
        "Title: Snow on the roofs\nDate: 2026-01-02\nAuthor: Ana\nSummary: First one.\n\nFirst one. Then more.\n",
    ),
    "an own link": (
        SNOW.replace(
            "Last line.", "[We](http://letter.example.org/feeds/), [not we](http://letter.example.org.evil/)"
        ),
        SNOW.replace(
            "Last line.", "[We](https://letter.example.org/feeds/), [not we](http://letter.example.org.evil/)"
        ),
    ),
    "a reference": (
        SNOW.replace("Last line.", "[We][we]\n\n[we]: http://letter.example.org/feeds/"),
        SNOW.replace("Last line.", "[We][we]\n\n[we]: https://letter.example.org/feeds/"),
    ),
    "a page looked at here": (
        SNOW.replace("Last line.", LOCAL),
        SNOW.replace("Last line.", "[the rain](https://letter.example.org/posts/rain/?x=1#top)"),
    ),
    "no page of ours": (SNOW.replace("Last line.", LOCAL.replace("rain/", "hail/")),) * 2,
    "a comment": (
        SNOW.replace("Last line.", "One. <!-- check: ignore link-htp -->"),
        SNOW.replace("Last line.", "One. <!-- check: ignore link-http -->"),
    ),
    "a key that would be doubled": (SNOW.replace("excerpt:", "excerp: Mine.\nexcerpt:"),) * 2,
    "all at once": (
        NO_EXCERPT.replace("category", "catgory").replace(
            "Last line.", f"{LOCAL}\n[We](http://letter.example.org/)"
        ),
        NO_EXCERPT.replace("Weather\n---", f'Weather\nexcerpt: "{SENTENCE}"\n---').replace(
            "Last line.",
            "[the rain](https://letter.example.org/posts/rain/?x=1#top)\n[We](https://letter.example.org/)",
        ),
    ),
}


@pytest.mark.parametrize(("name", "end"), [*((name, "\r\n") for name in CASES), ("all at once", "\n")])
def test_only_the_fault_changes(letter: Callable[[Edits], Letter], name: str, end: str) -> None:
    before, after = (text.replace("\n", end) for text in CASES[name])
    made = letter({"posts/snow.md": before})
    changes = inspection.mend(made.open(), made.check().findings)
    assert (made.root / "posts/snow.md").read_bytes() == after.encode()
    assert (made.root / "posts/rain.md").read_bytes() == RAIN.encode()
    assert bool(changes) is (before != after)
    mended = {(change.path, change.id) for change in changes}
    assert (
        not mended & {(finding.path, finding.id) for finding in made.check().findings} or "not we" in before
    )


def test_a_utf_16_post_and_its_mode_stay_what_they_are(letter: Callable[[Edits], Letter]) -> None:
    made = letter({"posts/snow.md": SNOW.replace("category", "catgory").encode("utf-16")})
    file = made.root / "posts/snow.md"
    file.chmod(0o600)
    assert [(c.path, c.line, c.what) for c in inspection.mend(made.open(), made.check().findings)] == [
        ("posts/snow.md", 5, "`catgory` is `category` now")
    ]
    assert file.read_bytes() == SNOW.encode("utf-16")
    assert file.stat().st_mode & 0o777 == 0o600


def test_the_note_of_a_draft_is_mended_too(letter: Callable[[Edits], Letter]) -> None:
    draft = "---\nnumber: 1\nposts:\n  - snow\n---\n\n[We](http://letter.example.org/)\n"
    made = letter({"issues/0001.md": draft})
    assert [(c.path, c.line) for c in inspection.mend(made.open(), made.check().findings)] == [
        ("issues/0001.md", 7)
    ]
    assert (made.root / "issues/0001.md").read_text("utf-8") == draft.replace("http:", "https:")
