"""The reply parser, any octets; and what of a reply's words comes into a report."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.discretion import LONGEST, clean
from pipeline.mailers.smtp.replies import LONGEST_LINE, LONGEST_REPLY, NotSmtp, Replies, Reply


def read(octets: bytes, step: int | None = None) -> list[Reply]:
    replies, found = Replies(), []
    for start in range(0, len(octets), step or len(octets) or 1):
        replies.feed(octets[start : start + (step or len(octets))])
        while reply := replies.next():
            found.append(reply)
    return found


@pytest.mark.parametrize(
    ("octets", "expected"),
    [
        (b"250 Ok\r\n", [Reply(250, (b"Ok",))]),
        (b"250\r\n", [Reply(250, (b"",))]),
        (b"250 \r\n", [Reply(250, (b"",))]),
        (b"250-a\r\n250-\r\n250 c\r\n", [Reply(250, (b"a", b"", b"c"))]),
        (b"250 a\r\n354 b\r\n4", [Reply(250, (b"a",)), Reply(354, (b"b",))]),
        ("250 Grüße\r\n".encode(), [Reply(250, ("Grüße".encode(),))]),
        (b"25", []),
        (b"250 Ok", []),
        (b"250 Ok\r", []),
        (b"250-Ok\r\n", []),
        (b"", []),
    ],
)
@pytest.mark.parametrize("step", [None, 1, 3])
def test_replies_are_read_however_they_come(octets: bytes, expected: list[Reply], step: int | None) -> None:
    assert read(octets, step) == expected


@pytest.mark.parametrize(
    "octets",
    [
        b"250 Ok\n",
        b"250 O\rk\r\n",
        b"250 a\nb\r\n",
        b"\r\n",
        b"ok\r\n",
        b"25\r\n",
        b"2500 Ok\r\n",
        b"250Ok\r\n",
        b"250\tOk\r\n",
        b"150 Ok\r\n",
        b"650 Ok\r\n",
        b"260 Ok\r\n",
        b" 250 Ok\r\n",
        b"\xb2\xb5\xb0 Ok\r\n",
        "２５０ Ok\r\n".encode(),
        b"250-a\r\n251 b\r\n",
        b"250 " + b"x" * LONGEST_LINE + b"\r\n",
        b"x" * (LONGEST_LINE + 1),
        b"250-x\r\n" * (LONGEST_REPLY // 7 + 1),
    ],
    ids=lambda octets: repr(octets[:20]),
)
@pytest.mark.parametrize("step", [None, 7])
def test_what_is_no_reply_is_never_taken_for_one(octets: bytes, step: int | None) -> None:
    with pytest.raises(NotSmtp):
        read(octets, step)


def test_the_longest_that_are_allowed_are_allowed() -> None:
    line = b"250 " + b"x" * (LONGEST_LINE - 6) + b"\r\n"
    assert len(read(line)) == 1
    assert len(read(line.replace(b" ", b"-") * 15 + line)) == 1


@given(st.lists(st.binary(max_size=200) | st.sampled_from([b"250 Ok\r\n", b"250-", b"\r\n", b"\n", b"421"])))
def test_any_octets_are_replies_or_none_and_how_they_are_cut_does_not_matter(pieces: list[bytes]) -> None:
    def outcome(parts: list[bytes]) -> tuple[list[Reply], bool]:
        replies, found = Replies(), []
        try:
            for part in parts:
                replies.feed(part)
                while reply := replies.next():
                    found.append(reply)
        except NotSmtp:
            return found, True
        assert replies.held <= sum(map(len, parts))
        return found, False

    whole = b"".join(pieces)
    assert outcome(pieces) == outcome([whole]) == outcome([bytes([octet]) for octet in whole])


def test_a_flood_of_single_octets_takes_no_time() -> None:
    began = time.process_time()
    with pytest.raises(NotSmtp):
        read(b"250-\r\n" * LONGEST_REPLY, 1)
    with pytest.raises(NotSmtp):
        read(b"2" * LONGEST_REPLY, 1)
    assert time.process_time() - began < 2


@pytest.mark.parametrize(
    ("said", "left"),
    [
        (b"2.0.0 Ok: queued as 4F1B2", "2.0.0 Ok: queued as 4F1B2"),
        (b"<ana@example.com>: unknown", "[...]: unknown"),
        (b"ana@example.com unknown", "[...] unknown"),
        (b"mail for Ana is over", "mail for [...] is over"),
        (b"ana.lyst is somebody, anaconda nobody", "[...].lyst is somebody, anaconda nobody"),
        (b'"ana b"@example.com!', "[...]"),
        (b"bounce+ana=example.com@list.example", "[...]"),
        ("ana@exämple.com jörg@x".encode(), "[...] [...]"),
        (b"a\x00b\x1b[31mc\r\n", "a\ufffdb\ufffd[31mc\ufffd\ufffd"),
        (b"\xff\xfe", "\ufffd\ufffd"),
        ("\u202eevil".encode(), "\ufffdevil"),
    ],
)
def test_a_report_holds_no_address_and_no_control_character(said: bytes, left: str) -> None:
    assert clean(said, ("ana",)) == left


@given(st.binary(max_size=5000))
def test_whatever_is_said_one_short_line_is_left(said: bytes) -> None:
    words = clean(said, ("ana", "", "(["))
    assert len(words) <= LONGEST
    assert "@" not in words
    assert words.isprintable()


@pytest.mark.parametrize(
    "said", [b"@" * 60_000, b'"' * 60_000, b"<" * 60_000, b"a" * 59_999 + b"@", b'"@' * 30_000]
)
def test_nothing_that_is_said_takes_long_to_clean(said: bytes) -> None:
    began = time.process_time()
    assert "@" not in clean(said, ("a",))
    assert time.process_time() - began < 0.5
