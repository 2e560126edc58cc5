"""Header lines that a stranger's parser reads as they were meant, whatever people type."""

from __future__ import annotations

import re
from datetime import datetime
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from support.sending import NASTY

from pipeline.deliver import headers
from pipeline.deliver.encode import one_line
from pipeline.errors import AudienceError, NewsletterError

ANY_TEXT = st.one_of(
    st.text(st.characters(codec=None, categories=None), max_size=200),
    st.text('=?utf-8qb_\r\n :,;<>@"\\()Bcc\u202e日é', max_size=120),
)


def read(line: str) -> dict[str, str]:
    message = message_from_bytes(line.encode() + b"\r\n\r\n", policy=policy.default)
    assert not message.defects
    for value in message.values():
        assert not value.defects, value.defects
    return {name: str(value) for name, value in message.items()}


def decoded(phrase: str) -> str:
    if "=?" in phrase:
        return str(make_header(decode_header(phrase.strip())))
    unfolded = phrase.replace("\r\n", "").strip()
    return re.sub(r"\\(.)", r"\1", unfolded[1:-1]) if unfolded.startswith('"') else unfolded


@given(ANY_TEXT.filter(one_line))
@example(NASTY)
@example("word " * 60)
@example("x" * 500)
@example("=?utf-8?q?x=0ABcc:_evil=40e.test?=")
@example("a =?utf-8?b?" + "QQ" * 40 + "?= b")
def test_a_subject_is_shown_as_it_is_and_is_nothing_else(text: str) -> None:
    value = headers.unstructured("Subject", text)
    lines = f"Subject:{value}".split("\r\n")
    assert all(len(line) <= 78 and line.isascii() and line.strip() for line in lines)
    assert all(line.startswith(" ") for line in lines[1:])
    assert read(f"Subject:{value}") == {"Subject": one_line(text)}


@given(ANY_TEXT)
@example(NASTY)
@example("A, b@e.test")
@example('Ana "the reader" \\ Müller')
@example("Dr. Ana B. Smith")
@example("x" * 90)
def test_a_name_is_one_name_of_one_address(name: str) -> None:
    value = headers.mailbox("To", name, "ana@example.com")
    assert all(len(line) <= 78 and line.isascii() and line.strip() for line in f"To:{value}".split("\r\n"))
    message = message_from_bytes(f"To:{value}\r\n\r\n".encode(), policy=policy.default)
    assert message.keys() == ["To"]
    to = message["To"]
    assert [a.addr_spec for a in to.addresses] == ["ana@example.com"]
    assert decoded(value.removesuffix("<ana@example.com>").removesuffix("ana@example.com")) == one_line(name)
    if value.count("=?") <= 1:  # CPython shows the space between two encoded-words of a name (RFC 2047, 6.2)
        assert to.addresses[0].display_name == one_line(name)


@pytest.mark.parametrize("text", ["=?utf-8?q?x?=", "=?utf-8?q?x?=, y", "A =?us-ascii?q?x=0ABcc:?= b", "=?"])
def test_what_looks_encoded_is_shown_as_it_was_typed(text: str) -> None:
    for value in (headers.unstructured("Subject", text), headers.mailbox("To", text, "ana@example.com")):
        assert re.fullmatch(r"(?:\r\n)? =\?utf-8\?[qb]\?[^?]+\?=(?: <ana@example.com>)?", value)
        assert decoded(value.removesuffix(" <ana@example.com>")) == text


def test_encoded_words_of_a_long_name_are_on_lines_of_their_own() -> None:
    value = headers.mailbox("To", "日本語の名前" * 12, "ana@example.com")
    assert all(line.count("=?") <= 1 for line in value.split("\r\n"))
    assert value.count("=?") > 2


@pytest.mark.parametrize(
    ("email", "written"),
    [
        ("ana@example.com", "ana@example.com"),
        ("o'neil+news@mail.example.com", "o'neil+news@mail.example.com"),
        ("ana@straße.example", "ana@xn--strae-oqa.example"),
        ("ana@例え.テスト", "ana@xn--r8jz45g.xn--zckzah"),
        ("añá@example.com", "añá@example.com"),
        ("a,b@example.com", '"a,b"@example.com'),
        ("ana@[192.0.2.1]", "ana@[192.0.2.1]"),
        ("a" * 64 + "@example.com", "a" * 64 + "@example.com"),
    ],
)
def test_an_address_is_written_for_the_wire(email: str, written: str) -> None:
    assert headers.address(email) == written


