"""One letter to one person: what it says, as two strangers' parsers read it, whatever anybody typed in."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from email import message_from_bytes, policy
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st
from support.letters import (
    ADDRESS,
    AT,
    LATEST,
    TOKENS,
    bodies_of,
    letter,
    message_of,
    page_of,
    welcome_above,
)
from support.messages import by_a_stranger, by_python, demand_a_sound_message
from support.sending import HTML, NASTY, TEXT, carried, rendered, settings

from pipeline.clients.clip import CLIP_BYTES
from pipeline.deliver.freeze import freeze
from pipeline.deliver.letter import Bodies, above
from pipeline.errors import AudienceError, ThemeError
from pipeline.model import LetterKind

GOLDEN = Path(__file__).parent / "golden"
LIST = ["List-Id", "List-Unsubscribe", "List-Unsubscribe-Post"]
NAMES = ["From", "To", "Subject", "Date", "Message-ID", "Reply-To"]
REST = ["Auto-Submitted", "MIME-Version", "Content-Type"]
kinds = pytest.mark.parametrize("kind", list(LetterKind))


def head(data: bytes) -> str:
    return data.partition(b"\r\n\r\n")[0].decode().replace("\r\n", "\n") + "\n"


@pytest.mark.parametrize("name", ["confirmation", "already", "welcome", "welcome-link", "welcome-above"])
def test_golden(name: str) -> None:
    kind = LetterKind(name.partition("-")[0])
    latest = LATEST if "-" in name else None
    sent = message_of(letter(kind), latest=latest, above_issue=name == "welcome-above")
    seen = by_a_stranger(sent.data)
    # The style sheet is the theme's, and has tests of its own.
    page = re.sub(r"(<style>):root.*?(</style>)", r"\1\2", seen.html, flags=re.S)
    made = {"head.txt": head(sent.data), "text.txt": seen.text, "html": page}
    for ending, what in made.items():
        expected = GOLDEN / f"{name}.{ending}"
        assert what.replace("\r\n", "\n") == expected.read_text("utf-8"), expected.name


@kinds
def test_two_parsers_see_the_same_letter_with_each_header_once_and_in_order(kind: LetterKind) -> None:
    sent = message_of(letter(kind))
    demand_a_sound_message(sent.data)
    expected = [*NAMES, *(LIST if kind is LetterKind.WELCOME else []), *REST]
    shown = bodies_of(letter(kind))
    for seen in (by_python(sent.data), by_a_stranger(sent.data)):
        assert seen.names == expected
        assert seen.text.replace("\r\n", "\n") == shown.text
        assert seen.html.replace("\r\n", "\n") == shown.html
    message = message_from_bytes(sent.data, policy=policy.strict)
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Date"].datetime == AT
    assert (sent.sender, sent.recipient) == ("letter@example.org", "ana@example.com")
    without = message_of(letter(kind), settings(**ADDRESS, reply_to=None))
    assert by_python(without.data).names == [name for name in expected if name != "Reply-To"]


def test_the_link_of_a_confirmation_is_dated_with_the_letter_and_stands_in_both_bodies() -> None:
    one = letter()
    link = f"https://letter.example.org/confirm/{TOKENS.dated('confirm', one.uid, AT)}"
    seen = by_python(message_of(one).data)
    assert f"\r\n{link}\r\n" in seen.text
    assert re.findall(r'href="([^"]+)"', seen.html) == [link, link, "https://letter.example.org/"]
    for text in (seen.text, seen.html):
        for word in ("hopefully you", "72 hours", "do nothing", "12 Example Street"):
            assert word in " ".join(text.split()), word
    assert "<img" not in seen.html
    assert "url(" not in seen.html


def test_a_confirmation_repeats_nothing_that_a_stranger_typed_in() -> None:
    spam = "Win at https://casino.example now"
    assert spam.encode() not in message_of(letter(name=spam)).data
    assert message_of(letter(name=spam)).data == message_of(letter(name="")).data
    assert by_python(message_of(letter(LetterKind.WELCOME, name="Ana")).data).to == "Ana <ana@example.com>"


@kinds
def test_the_same_letter_is_the_same_message_on_every_try_and_another_one_another(kind: LetterKind) -> None:
    one = letter(kind)
    assert message_of(one) == message_of(one)
    again = replace(one, id=9, attempts=4)
    assert message_of(again).data == message_of(one).data
    other = [replace(one, at=AT.replace(hour=15)), letter(kind, "bo@example.com")]
    ids = {message_of(each).message_id for each in [one, *other]}
    ids |= {message_of(letter(each)).message_id for each in LetterKind}
    assert len(ids) == 5
    assert all(each.endswith("@example.org") for each in ids)


def test_where_a_mailbox_is_read_a_welcome_can_be_left_by_mail_too() -> None:
    house = settings(**ADDRESS)
    hear = house.hear.model_copy(update={"unsubscribe": "leave@example.org"})
    one = letter(LetterKind.WELCOME)
    data = message_of(one, house.model_copy(update={"hear": hear})).data
    token = TOKENS.token("unsubscribe", one.uid)
    assert f"\r\n <mailto:leave@example.org?subject=unsubscribe%20{token}>\r\n".encode() in data
    assert by_python(data).names == [*NAMES, *LIST, *REST]


def test_a_return_path_of_its_own_names_the_letter() -> None:
    house = settings(**ADDRESS).model_copy(
        update={
            "mail": settings().mail.model_copy(update={"verp": True, "return_path": "bounces@example.org"})
        }
    )
    sent = message_of(letter(), house)
    assert sent.sender == f"bounces+{sent.message_id.partition('@')[0]}@example.org"


@effort(max_examples=40, deadline=None)
@given(
    name=st.text(st.characters(codec=None, categories=None), max_size=150),
    kind=st.sampled_from([LetterKind.ALREADY, LetterKind.WELCOME]),
)
def test_no_name_of_anyone_ever_adds_a_header_an_address_or_a_line(name: str, kind: LetterKind) -> None:
    demand_harmless(name, kind)


@pytest.mark.parametrize(
    "name", [NASTY, "\r\n.\r\nMAIL FROM:<e@e.test>\r\n", "x" * 1_000_000, "日本" * 60, "\ud800"]
)
def test_nor_does_any_of_these(name: str) -> None:
    demand_harmless(name, LetterKind.WELCOME)


PAGES = {kind: page_of(kind) for kind in LetterKind}


def demand_harmless(name: str, kind: LetterKind) -> None:
    from pipeline.deliver.letter import put_in, submission

    one, house = letter(kind, name=name), settings(**ADDRESS)
    sent = submission(
        one, PAGES[kind].subject, put_in(PAGES[kind], one, house, TOKENS, "reader"), house, TOKENS
    )
    demand_a_sound_message(sent.data)
    ours, theirs = by_python(sent.data), by_a_stranger(sent.data)
    assert ours.names == theirs.names == [*NAMES, *(LIST if kind is LetterKind.WELCOME else []), *REST]
    assert (ours.text, ours.html) == (theirs.text, theirs.html)
    to = message_from_bytes(sent.data, policy=policy.default)["To"]
    assert [one.addr_spec for one in to.addresses] == ["ana@example.com"]
    links = [
        f"https://letter.example.org/{where}" for where in ("preferences/", "unsubscribe/", "feeds/", "")
    ]
    assert all(link.startswith(tuple(links)) for link in re.findall(r'href="([^"]+)"', ours.html))


@pytest.mark.parametrize(
    "email", ["ana@example.com\r\nBcc: eve@example.com", "ana@example.com, eve@e.test", "nobody"]
)
def test_no_letter_is_made_for_an_address_that_cannot_be_written(email: str) -> None:
    with pytest.raises(AudienceError) as refused:
        message_of(letter(email=email))
    assert "eve" not in str(refused.value)


def test_a_newsletter_of_another_language_says_its_own_words_in_its_own_direction(tmp_path: Path) -> None:
    (tmp_path / "words").mkdir()
    (tmp_path / "words/ar.toml").write_text('confirmation_subject = "تأكيد: {newsletter}"\n', "utf-8")
    sent = message_of(letter(), settings(**ADDRESS, language="ar"), templates=tmp_path)
    seen = by_python(sent.data)
    assert seen.subject == "تأكيد: The Headache Letter"
    assert '<html lang="ar" dir="rtl"' in seen.html
    demand_a_sound_message(sent.data)


def test_a_letter_in_english_for_want_of_words_says_that_it_is_english(tmp_path: Path) -> None:
    seen = by_python(message_of(letter(), settings(**ADDRESS, language="ar"), templates=tmp_path).data)
    assert '<html lang="en" dir="ltr"' in seen.html
    assert "Please confirm that it was you" in seen.html


def test_a_word_with_a_place_that_nothing_fills_is_named_with_its_file(tmp_path: Path) -> None:
    (tmp_path / "words").mkdir()
    (tmp_path / "words/en.toml").write_text('welcome_subject = "Hello {nobody}"\n')
    with pytest.raises(ThemeError, match=r"words/en\.toml:1: welcome_subject: .*\{nobody\}"):
        page_of(LetterKind.WELCOME, templates=tmp_path)


def test_a_letters_template_can_be_replaced_alone_and_an_empty_one_is_refused(tmp_path: Path) -> None:
    (tmp_path / "letters").mkdir()
    own = tmp_path / "letters/welcome.html"
    own.write_text(
        '{% extends "built-in/letters/welcome.html" %}{% block letter %}{{ super() }}<p>Hi.</p>{% endblock %}'
    )
    assert "<p>Hi.</p>" in page_of(LetterKind.WELCOME, templates=tmp_path).html
    assert "Hi." not in page_of(LetterKind.ALREADY, templates=tmp_path).html
    own.write_text("{# nothing #}")
    with pytest.raises(ThemeError, match=r"letters/welcome\.html: makes an empty letter"):
        page_of(LetterKind.WELCOME, templates=tmp_path)


# --- a welcome above an issue ----------------------------------------------------


def frozen(page: str = HTML, text: str = TEXT) -> object:
    return freeze(rendered("Sleep", page, text, 7), settings(), carried(7))


def test_a_welcome_and_the_latest_issue_are_one_mail_with_the_readers_own_links() -> None:
    one = letter(LetterKind.WELCOME)
    both = welcome_above(frozen())
    assert both
    leave = f"https://letter.example.org/unsubscribe/{TOKENS.token('unsubscribe', one.uid)}"
    prefer = f"https://letter.example.org/preferences/{TOKENS.token('preferences', one.uid)}"
    for body in (both.text, both.html):
        assert body.index("Welcome to The Headache Letter") < body.index(
            "this is “it”" if body is both.html else "“it”"
        )
        assert (body.count(leave), body.count(prefer)) == (2, 2)
        assert "November 22, 2026" in body
    assert both.html.count("<body") == both.html.count("</body>") == 1
    # Whichever theme the issue was of, its own body opens the page, and the letter is the first thing in it.
    assert re.search(r'<body style="margin:0">\n<div[^>]*>Your subscription has begun\.</div>', both.html)
    # The address is the issue's to say: HTML, the fixture's issue, has none.
    assert "12 Example Street" not in both.text + both.html


def test_an_issue_of_the_same_theme_brings_the_style_sheet_already() -> None:
    greeting = bodies_of(letter(LetterKind.WELCOME), latest=LATEST, above_issue=True)
    same = above(
        greeting, Bodies("text", greeting.html.replace("</style>\n</head>", ".tok-k{}</style></head>"))
    )
    assert ".tok-k" in same.html  # type: ignore[union-attr]
    other = above(greeting, Bodies("text", HTML))
    assert same
    assert other
    assert same.html.count("<style>:root") == other.html.count("<style>:root") == 1
    assert other.html.index("<style>:root") < other.html.index("</head>") < other.html.index("<body")


@pytest.mark.parametrize(
    "opening",
    [
        "<body class=\"a>b\" title='>'>",
        "<BODY\n bgcolor=#FFFFFF>",
        '<!--[if mso]><body class="mso"><![endif]--><!--[if !mso]><!--><body class="real"><!--<![endif]-->',
    ],
)
def test_the_opening_of_a_body_is_found_in_any_theme(opening: str) -> None:
    greeting = bodies_of(letter(LetterKind.WELCOME), latest=LATEST, above_issue=True)
    both = above(greeting, Bodies("text", f"<html><head></head>{opening}<p>Issue</p></body></html>"))
    assert both
    before, _, after = both.html.partition("Your subscription has begun.")
    assert re.fullmatch(r"\n<div[^>]*>", before.partition(opening.removesuffix("<!--<![endif]-->"))[2])
    assert after.endswith("<p>Issue</p></body></html>")


def test_what_gmail_would_cut_off_is_linked_instead() -> None:
    greeting = bodies_of(letter(LetterKind.WELCOME), latest=LATEST, above_issue=True)
    room = CLIP_BYTES - len(
        above(greeting, Bodies("", "<html><head></head><body></body></html>")).html.encode()
    )  # type: ignore[union-attr]
    page = "<html><head></head><body>{}</body></html>".format
    assert above(greeting, Bodies("", page("x" * room)))
    assert above(greeting, Bodies("", page("x" * (room + 1)))) is None
    assert above(greeting, Bodies("", page("é" * (room // 2 + 1)))) is None
    assert welcome_above(frozen(page("x" * CLIP_BYTES))) is None


def test_a_name_in_a_welcome_is_text_in_both_halves() -> None:
    both = welcome_above(frozen(), name='Eve "<script>"')
    assert both
    assert both.html.count(html.escape('Eve "<script>"')) == 2
    assert "<script>" not in both.html
    assert both.text.count('Dear Eve "<script>",') == 2
