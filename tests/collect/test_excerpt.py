"""A card says one sentence, in plain text."""

from __future__ import annotations

import pytest

from pipeline.collect import excerpt


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("Snow fell. It hurt.", "Snow fell."),
        ("# Heading\n\nSnow\nfell! It hurt.", "Snow fell!"),
        ("# Heading\nSnow fell. It hurt.", "Snow fell."),
        ("Heading\n---\nSnow fell. It hurt.", "Snow fell."),
        ("Heading\n=====\n\nSnow fell. It hurt.", "Snow fell."),
        ("<!-- Not. This. -->\n\n![pic](a.png)\n\n| a | b |\n|---|---|\n\n- item\n\nSnow fell.", "Snow fell."),
        ("```\ncode. Here.\n\nMore.\n```\n\n    indented. Too.\n\nSnow fell.", "Snow fell."),
        ("<div class='x'>\nhey.\n</div>\n\nSnow fell. It hurt.", "Snow fell."),
        ("<p>Snow <em>fell</em>. It hurt.</p>", "Snow fell."),
        ("{{< figure src=a.png >}}\n\nSnow fell. So.", "Snow fell."),
        ("[ref]: https://e.example\n\nSnow fell. So.", "Snow fell."),
        ("***\n\nSnow fell. So.", "Snow fell."),
        ("> Quoted. Twice.\n\nSnow fell. So.", "Snow fell."),
        ("> Quoted. Twice.", "Quoted."),
        ("- Snow fell. So.\n- Rain.", "Snow fell."),
        ("Dr. A. Amorim of the U.S. army, e.g. in v. 1.96.0, wrote. So.",
         "Dr. A. Amorim of the U.S. army, e.g. in v. 1.96.0, wrote."),
        ("We ship 1.96.0. Rust is fine.", "We ship 1.96.0."),
        ("It snows in the U.S. The end.", "It snows in the U.S."),
        ("“Why?” she asked. So.", "“Why?” she asked."),
        ("Is it 3.5 °C? Yes.", "Is it 3.5 °C?"),
        ("雪が降った。痛かった。", "雪が降った。"),
        ("A **bold** _move_ with [a `link_x`](u_(v)), `co*de*` & snake_case. So.",
         "A bold move with a link_x, co*de* & snake_case."),
        ("2 * 3 \\*s\\* &amp; <b>tags</b>[^1] ![i](x) too. So.", "2 * 3 *s* & tags too."),
        ("You can [get `rustup`][rustup] from <https://e.example/a.b>. So.", "You can get rustup from https://e.example/a.b."),
        ("No stop at all", "No stop at all"),
        ("", ""),
        ("![only](picture.png)", ""),
    ],
)  # fmt: skip
def test_the_first_sentence_of_a_body(body, says) -> None:
    assert excerpt.first_sentence(excerpt.prose(body)) == says


def test_a_long_sentence_is_cut_at_a_word() -> None:
    found = excerpt.first_sentence("snowing " * 100)
    assert len(found) <= 301
    assert found.endswith("snowing…")


def test_the_text_before_more_is_the_excerpt(parse) -> None:
    post = parse(
        "---\ntitle: S\ndate: 2026-01-31\n---\n# Head\n\nSnow *fell*. It hurt.\n\n<!-- more -->\n\nRest."
    )
    assert (post.excerpt, post.excerpt_given) == ("Snow fell. It hurt.", True)


def test_a_derived_excerpt_is_noted(parse) -> None:
    post = parse("---\ntitle: S\ndate: 2026-01-31\n---\n\nSnow fell. It hurt.")
    assert (post.excerpt, post.excerpt_given) == ("Snow fell.", False)
    assert [(note.id, note.severity, note.line) for note in post.findings] == [("excerpt-derived", "note", 6)]


def test_references_are_what_the_body_points_to_inside_the_folder() -> None:
    body = """[a](other.md) ![b](<img/b c.png> "t") [c]: no
[d](https://e.example) [e](#frag) [f](mailto:a@e.test) [g](//e.example/x) [h](/root.png)
[r]: ref.md "title"
[^1]: Note
<img src="i.png"> <a href='j(1).md'>j</a> <a href=k.md>k</a> [q](https://e.example/?src=no) [l](w_(x).md) [a](other.md)
<!-- [m](gone.md) -->
```
[n](code.md)
```
{{< x >}} [o]({{ y }})
"""
    assert excerpt.references(excerpt.prose(body)) == (
        "other.md", "img/b c.png", "/root.png", "ref.md", "i.png", "j(1).md", "k.md", "w_(x).md",
    )  # fmt: skip


def test_words_are_counted_without_code_and_comments() -> None:
    assert excerpt.words(excerpt.prose("one two <!-- three -->\n~~~\nfour\n~~~\nfive")) == 3
    assert excerpt.words("雪が降った") == 3
