"""What an author wrote above a post arrives, under every name it is known by."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pipeline.errors import PostError
from pipeline.model import Severity

HEADS = {
    "yaml": """---
title: "Snow, and the Monday headache"
date: 2026-01-31 08:00
authors: [Ana Ruiz, Ben Ode]
author_title: MD
categories: [Triggers, Weather]
summary: Snow hurts.
tags: [snow, cold]
lastmod: 2026-02-01
expiryDate: 2026-03-01
image: snow.png
image_alt: A white street
lang: en-GB
featured: true
newsletter: false
slug: snow-day
mood: blue
---
Body.
""",
    "toml": """+++
title = "Snow, and the Monday headache"
date = 2026-01-31T08:00:00
authors = ["Ana Ruiz", "Ben Ode"]
updated = 2026-02-01
slug = "snow-day"
description = "Snow hurts."
[taxonomies]
categories = ["Triggers", "Weather"]
tags = ["snow", "cold"]
[extra]
author_title = "MD"
expiryDate = 2026-03-01
image = "snow.png"
image_alt = "A white street"
lang = "en-GB"
featured = true
newsletter = false
mood = "blue"
+++

Body.
""",
    "pelican": """Title: Snow, and the Monday headache
Date: 2026-01-31 08:00
Authors: Ana Ruiz, Ben Ode
Author_Title: MD
Category: Triggers
Summary: Snow
    hurts.
Tags: snow, cold
Modified: 2026-02-01
ExpiryDate: 2026-03-01
Image: snow.png
Image_Alt: A white street
Lang: en-GB
Featured: yes
Newsletter: no
Slug: snow-day
Mood: blue

