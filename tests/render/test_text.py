"""The plain-text twin reads well in 72 columns."""

from __future__ import annotations

import pytest

from pipeline.render.wrap import columns, pad, wrap


def test_links_are_numbered_once_and_listed_at_the_end(body):
    text = body(
        "[one](https://e.org/1), [two](https://e.org/2), [one again](https://e.org/1) <https://e.org/3>"
    ).text
    assert text == (
        "one [1], two [2], one again [1] https://e.org/3\n"
        "\n"
        "[1] https://e.org/1\n"
        "[2] https://e.org/2\n"
    )  # fmt: skip


def test_a_long_address_is_never_broken(body):
    url = "https://e.org/" + "x" * 200
    assert f"[1] {url}\n" in body(f"[a]({url})").text
    assert url in body(f"see <{url}>").text.split()


def test_no_line_is_longer_than_72_columns(body):
    text = body(
        "# "
        + "long heading " * 12
        + "\n\n"
        + "word " * 200
        + "\n\n> "
        + "said " * 100
        + "\n\n- "
        + "item " * 60
        + "\n  1. "
        + "sub " * 60
    ).text
    assert max(map(columns, text.splitlines())) <= 72


def test_lists_hang_and_nest(body):
    text = body("1. " + "word " * 20 + "\n2. b\n   - c\n   - d\n\n     e\n10. x").text
    lines = text.splitlines()
    assert lines[0].startswith("1. word")
    assert lines[1].startswith("   word")
    assert "   - c" in lines
    assert "     e" in lines


def test_a_quote_is_marked_on_every_line(body):
    assert body("> a\n>\n> b").text == "> a\n>\n> b\n"


def test_code_is_indented_and_never_wrapped(body):
    line = "x = " + "1 + " * 40 + "1"
    assert body(f"```python\n{line}\n\n  y\n```").text == f"    {line}\n\n      y\n"


def test_a_table_is_aligned_if_it_fits(body):
    assert body("| Day | mm |\n|-----|---:|\n| 月曜 | 3 |\n| Tuesday | 12 |").text == (
        "Day      mm\n"
        "-------  --\n"
        "月曜      3\n"
        "Tuesday  12\n"
    )  # fmt: skip


def test_a_wide_table_becomes_a_block_a_row(body):
    text = body("| Name | Story |\n|---|---|\n| Ann | " + "word " * 30 + "|\n| Bo | short |").text
    assert text.startswith("Name: Ann\nStory: word")
    assert "\n\nName: Bo\nStory: short\n" in text


def test_pictures_are_named_and_decorations_are_silent(body):
    assert body("![The sky](sky.png) x").text == "[Image: The sky] x\n"
    assert body('<img src="sky.png" alt="" /> x').text == "x\n"
    assert body("![The sea](missing.png) x").text == "The sea x\n"


def test_signs_keep_what_markup_meant(body):
    assert body("H<sub>2</sub>O 10<sup>6</sup> x<sup>th</sup> ~~no~~ **b** *e* `c` <q>q</q>").text == (
        "H₂O 10⁶ x^(th) ~~no~~ *b* _e_ `c` “q”\n"
    )


def test_footnotes_do_not_look_like_links(body):
    text = body("a[^1] [l](https://e.org)\n\n[^1]: The note.").text
    assert text == "a¹ l [1]\n\n--------\n\n¹ The note.\n\n[1] https://e.org\n"


def test_headings_stand_out(body):
    assert body("## One\n\n### Two\n\n#### Three\n\nx").text == "One\n===\n\nTwo\n---\n\nThree\n\nx\n"


def test_raw_html_becomes_its_text(body):
    made = body(
        "<details><summary>More</summary>\n\nHidden *x*\n\n</details>\n\n<p>a<br>b &amp; c</p>\n<ul><li>i</ul>"
    )
    assert made.text == "More\n\nHidden _x_\n\na\nb & c\n\n* i\n"


def test_nothing_to_say_is_nothing(body):
    assert body("").text == ""
    assert body("<!-- x -->").text == ""


@pytest.mark.parametrize(
    ("text", "width", "lines"),
    [
        ("日本語の文章です。次", 8, ["日本語の", "文章です。", "次"]),
        ("a bb ccc", 4, ["a bb", "ccc"]),
        ("é" * 3 + " " + "é" * 3, 4, ["ééé", "ééé"]),
        ("no\u00a0break here", 8, ["no\u00a0break", "here"]),
    ],
)
def test_wide_letters_take_two_columns(text, width, lines):
    assert wrap(text, width) == lines


def test_cells_are_filled_by_columns():
    assert pad("月", 4, "right") == "  月"
    assert pad("x", 3, "center") == " x "
