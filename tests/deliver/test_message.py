"""One reader's message, as two strangers' parsers see it."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from datetime import date
from email import message_from_bytes, policy

import pytest
from hypothesis import example, given
from hypothesis import settings as effort
from hypothesis import strategies as st
from support.messages import by_a_stranger, by_python, demand_a_sound_message
from support.sending import HTML, MARKS, NASTY, NOW, TEXT, SomeTokens, carried, delivery, rendered, settings

from pipeline.deliver.encode import one_line
from pipeline.deliver.freeze import freeze
from pipeline.deliver.headers import NAMES
from pipeline.deliver.message import NAME_LIMIT, Splicer, shorten
from pipeline.errors import AudienceError, NewsletterError, Refused, StoreError
from pipeline.model import RenderedIssue, Submission, Variant
from pipeline.settings import Settings


def submit(
    issue: RenderedIssue | None = None,
    letter: Settings | None = None,
    email: str = "ana@example.com",
    name: str = "Ana",
) -> Submission:
    frozen = freeze(issue or rendered(), letter or settings(), carried())
    return Splicer(frozen, SomeTokens()).submission(delivery(email, name))


def test_a_copy_is_cut_from_the_bytes_of_its_readers_variant_and_the_same_at_every_try() -> None:
    whole = freeze(rendered(), settings(), carried())
    other = freeze(rendered(text=TEXT.replace("Monday", "Tuesday")), settings(), carried())
    cut = Variant("sleep", other.template, other.html, other.text, ())
    frozen = replace(whole, variants=(cut,))
    theirs = replace(delivery(), variant="sleep")
    for splicer in (Splicer(frozen, SomeTokens()), Splicer(frozen, SomeTokens())):
        assert splicer.submission(delivery()) == Splicer(whole, SomeTokens()).submission(delivery())
        alone = Splicer(other, SomeTokens()).submission(delivery())
        assert splicer.submission(theirs) == replace(alone, delivery=theirs)


def test_where_a_variant_is_lost_nobody_gets_the_whole_issue_instead() -> None:
    splicer = Splicer(freeze(rendered(), settings(), carried()), SomeTokens())
    with pytest.raises(StoreError, match=r"lost the bytes of issue 1 for readers of sleep\. Put a copy of"):
        splicer.submission(replace(delivery(), variant="sleep"))


def body_with(body: str, name: str, submission: Submission, escape: bool) -> str:
    tokens, uid = SomeTokens(), submission.delivery.recipient.uid
    name = html.escape(name) if escape else name
    for mark, value in {
        MARKS.name: name,
        MARKS.unsubscribe: f"https://letter.example.org/unsubscribe/{tokens.token('unsubscribe', uid)}",
        MARKS.preferences: f"https://letter.example.org/preferences/{tokens.token('preferences', uid)}",
        MARKS.confirmed: "January 3, 2026",
    }.items():
        body = body.replace(mark, value)
    return re.sub(r"\r\n|\r|\n", "\r\n", body)


def test_it_has_every_header_once_and_in_the_order_of_the_contract() -> None:
    data = submit().data
    lines = data.partition(b"\r\n\r\n")[0].decode().replace("\r\n ", " ").split("\r\n")
    tokens, uid = SomeTokens(), SomeTokens().uid("ana@example.com")
    assert lines[:-1] == [
        "From: The Headache Letter <letter@example.org>",
        "To: Ana <ana@example.com>",
        "Subject: Sleep, weather and the Monday headache",
        "Date: Sun, 22 Nov 2026 09:00:00 -0500",
        f"Message-ID: <{tokens.message_id(1, uid)}@example.org>",
        "Reply-To: editor@example.org",
        "List-Id: The Headache Letter <letter.example.org>",
        f"List-Unsubscribe: <https://letter.example.org/unsubscribe/{tokens.token('unsubscribe', uid)}>",
        "List-Unsubscribe-Post: List-Unsubscribe=One-Click",
        "List-Archive: <https://letter.example.org/>",
        "Feedback-ID: issue-1:letter.example.org:newsletter:5736e8e324b4",
        "MIME-Version: 1.0",
    ]
    assert re.fullmatch(r'Content-Type: multipart/alternative; boundary="=_[0-9a-f]{32}"', lines[-1])


def test_without_a_reply_address_there_is_no_such_header() -> None:
    assert by_python(submit(letter=settings(reply_to=None)).data).names == [
        n for n in NAMES if n != "Reply-To"
    ]


@pytest.mark.parametrize("name", ["Ana", "", "Ana Müller", 'Ana "& <b>" O\'Neil', "日本語の名前" * 15, NASTY])
def test_two_parsers_see_the_same_message_and_the_bodies_that_were_rendered(name: str) -> None:
    sent = submit(name=name)
    demand_a_sound_message(sent.data)
    shown = shorten(name) or "reader"
    for seen in (by_python(sent.data), by_a_stranger(sent.data)):
        assert seen.names == list(NAMES)
        assert seen.subject == "Sleep, weather and the Monday headache"
        assert seen.text == body_with(TEXT, shown, sent, escape=False)
        assert seen.html == body_with(HTML, shown, sent, escape=True)


@effort(max_examples=60)
@given(
    name=st.text(st.characters(codec=None, categories=None), max_size=150),
    subject=st.text(st.characters(codec=None, categories=None), max_size=200).filter(one_line),
    body=st.one_of(
        st.text(st.characters(codec=None, categories=None), max_size=400),
        st.text("=.-_ \t\r\nFrom é日😀", max_size=400),
    ),
)
@example(name=NASTY, subject=NASTY, body=NASTY)
@example(name="", subject="=?utf-8?q?x=0ABcc:_evil=40e.test?=", body="\r\n.\r\nMAIL FROM:<eve@e.test>\r\n")
@example(name="=?utf-8?b?" + "QUFB" * 20 + "?=", subject="a\r b\n c\x85 d\u2028e", body="\r.\r\n\n.\n")
@example(name="\ud800" * 3, subject="\udfff x", body="\ud83d")
@example(name=".", subject=".", body=".")
def test_no_text_of_anyone_ever_adds_a_header_an_address_or_a_line(
    name: str, subject: str, body: str
) -> None:
    issue = rendered(
        subject, f"{body}<p>{MARKS.name}</p>{body}", f"{body}{MARKS.name}{body}{MARKS.unsubscribe}"
    )
    letter = settings(name=one_line(name) or "The Letter")
    sent = submit(issue, letter, name=name)
    demand_a_sound_message(sent.data)
    assert sent.recipient == "ana@example.com"
    ours, theirs = by_python(sent.data), by_a_stranger(sent.data)
    assert ours.names == theirs.names == list(NAMES)
    assert ours.subject == one_line(subject)
    assert (ours.text, ours.html) == (theirs.text, theirs.html)
    to = message_from_bytes(sent.data, policy=policy.default)["To"]
    assert [a.addr_spec for a in to.addresses] == ["ana@example.com"]


@pytest.mark.parametrize(
    "text", ["x" * 1_000_000, "日" * 400_000, "=?utf-8?q?a?= " * 80_000, "\r\nBcc: e@e.test" * 70_000]
)
def test_a_megabyte_of_text_in_the_wrong_place_is_no_trouble(text: str) -> None:
    sent = submit(rendered(html=f"<p>{text}</p>", text=text), name=text)
    demand_a_sound_message(sent.data)
    assert by_a_stranger(sent.data).names == list(NAMES)
    assert len(sent.data.partition(b"\r\n\r\n")[0]) < 2500
    with pytest.raises(Refused, match="at most 500"):
        submit(rendered(subject=text))


def test_a_subject_of_nothing_that_can_be_seen_is_refused() -> None:
    with pytest.raises(Refused, match="empty"):
        submit(rendered(subject=" \u202e\x00\r\n "))


def test_the_same_reader_gets_the_same_bytes_on_every_try() -> None:
    assert submit().data == submit().data
    frozen = freeze(rendered(), settings(), carried())
    assert frozen == freeze(rendered(), settings(), carried())
    again = Splicer(frozen, SomeTokens())
    later = replace(delivery(), epoch=9, attempts=4)
    assert again.submission(delivery()).data == again.submission(later).data


def test_readers_differ_only_in_what_is_theirs() -> None:
    splicer = Splicer(freeze(rendered(), settings(), carried()), SomeTokens())
    ana = splicer.submission(delivery("ana@example.com", "Ana")).data.split(b"\r\n")
    bob = splicer.submission(delivery("bob@example.com", "Bob")).data.split(b"\r\n")
    assert len(ana) == len(bob)
    differing = [a for a, b in zip(ana, bob, strict=True) if a != b]
    assert len(differing) == 9  # To, Message-ID, List-Unsubscribe; name, two tokens in each body


def test_a_changed_body_changes_the_boundary_which_no_body_can_hold() -> None:
    first, second = submit().data, submit(rendered(text=TEXT + "!")).data
    boundaries = [re.search(rb'boundary="(.*)"', data)[1] for data in (first, second)]  # type: ignore[index]
    assert boundaries[0] != boundaries[1]
    stolen = submit(
        rendered(text=f"--{boundaries[0].decode()}\n--{boundaries[0].decode()}--\n{MARKS.unsubscribe}")
    )
    assert by_python(stolen.data).text.startswith(f"--{boundaries[0].decode()}\r\n")


def test_a_domain_is_written_in_ascii_and_a_local_part_stays_as_it_is() -> None:
    sent = submit(email="ana@bücher.example")
    assert sent.recipient == "ana@xn--bcher-kva.example"
    assert b"To: Ana <ana@xn--bcher-kva.example>\r\n" in sent.data
    sent = submit(email="añá@bücher.example")
    assert sent.recipient == "añá@xn--bcher-kva.example"
    assert "To: Ana <añá@xn--bcher-kva.example>\r\n".encode() in sent.data


def test_no_message_is_made_for_an_address_that_cannot_be_written() -> None:
    for email in ("ana@example.com\r\nBcc: eve@example.com", "ana@example.com, eve@example.com", "nobody"):
        with pytest.raises(AudienceError):
            submit(email=email)


def test_a_reader_without_a_name_is_called_what_the_theme_calls_them() -> None:
    frozen = freeze(rendered(), settings(), carried(), nameless="lectora & lector")
    sent = Splicer(frozen, SomeTokens()).submission(delivery(name=" \u202e"))
    assert b"\r\nTo: ana@example.com\r\n" in sent.data
    seen = by_python(sent.data)
    assert seen.text.startswith("Dear lectora & lector,")
    assert "Dear lectora &amp; lector," in seen.html


def test_a_message_with_any_other_header_is_never_made() -> None:
    class Tampered(SomeTokens):
        def token(self, purpose: str, uid: str) -> str:
            return "x>\r\nBcc: <eve@example.com"

    splicer = Splicer(freeze(rendered(), settings(), carried()), Tampered())
    with pytest.raises(NewsletterError, match="not handed over"):
        splicer.submission(delivery())


def test_a_name_is_shown_no_longer_than_anyone_would_read_it() -> None:
    assert shorten("x" * 300) == "x" * (NAME_LIMIT - 1) + "…"
    assert "x" * (NAME_LIMIT - 1) + "…" in by_python(submit(name="x" * 300).data).text


def test_the_files_to_look_at_name_nobody_and_hold_no_mark() -> None:
    frozen = freeze(rendered(), settings(), carried(), nameless="friend")
    assert b"Dear friend," in frozen.html
    assert b"Dear friend," in frozen.text
    for body in (frozen.html, frozen.text):
        assert b"mark" not in body.replace(b"markdown", b"")
        assert b"https://letter.example.org/unsubscribe/sample" in body
    assert frozen.page == b"<p>The page</p>"
    assert (frozen.number, frozen.sender, frozen.date) == (1, "letter@example.org", NOW)
    assert frozen.posts == tuple(carried())


def test_dates_are_in_the_newsletters_language() -> None:
    frozen = freeze(rendered(), settings(language="de"), carried())
    german = replace(delivery(), recipient=replace(delivery().recipient, confirmed=date(2018, 9, 22)))
    assert "22. September 2018" in by_python(Splicer(frozen, SomeTokens()).submission(german).data).text


@pytest.mark.parametrize(
    ("url", "identity"),
    [
        ("https://letter.example.org", "letter.example.org"),
        ("https://example.org/letters", "letters.example.org"),
        ("https://example.org/a/b", "b.a.example.org"),
        ("http://localhost:8000", "newsletter.localhost"),
        ("https://bücher.example", "xn--bcher-kva.example"),
    ],
)
def test_a_newsletter_keeps_one_list_id_and_tells_google_the_same(url: str, identity: str) -> None:
    data = submit(letter=settings(url=url, name="Any, name")).data
    assert f'\r\nList-Id: "Any, name" <{identity}>\r\n'.encode() in data
    feedback = re.search(rb"\r\nFeedback-ID: ([^\r]+)\r\n", data)
    assert feedback
    fields = feedback[1].decode().split(":")
    assert fields[:3] == ["issue-1", identity, "newsletter"]
    assert 5 <= len(fields[3]) <= 15


def test_long_names_and_hosts_are_folded_but_the_one_click_address_never_is() -> None:
    host = "a-rather-long-host-name-for-a-newsletter." * 2 + "example.org"
    letter = settings(
        **{"from": f'"The Very, Very Long Name of a Newsletter About Headaches and Weather" <letter@{host}>'},
        url=f"https://{host}",
        name="Überschriften " * 9,
    )
    sent = submit(letter=letter)
    head = sent.data.partition(b"\r\n\r\n")[0]
    token = SomeTokens().token("unsubscribe", sent.delivery.recipient.uid)
    assert f"\r\nList-Unsubscribe:\r\n <https://{host}/unsubscribe/{token}>\r\n".encode() in head
    assert f"\r\nMessage-ID:\r\n <{sent.message_id}>\r\n".encode() in head
    assert by_python(sent.data).names == list(NAMES)
