"""Text that is hard to read and rules that clients drop are found at the line that wrote them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import Edits, Letter

ROOT = Path(__file__).parents[2] / "templates/mail"
SHEET, CLIENT, PARTS, POST = (
    "templates/mail/mail.css",
    "templates/mail/mail-client.css",
    "templates/mail/parts.html",
    "posts/snow.md",
)


def theme(path: str, old: str, new: str) -> Edits:
    """The newsletter's own copy of a file of the theme, changed; an issue with a lead post and a card."""
    text = (ROOT.parents[1] / path).read_text("utf-8")
    assert old in text
    return {path: text.replace(old, new, 1), "newsletter.toml": (('show = "full"', 'show = "lead"'),)}


def line_of(edits: Edits, path: str, words: str) -> int:
    """The first line of a file of the theme, as it is now, that holds these words."""
    text = str(edits[path]) if path in edits else (ROOT.parents[1] / path).read_text("utf-8")
    return next(number for number, line in enumerate(text.split("\n"), 1) if words in line)


FAINT = [
    # An inlined colour, faint on white; dark has one of its own, and forced dark leaves it as it is.
    (
        theme(SHEET, ".muted { color: #4A555D", ".muted { color: #B0B0B0"),
        SHEET,
        ".muted { color: #B0B0B0",
        "light",
    ),
    # A rule for the dark.
    (
        theme(CLIENT, ".name { color: #E8EDEE", ".name { color: #333333"),
        CLIENT,
        ".name { color: #333333",
        "dark",
    ),
    # The same colour in other rules, before and after.
    (
        theme(CLIENT, ".name { color: #E8EDEE", ".a { color: #343434 } .b,\n.name { color: #343434"),
        CLIENT,
        ".name { color: #343434",
        "dark",
    ),
    # Dark paper whose text nobody turned light.
    (theme(CLIENT, ".name { color: #E8EDEE", ".no { color: #E8EDEE"), SHEET, ".name {", "dark"),
    # A grey in the middle: its paper turns dark, it stays, or the other way round.
    (
        theme(SHEET, ".muted { color: #4A555D", ".muted { color: #6F6F6F"),
        SHEET,
        ".muted { color: #6F6F6F",
        None,
    ),
    # In a template, by an attribute.
    (
        theme(PARTS, '<h3 class="headline">', '<h3 class="headline"><font color="#BBBBBB">'),
        PARTS,
        "#BBBBBB",
        "light",
    ),
    # At one width only.
    (
        theme(CLIENT, ".wide {", ".label, .meta, .muted { color: #CCCCCC !important } .wide {"),
        CLIENT,
        "#CCCCCC",
        "light",
    ),
]


@pytest.mark.parametrize(("edits", "path", "words", "scheme"), FAINT, ids=range(len(FAINT)))
def test_faint_text_is_found_where_its_colour_is_written(
    letter: Callable[[Edits], Letter], edits: Edits, path: str, words: str, scheme: str | None
) -> None:
    found = [each for each in letter(edits).check().findings if each.id == "contrast"]
    if scheme is None:
        assert found == []
        return
    assert {(each.path, each.line) for each in found} == {(path, line_of(edits, path, words))}
    assert any(f"in {scheme} is a contrast of" in each.message for each in found)
    assert all(each.fix for each in found)


def test_a_message_says_the_text_both_colours_and_what_is_needed(letter: Callable[[Edits], Letter]) -> None:
    edits = theme(SHEET, ".section { margin-top: 0;", ".section { color: #999999; margin-top: 0;")
    edits |= theme(CLIENT, ".name {", ".section { color: #445555 !important } .name {")
    dark, light = [each for each in letter(edits).check().findings if each.id == "contrast"]
    assert light.message == (
        "“Continue reading”: #999999 on #FFFFFF in light is a contrast of 2.84; large text needs 3"
    )
    assert "#445555 on #1A2124 in dark is a contrast of 2.0" in dark.message


def test_text_on_a_picture_is_said_not_to_be_known(letter: Callable[[Edits], Letter]) -> None:
    edits = theme(SHEET, ".head { ", ".head { background-image: url(https://x.example/a.png); ")
    found = [each for each in letter(edits).check().findings if each.id.startswith("contrast")]
    assert {each.id for each in found} == {"contrast-unknown"}
    assert "cannot be told: it lies on a picture or gradient" in found[0].message


DROPPED = [
    (
        theme(SHEET, ".column { ", ".column { display: flex; "),
        SHEET,
        ".column {",
        "Outlook for Windows does not know",
    ),
    (
        theme(SHEET, ".card { ", ".card { margin-inline-start: 8px; "),
        SHEET,
        ".card {",
        "and Outlook.com and new Outlook do",
    ),
    (
        theme(SHEET, ".card { ", ".card { padding-left: var(--a); "),
        SHEET,
        ".card {",
        "var(--a)",
    ),
    (theme(PARTS, "{% if post.cut %}", "<video></video>\n{% if post.cut %}"), PARTS, "<video>", "<video>"),
    (theme(PARTS, "{% if post.cut %}", "<p hidden>x</p>\n{% if post.cut %}"), PARTS, "<p hidden>", "hidden"),
    (
        {CLIENT: "/* long */\n" + ".x { color: #111111 }\n" * 1100},
        "templates/mail/mail.html",
        "<style data",
        "16,384",
    ),
]


@pytest.mark.parametrize(("edits", "path", "words", "said"), DROPPED, ids=range(len(DROPPED)))
def test_what_clients_drop_is_found_where_it_is_written(
    letter: Callable[[Edits], Letter], edits: Edits, path: str, words: str, said: str
) -> None:
    found = [each for each in letter(edits).check().findings if each.id == "client-css"]
    assert {(each.path, each.line) for each in found} == {(path, line_of(edits, path, words))}, found
    assert all(said in each.message for each in found)
    assert all(each.fix for each in found)


INNOCENT = [
    theme(SHEET, ".card { ", ".card { box-shadow: 0 1px 2px #000000; transition: color 1s; "),
    theme(SHEET, ".paper { ", ".paper { background-image: none; position: static; "),
    theme(
        CLIENT, "@media (max-width: 600px) {", "@media (max-width: 600px) { .x { display: flex !important; }"
    ),
]


@pytest.mark.parametrize("edits", INNOCENT, ids=range(len(INNOCENT)))
def test_what_nobody_misses_is_not_told(letter: Callable[[Edits], Letter], edits: Edits) -> None:
    assert [each for each in letter(edits).check().findings if each.id == "client-css"] == []
