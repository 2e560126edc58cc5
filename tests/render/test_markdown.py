"""Markdown means what CommonMark says, and every link knows its line."""

from __future__ import annotations

import time
from contextlib import suppress

import pytest

from pipeline.errors import PostError


@pytest.mark.parametrize(
    ("markdown", "html"),
    [
        ("*a* __b__ `c`", "<p><em>a</em> <strong>b</strong> <code>c</code></p>"),
        ("a*\"b\"*", "<p>a*“b”*</p>"),
        ("foo_bar_baz", "<p>foo_bar_baz</p>"),
        ("`` a ` b ``", "<p><code>a ` b</code></p>"),
        (r"\*not\*", "<p>*not*</p>"),
        ("a  \nb", "<p>a<br>\nb</p>"),
        ("a\\\nb", "<p>a<br>\nb</p>"),
        ("> a\nb", "<blockquote>\n<p>a\nb</p>\n</blockquote>"),
        ("- a\n- b", "<ul>\n<li>a</li>\n<li>b</li>\n</ul>"),
        ("- a\n\n- b", "<ul>\n<li>\n<p>a</p>\n</li>\n<li>\n<p>b</p>\n</li>\n</ul>"),
        ("3) a", '<ol start="3">\n<li>a</li>\n</ol>'),
        ("    a\n    b", "<pre><code>a\nb\n</code></pre>"),
        ("~~~\n<a>\n~~~", "<pre><code>&lt;a&gt;\n</code></pre>"),
        ("***", "<hr>"),
        ("## a ##", "<h2>a</h2>"),
        ("a\n---", "<h2>a</h2>"),
        ("&copy; &#35; &nope;", "<p>© # &amp;nope;</p>"),
        ("[a]\n\n[A]: https://e.org 't'", '<p><a href="https://e.org" title="t">a</a></p>'),
        ("[a](<https://e.org/x y>)", '<p><a href="https://e.org/x%20y">a</a></p>'),
        ("[a [b](https://e.org)](https://f.org)", '<p>[a <a href="https://e.org">b</a>](<a href="https://f.org">https://f.org</a>)</p>'),
        ("<https://e.org>", '<p><a href="https://e.org">https://e.org</a></p>'),
        ("#no heading", "<p>#no heading</p>"),
        ("***a** b*", "<p><em><strong>a</strong> b</em></p>"),
        ("~~a~~", "<p><s>a</s></p>"),
        ("1986\\. a", "<p>1986. a</p>"),
    ],
)  # fmt: skip
def test_commonmark_is_not_weakened(body, markdown, html):
    mail = body(markdown).mail.strip()
    assert " ".join(mail.split()) == " ".join(html.split())


@pytest.mark.parametrize(
    ("language", "quoted"),
    [
        ("en", "“a ‘b’ c”"),
        ("de", "„a ‚b‘ c“"),
        ("de-CH", "«a ‹b› c»"),
        ("fr", "«\u202fa “b” c\u202f»"),
        ("pt-BR", "“a ‘b’ c”"),
        ("pl", "„a ‚b’ c”"),
        ("ja", "「a 『b』 c」"),
        ("xx", "“a ‘b’ c”"),
    ],
)
def test_quotes_are_the_languages_own(body, language, quoted):
    assert body("\"a 'b' c\"", lang=language).text.strip() == quoted


def test_dashes_are_set_but_lettered_points_and_options_are_left_alone(body):
    assert body("a -- b --- c... (c) (r) cargo --locked").text.strip() == "a – b — c… (c) (r) cargo --locked"


def test_file_names_are_no_addresses(body):
    assert body("main.rs, README.md and https://e.org/x.").links[0].url == "https://e.org/x"


def test_template_syntax_is_text(body):
    made = body("{{ name }} {% if x %} {{ 7*7 }}\n\n`{{ y }}`")
    assert "{{ name }} {% if x %} {{ 7*7 }}" in made.mail
    assert "{{ y }}" in made.web


def test_comments_reach_no_reader(body):
    made = body("before <!-- a secret --> after\n\n<!--more-->\n\n<!-- another\nsecret -->\n\nend")
    for text in (made.web, made.mail, made.text):
        assert "secret" not in text
        assert "more" not in text
        assert "before" in text
        assert "end" in text


def test_tags_that_were_meant_as_text_are_shown_and_swallow_nothing(body):
    made = body("A Vec<usize> and the <form> element.\n\nThe end. <script>gone()</script> Really.")
    assert "A Vec<usize> and the <form> element." in made.text
    assert "The end.  Really." in made.mail
    assert "gone" not in made.mail + made.web + made.text