Body.
""",
}


@pytest.mark.parametrize("kind", HEADS)
def test_the_three_kinds_of_head_say_the_same(kind, parse) -> None:
    post = parse(HEADS[kind])
    assert post.title == "Snow, and the Monday headache"
    assert post.published == datetime(2026, 1, 31, 8, tzinfo=UTC)
    assert post.updated == datetime(2026, 2, 1, tzinfo=UTC)
    assert post.expires == datetime(2026, 3, 1, 23, 59, 59, tzinfo=UTC)
    assert (post.authors, post.author_title) == (("Ana Ruiz", "Ben Ode"), "MD")
    assert (post.category, post.tags) == ("Triggers", ("snow", "cold"))
    assert (post.excerpt, post.excerpt_given) == ("Snow hurts.", True)
    assert (post.image, post.image_alt, post.lang) == ("snow.png", "A white street", "en-GB")
    assert (post.featured, post.in_newsletter, post.draft) == (True, False, False)
    assert (post.id, post.slug, post.slug_given) == ("snow-day", "snow-day", True)
    assert {key.lower(): value for key, value in post.extra.items()} == {"mood": "blue"}
    assert HEADS[kind].split("\n")[post.body_line - 1] == "Body."
    assert post.findings == ()


ALIASES = [
    *((f"{key}: 2026-01-31", "published", datetime(2026, 1, 31, tzinfo=UTC))
      for key in ("date", "publishDate", "publish_date", "published_date", "pubdate", "Date")),
    *((f"{key}: 2026-02-01", "updated", datetime(2026, 2, 1, tzinfo=UTC))
      for key in ("lastmod", "modified", "updated")),
    ("author: Ana Ruiz, MD", "authors", ("Ana Ruiz, MD",)),
    ("authors: Ana, Ben", "authors", ("Ana", "Ben")),
    ("authors: Ruiz, Ana; Ode, Ben", "authors", ("Ruiz, Ana", "Ode, Ben")),
    ("authors: [{name: Ana}, Ben]", "authors", ("Ana", "Ben")),
    ("category: Triggers", "category", "Triggers"),
    ("categories: [Triggers, Weather]", "category", "Triggers"),
    ("categories: Triggers, Weather", "category", "Triggers"),
    *((f"{key}: Cold hurts.", "excerpt", "Cold hurts.") for key in ("excerpt", "summary", "description")),
    ("slug: Kept.Name", "slug", "kept-name"),
    ("permalink: /2026/01/31/kept/", "slug", "kept"),
    ("url: https://e.example/a/kept.html", "slug", "kept"),
    ("path: 2026/01/31/Rust-1.96.0", "slug", "rust-1-96-0"),
    ("canonical_url: https://e.example/2026/kept/index.html?x=1#y", "slug", "kept"),
    ("permalink: '/:year/:title/'", "slug", "snow"),
    ("slug: ../../etc/passwd", "slug", "passwd"),
    ("tags: a, b", "tags", ("a", "b")),
    ("tags: [a, b, a]", "tags", ("a", "b")),
    ("draft: true", "draft", True),
    ("draft: yes", "draft", True),
    ("published: false", "draft", True),
    ("published: true", "draft", False),
    ("status: draft", "draft", True),
    ("status: published", "draft", False),
    ("draft: false\npublished: false", "draft", False),
    ("date: 2026-01-31\npubdate: 2020-01-01", "published", datetime(2026, 1, 31, tzinfo=UTC)),
    ("published: 2026-01-31", "published", datetime(2026, 1, 31, tzinfo=UTC)),
    ("image: a.png", "image", "a.png"),
    ("cover: a.png", "image", "a.png"),
    ("cover: {image: a.png, alt: A}", "image_alt", "A"),
    ("feature_image: a.png", "image", "a.png"),
    ("lang: pt_BR", "lang", "pt-BR"),
    ("newsletter: false", "in_newsletter", False),
    ("featured: on", "featured", True),
    ("id: 0123", "id", "0123"),
    ("id: NO", "id", "NO"),
]  # fmt: skip


@pytest.mark.parametrize(("line", "field", "value"), ALIASES, ids=[line for line, _, _ in ALIASES])
def test_every_name_of_a_key_is_read(line, field, value, parse) -> None:
    dated = "date" in line.lower() or "published: 2" in line
    post = parse(f"---\ntitle: Snow\n{'' if dated and field == 'published' else 'date: 2026-01-31'}\n{line}\n---\nx"
                 if line.split(":")[0] != "date" else f"---\ntitle: Snow\n{line}\n---\nx")  # fmt: skip
    assert getattr(post, field) == value


@pytest.mark.parametrize(
    ("name", "head", "slug", "day", "category", "draft"),
    [
        ("2026-01-31-deep-snow.md", "", "deep-snow", 31, "", False),
        ("2026-01-31-sc\u0327a.md", "", "sca", 31, "", False),
        ("2026-01-31.md", "", "2026-01-31", 31, "", False),
        ("cluster-headaches/2026-01-30-snow.md", "", "snow", 30, "Cluster headaches", False),
        ("cluster-headaches/2026/01/snow.md", "date: 2026-01-29", "snow", 29, "Cluster headaches", False),
        ("2026/01/28/snow.md", "", "snow", 28, "", False),
        ("triggers/2026-01-27-deep-snow/index.md", "", "deep-snow", 27, "Triggers", False),
        ("_posts/2026-01-26-snow.markdown", "", "snow", 26, "", False),
        ("drafts/snow.md", "date: 2026-01-25", "snow", 25, "", True),
        ("snow.md", "path: 2026/01/24/deep", "deep", 24, "", False),
        ("snow.md", "url: https://e.example/2026/1/9/deep", "deep", 9, "", False),
        ("2026-01-01-snow.md", "date: 2026-01-23", "snow", 23, "", False),
    ],
)
def test_a_file_s_place_says_what_its_head_leaves_out(name, head, slug, day, category, draft, parse) -> None:
    post = parse(f"---\ntitle: T\n{head}\n---\nx", name)
    assert (post.slug, post.published.day, post.category, post.draft) == (slug, day, category, draft)


def test_pelican_makes_the_address_of_the_title(parse) -> None:
    post = parse("Title: This Week, 655\nDate: 2026-06-10\n\nx", "2026-06-10-week.md")
    assert (post.slug, post.slug_given) == ("this-week-655", False)


def test_an_unfinished_draft_needs_neither_title_nor_date(parse) -> None:
    assert parse("---\ntags: a\n---\nx", "_drafts/deep-snow.md").title == "Deep snow"


def test_without_front_matter_the_heading_is_the_title_and_is_not_shown_twice(parse) -> None:
    post = parse("\n# Deep `snow`\n\n\nIt fell.", "2026-01-31-snow.md")
    assert (post.title, post.body_line, post.excerpt) == ("Deep snow", 5, "It fell.")
    assert parse("Deep snow\n=====\nIt fell.", "2026-01-31-snow.md").title == "Deep snow"


def test_a_readme_is_about_the_folder_unless_it_has_a_head(parse) -> None:
    assert parse("# How to write posts", "README.md") is None
    assert parse("---\ntitle: T\ndate: 2026-01-31\n---\n", "README.md").slug == "readme"


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        (
            "---\ntitle: S\ndate: tomorow\n---\n",
            3,
            'date is "tomorow". Write a date like 2026-01-31 or 2026-01-31 08:00.',
        ),
        ("---\ntitle: S\npubdate: 01/02/2026\n---\n", 3, "either way round"),
        ("---\ntitle: S\n---\n", 1, "date is missing"),
        ("---\ndate: 2026-01-31\n---\n", 1, "title is missing"),
        ("---\ndate: 2026-01-31\ntitle: ~\n---\n", 1, "title is missing"),
        ("Just text.", 1, "title is missing"),
        ("---\ndate: 2026-01-31\ntitle:\n  - a\n---\n", 3, "title is a list"),
        ("---\ntitle: S\ndate: 2026-01-31\ndraft: mabye\n---\n", 4, 'draft is "mabye". Write true or false.'),
        ("---\ntitle: S\ndate: 2026-01-31\nstatus: wip\n---\n", 4, "Write draft or published"),
        ("---\ntitle: S\ndate: 2026-01-31\nlang: e\n---\n", 4, "language tag"),
        ("---\ntitle: S\ndate: 2026-01-31\nslug: ...\n---\n", 4, "holds no letter or digit"),
        ("---\ntitle: S\ntitle: T\n---\n", 3, "`title` is given twice, first in line 2"),
        ("---\ntitle: S\nTitle: T\n---\n", 3, "`Title` is given twice, first in line 2"),
        ("---\ntitle: a: b\n---\n", 2, "must stand in quotes"),
        ("---\nx: 1\n\ntitle: 'a\ndate: b\n---\n", 4, "never closed"),
        ("---\nx: 1\ntitle: [a\n---\n", 3, "never closed"),
        ("---\nx: 1\n\ttitle: a\n---\n", 3, "not with tabs"),
        ("---\nx: 1\ntitle\ny: 1\n---\n", 3, "key: value"),
        ("---\nx: 1\ntitle: @a\n---\n", 3, "in quotes"),
        ("---\nx: 1\ntitle: !!python/object:os.system ls\n---\n", 3, "tags"),
        ("---\n{}\n---\n", 2, "empty"),
        ("---\n---\n", 2, "empty"),
        ("---\n- a\n---\n", 2, "not a list of `key: value`"),
        ("---\nnull\n---\n", 2, "not a list of `key: value`"),
        ("---\na: 1\n--- \n- b\n", 1, "missing"),
        ("\n\n---\ntitle: S\n", 3, "has no end"),
        ("+++\ntitle = 1\nx = \n+++\n", 3, "not valid TOML"),
        ("+++\ntitle = 1\ntitle = 2\n+++\n", 3, "not valid TOML"),
        ("+++\ntitle = [\n1,\n+++\n", 3, "not valid TOML"),
        ("+++\ntitle = 'x'\ndate = 09:00:00\n+++\n", 3, "date is"),
        ("Title: x\nDate: 2026-01-31\nno key\n\nx", 3, "End the front matter with a blank line"),
        ("Title: x\ntitle: y\n\nx", 2, "given twice"),
        ("---\ntitle: " + "x" * 600 + "\n---", 2, "at most 500"),
        (b"---\r\ntitle: S\r\ndate: \xff\r\n---", 3, "not valid UTF-8"),
        (b"\xef\xbb\xbf---\ntitle: S\n---\nx\x00y", 4, "NUL"),
    ],
)
def test_an_error_names_the_file_and_the_exact_line(text, line, says, parse) -> None:
    with pytest.raises(PostError) as fault:
        parse(text)
    assert says in fault.value.message
    assert (fault.value.path, fault.value.line) == ("posts/snow.md", line)
    assert str(fault.value).startswith(f"posts/snow.md:{line}: ")


@pytest.mark.parametrize(
    "text",
    [
        "---\ntitle: S\ndate: 2026-01-31\n---\nBody\n".encode("utf-16"),
        b"\xef\xbb\xbf---\r\ntitle: S\r\ndate: 2026-01-31\r\n---\r\nBody\r\n",
        b"---\rtitle: S\rdate: 2026-01-31\r---\rBody\r",
        b"\n\n---  \ntitle: S\ndate: 2026-01-31\n...\nBody\n",
    ],
)
def test_every_usual_encoding_and_line_end_is_read(text, parse) -> None:
    post = parse(text)
    assert (post.title, post.published.day) == ("S", 31)
    assert post.fingerprint == parse("---\ntitle: S\ndate: 2026-01-31\n---\nBody").fingerprint


def test_a_near_miss_is_a_finding_with_its_line(parse) -> None:
    post = parse(
        "---\ntitle: S\ndate: 2026-01-31\ncatgory: Weather\nautor: Ana\nmath: true\nimages: x\nexcerpt: x\n---\n"
    )
    assert [(note.id, note.severity, note.message, note.path, note.line) for note in post.findings] == [
        ("front-matter-key", Severity.WARNING, "`catgory`: did you mean `category`?", "posts/snow.md", 4),
        ("front-matter-key", Severity.WARNING, "`autor`: did you mean `author`?", "posts/snow.md", 5),
    ]
    assert post.extra == {"catgory": "Weather", "autor": "Ana", "math": True, "images": "x"}


@pytest.mark.parametrize("key", ["title", "author", "category", "author_title", "image_alt"])
def test_a_person_s_text_is_one_line_without_controls(key, parse) -> None:
    hostile = '"=?utf-8?q?x=0ABcc:_evil=40e.test?=\\r\\nBcc: a@e.test\\u0007\\u2028x"'
    post = parse(
        f"---\ntitle: S\ndate: 2026-01-31\n{key}: {hostile}\n---".replace("title: S\n", "", key == "title")
    )
    value = {"author": "authors"}.get(key, key)
    text = getattr(post, value)
    assert (text[0] if key == "author" else text) == "=?utf-8?q?x=0ABcc:_evil=40e.test?= Bcc: a@e.test x"