@pytest.mark.parametrize(
    "email",
    [
        "",
        "ana",
        "@example.com",
        "ana@",
        "ana@exa mple.com",
        "ana @example.com",
        "ana@example.com, eve@example.com",
        "ana@example.com>\r\nRCPT TO:<eve@example.com",
        "ana@example.com\r\nBcc: eve@example.com",
        "ana\x00@example.com",
        '"ana"@example.com',
        "a\u202ena@example.com",
        "ana@\u202eexample.com",
        "ana@-example.com",
        "ana@example..com",
        "a" * 65 + "@example.com",
        "ana@" + "x." * 127 + "com",
        "<ana@example.com>",
        "\ud800@example.com",
    ],
)
def test_an_address_that_could_be_more_than_one_is_refused_without_naming_it(email: str) -> None:
    if email == "<ana@example.com>":
        with pytest.raises(AudienceError):
            headers.address(email)
        return
    with pytest.raises(AudienceError) as told:
        headers.address(email)
    assert "ana" not in str(told.value)


def test_a_date_says_its_own_offset() -> None:
    summer = datetime(2026, 7, 5, 9, 0, tzinfo=ZoneInfo("America/New_York"))
    winter = datetime(2026, 11, 22, 9, 0, tzinfo=ZoneInfo("Asia/Kathmandu"))
    assert headers.date(summer) == " Sun, 05 Jul 2026 09:00:00 -0400"
    assert headers.date(winter) == " Sun, 22 Nov 2026 09:00:00 +0545"
    assert headers.date(winter.astimezone(ZoneInfo("UTC"))).endswith(" +0000")


@pytest.mark.parametrize(
    ("url", "written"),
    [
        ("https://letter.example.org", "https://letter.example.org"),
        ("https://bücher.example/größe?x=ü y", "https://xn--bcher-kva.example/gr%C3%B6%C3%9Fe?x=%C3%BC%20y"),
        ("https://e.test:8443/a>,<b\r\nBcc: x", "https://e.test:8443/a%3E,%3Cb%20Bcc:%20x"),
        ("http://[::1]:8000/x", "http://[::1]:8000/x"),
    ],
)
def test_an_address_on_the_web_has_only_letters_that_a_header_can_hold(url: str, written: str) -> None:
    assert headers.uri(url) == written


@pytest.mark.parametrize(
    "block",
    [
        b"",
        b"\r\n\r\n",
        b"From: a\nTo: b\r\n\r\n",
        b"From: a\r\nTo b\r\n\r\n",
        b"From : a\r\n\r\n",
        b"From: a\r\n \r\n\r\n",
        b"From: a\rb\r\n\r\n",
        b"From: a\0b\r\n\r\n",
        b"From: a\r\n\tb\r\n\r\n",
        b"From:\r\n\r\n",
        b"Subject: " + b"x" * 990 + b"\r\n\r\n",
        b"From: never ends",
    ],
)
def test_a_header_block_that_could_be_read_in_two_ways_is_not_read_at_all(block: bytes) -> None:
    with pytest.raises(NewsletterError):
        headers.read_block(block)


def test_a_header_block_is_read_back_as_it_was_set() -> None:
    block = b"From: a\r\nSubject: b\r\n c\r\nList-Unsubscribe:\r\n <https://e.test/x>\r\n\r\nBcc: in the body\r\n\r\n"
    assert headers.read_block(block) == [
        ("From", " a"),
        ("Subject", " b\r\n c"),
        ("List-Unsubscribe", "\r\n <https://e.test/x>"),
    ]


def sample_block(**changes: bytes | None) -> bytes:
    values: dict[str, bytes | None] = dict.fromkeys(headers.NAMES, b" x")
    values.update({name.replace("_", "-"): value for name, value in changes.items()})
    return (
        b"".join(n.encode() + b":" + v + b"\r\n" for n, v in values.items() if v is not None)
        + b"\r\nbody\r\n"
    )


def test_a_message_has_every_header_once_and_in_order() -> None:
    headers.demand_exact(sample_block())
    headers.demand_exact(sample_block(Reply_To=None))
    swapped = re.sub(rb"(From: x\r\n)(To: x\r\n)", rb"\2\1", sample_block())
    for wrong in (
        swapped,
        sample_block(To=b" x\r\nBcc: y"),
        sample_block(To=b" x\nBcc: y"),
        sample_block(To=b" x\r y"),
        sample_block(To=b""),
        sample_block(To=b" x\r\n\r\nbody"),
        sample_block(Date=None),
        sample_block(Subject=b" x\r\nSubject: y"),
        b"X-First: y\r\n" + sample_block(),
    ):
        with pytest.raises(NewsletterError):
            headers.demand_exact(wrong)


def test_a_long_name_reads_the_same_to_readers_that_show_a_space_between_encoded_words() -> None:
    name = "Maximiliane Gräfin von Österreich-Świętokrzyska"
    head = "To:" + headers.mailbox("To", name, "max@example.com") + "\r\n\r\n"
    assert "Maximiliane =?utf-8?" in head
    read = message_from_bytes(head.encode(), policy=policy.default)["To"]
    assert read.addresses[0].display_name == name