def test_links_and_images_know_their_line_wherever_they_stand(body):
    lines = [
        "[l1](https://e.org/5) and [two",
        "lines](https://e.org/5b) `code",
        "over lines` [x](https://e.org/7) https://e.org/7b",
        "<https://e.org/8> <a href='https://e.org/8b'>raw</a> ![i](https://e.org/8.png)",
        "",
        "> - [q](https://e.org/10)",
        ">   more [r](https://e.org/11)",
        "",
        "| a | [h](https://e.org/13) |",
        "|---|---|",
        "| b | [c](https://e.org/15) |",
        "",
        "<div>",
        "<p>",
        "<a href=https://e.org/19>x</a> <img src=https://e.org/19.png>",
        "</div>",
        "",
        "A[^n] and^[inline [i](https://e.org/22)]",
        "",
        "[^n]: note [n](https://e.org/24)",
        "",
        "Set [s](https://e.org/26)",
        "===",
        "a\\",
        "[b](https://e.org/29)  ",
        "[c](https://e.org/30)",
    ]
    made = body("\n".join(lines))
    wrong = [
        (found.url, found.line)
        for found in (*made.links, *made.images)
        if found.line is None or f"/{found.line}" not in found.url
    ]
    assert (len(made.links), len(made.images), wrong) == (16, 2, [])
    assert {found.path for found in made.links} == {"posts/2018-09-22-weather.md"}


def test_a_picture_without_words_is_told_from_a_decorative_one(body):
    made = body('![](sky.png) <img src="sky.png" alt=""> <img src="sky.png"> ![a](sky.png)')
    assert [image.alt for image in made.images] == [None, "", None, "a"]


HOSTILE = {
    "a line of a megabyte": "a" * 1_000_000,
    "a long line just allowed": "a" * 59_000,
    "a long line with spaces": "ab " * 19_000,
    "quotes in quotes": "> " * 5_000 + "x",
    "lists in lists": "- " * 5_000 + "x",
    "brackets": "[" * 50_000,
    "picture brackets": "![" * 8_000,
    "backticks": "`a" * 9_000,
    "stars": "*a **b " * 4_000,
    "angle brackets": "<" * 50_000,
    "unclosed tags": "<b><i x=1>" * 3_000,
    "unclosed blocks": "<div>\n\n" * 3_000,
    "custom elements": "<x-a>" * 8_000,
    "false ends": "<div></b>" * 6_000,
    "ruby": "<rt>" * 9_000,
    "tables in tables": "<table><tr><td>\n\n" * 2_000,
    "quotes": "\"a 'b' " * 3_000,
    "short lines": "a\n" * 100_000,
    "list items": "- a\n  - b\n" * 5_000,
    "headings": "# a\n" * 10_000,
    "reference definitions": "".join(f"[a{i}]: http://e.org/{i}\n" for i in range(10_000)),
    "footnotes": "".join(f"a[^{i}]\n\n[^{i}]: n\n\n" for i in range(2_500)),
    "a wide table": "|" + "a|" * 5_000 + "\n|" + "-|" * 5_000 + "\n" + "|a\n" * 5_000,
    "many links": "[a](b) " * 8_000,
    "many addresses": "http://a.b/ " * 4_900,
    "comments": "<!-- a\n" * 10_000,
    "template tags": "[x]({{ " * 5_000,
    "code": "```python\n" + "x = 1\n" * 10_000 + "```",
}


@pytest.mark.parametrize("markdown", HOSTILE.values(), ids=HOSTILE.keys())
def test_no_post_takes_longer_than_two_seconds(body, markdown):
    begin = time.process_time()
    with suppress(PostError):
        body(markdown, 120)
    assert time.process_time() - begin < 2


@pytest.mark.parametrize(
    ("markdown", "line"),
    [
        ("ok\n\n" + "> " * 60 + "x", 7),
        ("ok\n\n" + "b" * 70_000, 7),
        ("ok\n\n" + "<div>" * 100, 7),
        ("ok\n\n<div>\n" + "<div>\n" * 100, 7 + 80),
    ],
)
def test_what_cannot_be_read_in_time_is_refused_with_its_line(body, markdown, line):
    with pytest.raises(PostError) as caught:
        body(markdown)
    assert str(caught.value).startswith(f"posts/2018-09-22-weather.md:{line}: ")
