"""No front matter, however it is made, does more than be read or refused, and soon."""

from __future__ import annotations

import time
import unicodedata
from datetime import UTC
from pathlib import PurePosixPath

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.collect.fields import post_of
from pipeline.errors import PostError

BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{name}: &{name} [{','.join(f'*{before}' for _ in range(9))}]\n"
    for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)
GOOD = "title: S\ndate: 2026-01-31\n"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (f"---\n{GOOD}{BOMB}---\n", 4),
        (f"---\n{GOOD}x: *y\n---\n", 4),
        (f"---\n{GOOD}x: {'[' * 30_000}\n---\n", 4),
        (f"---\n{GOOD}x: {'{a: ' * 15_000}\n---\n", 4),
        (f"---\n{GOOD}" + "".join(f"{' ' * i}a:\n" for i in range(300)) + "---\n", None),
        ("---\n" + "? " * 30_000 + "\n---\n", 2),
        (f"---\n{GOOD}x: {'y' * 1_000_000}\n---\n", 2),
        ("---\n" + "x" * 4_000_000, 1),
        (f"+++\nx = {'[' * 30_000}\n+++\n", 2),
        (f"+++\n{'.'.join('a' * 30_000)} = 1\n+++\n", 2),
        (f"+++\nx = {'1' * 60_000}\n+++\n", 2),
        (f"Title: {'x' * 1_000_000}\n\n", 1),
        (f"---\n{GOOD}\0\n---\n", 4),
        ("x" * 5_000_001, None),
    ],
    ids=lambda value: str(value)[:24].replace("\n", " "),
)
def test_a_bomb_is_refused_at_its_line_at_once(text, line, parse) -> None:
    start = time.process_time()
    with pytest.raises(PostError) as fault:
        parse(text)
    assert time.process_time() - start < 2
    assert line is None or fault.value.line == line


@pytest.mark.parametrize(
    "body",
    [
        "x" * 1_000_000, "x " * 500_000, "`" * 1_000_000, "` `` " * 200_000, "*" * 1_000_000, "*a **b " * 100_000,
        "[" * 1_000_000, "![](" * 250_000, "](<" * 300_000, "](" * 400_000, "<!--" * 250_000, "{{" * 500_000,
        "~~~a\n" * 200_000, "```\n" * 250_000, "src=" * 250_000, "\n\n![x](y)" * 100_000, "- \n" * 300_000,
        "-" * 1_000_000 + "x", "\n" * 1_000_000, " \n" * 500_000, "> " * 500_000, "|" * 1_000_000, "# \n" * 300_000,
        "[a]: \n" * 150_000, "&amp" * 250_000, "\\" * 1_000_000, "_a" * 500_000, "a.b. C" * 150_000, "!?" * 500_000,
        "\n[" * 500_000, "<a " * 300_000, "\n\n_a _a*_a*_" * 80_000,
    ],
    ids=lambda body: repr(body[:8]),
)  # fmt: skip
def test_no_body_holds_the_collecting_up(body, parse) -> None:
    start = time.process_time()
    assert len(parse(f"---\n{GOOD}---\n{body}").excerpt) <= 301
    assert time.process_time() - start < 2


PIECES = st.sampled_from(
    [
        "---\n", "+++\n", "title: ", "Title: ", "date: ", "2026-01-31", "\n", " ", "[", "]", "{", "}", "&a ", "*a",
        "!!int ", "'", '"', "|\n", ">\n", "- ", "? ", "# ", ": ", "=", "[extra]\n", "a.b = ", "\ufeff", "\r", "\x07",
        "\x85", "e\u0301", "status: ", "path: /2026/1/2/x", "<!--more-->", "```",
    ]
)  # fmt: skip


@settings(max_examples=300, deadline=2000)
@given(
    st.one_of(st.lists(PIECES, max_size=40).map("".join), st.text(max_size=200)),
    st.sampled_from(["---\n", "+++\n", ""]),
)
def test_anything_at_all_is_a_post_or_an_error_with_its_place(text, fence) -> None:
    _post_or_error((fence + text + ("\n" + fence if fence else "")).encode("utf-8", "surrogatepass"))


@settings(max_examples=150, deadline=2000)
@given(st.binary(max_size=200))
def test_any_bytes_are_a_post_or_an_error_with_its_place(data) -> None:
    _post_or_error(data)


def _post_or_error(data: bytes) -> None:
    path = "posts/2026-01-31-x.md"
    try:
        post = post_of(data, PurePosixPath("2026-01-31-x.md"), path, UTC)
    except PostError as error:
        fault, post = error, None
    if post is None:
        assert fault.path == path
        assert fault.line is None or 1 <= fault.line <= data.count(b"\n") + data.count(b"\r") + 2
        return
    assert post.title
    assert not any(unicodedata.category(c) == "Cc" for c in post.title)
    assert post.slug not in ("", ".", "..")
    assert "/" not in post.slug
