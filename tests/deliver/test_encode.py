"""Quoted-printable and encoded-words, read back by other people's decoders."""

from __future__ import annotations

import quopri
import re
from email.header import decode_header, make_header

from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.deliver.encode import SOFT_BREAK, encoded_words, one_line, quoted_printable, writable

ANY_TEXT = st.text(st.characters(codec=None, categories=None), max_size=400)
LINES = re.compile(r"(?:[\t -~]{0,75}(?:=\r\n|\r\n))*[\t -~]{0,75}")


def levelled(text: str) -> str:
    return re.sub(r"\r\n|\r|\n", "\r\n", writable(text))


@given(
    st.one_of(
        ANY_TEXT,
        st.text("=. \t\r\nFrom é—日😀x", max_size=300),
        st.integers(70, 80).map(lambda n: "é" + "." * n),
    )
)
@example("." * 500)
@example("From " * 100)
@example(" \t" * 100)
@example("=" * 26 + "F" + "From here")
@example("x" * 75 + ".")
@example("x" * 75 + "From me")
def test_any_text_comes_back_and_no_relay_has_a_reason_to_touch_a_line(text: str) -> None:
    encoded = quoted_printable(text)
    assert LINES.fullmatch(encoded), encoded
    for line in encoded.split("\r\n"):
        assert not line.startswith((".", "From "))
        assert not line.endswith((" ", "\t"))
    assert quopri.decodestring(encoded.encode()).decode() == levelled(text)


@given(st.lists(st.one_of(ANY_TEXT, st.text("=. From\r\né", max_size=80)), max_size=5))
def test_pieces_stand_beside_each_other(pieces: list[str]) -> None:
    encoded = SOFT_BREAK.join(map(quoted_printable, pieces))
    assert quopri.decodestring(encoded.encode()).decode() == "".join(map(levelled, pieces))


def test_a_line_of_a_megabyte_is_no_trouble() -> None:
    text = "wörd" * 250_000
    assert max(map(len, quoted_printable(text).split("\r\n"))) == 76
    assert quopri.decodestring(quoted_printable(text).encode()).decode() == text


@given(ANY_TEXT.map(one_line).filter(bool), st.integers(40, 75))
@example("=?utf-8?q?x=0ABcc:_evil=40e.test?=", 60)
@example("日本語" * 60, 50)
@example("👩‍👩‍👧‍👦" * 20, 75)
def test_encoded_words_are_short_whole_and_come_back(text: str, first: int) -> None:
    words = encoded_words(text, first)
    assert len(words[0]) <= first
    for word in words:
        assert re.fullmatch(r"=\?utf-8\?[qb]\?[A-Za-z0-9!*+/_=-]+\?=", word)
        assert len(word) <= 75
        str(make_header(decode_header(word)))  # whole characters, or this cannot be decoded
    assert str(make_header(decode_header("\r\n ".join(words)))) == text


@given(ANY_TEXT)
def test_one_line_is_one_line_and_stays_what_it_is(text: str) -> None:
    line = one_line(text)
    assert len(line.splitlines()) <= 1
    assert not re.search("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", line)
    assert "  " not in line
    assert line == line.strip(" ") == one_line(line)


def test_what_people_write_is_kept() -> None:
    for text in ("Bonjour\u00a0!", "نشرة \u200fالصداع", "👨‍👩‍👧 news", "क्षि", "Ünïcode — “quotes”"):
        assert one_line(text) == text
