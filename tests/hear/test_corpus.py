"""Messages of real shapes: what each says of a reader, and what it proves."""

from __future__ import annotations

import pytest
from support.reports import CODE, READER, TOKEN, expected, names, report

from pipeline.hear import News, Nothing, parse


@pytest.mark.parametrize("name", names())
def test_what_is_heard_in_a_message_is_what_it_says(name):
    heard = parse(report(name))
    found = [
        each
        for each, there in (
            ("code", heard.evidence.codes == (CODE,)),
            ("token", heard.evidence.tokens == (TOKEN,)),
        )
        if there
    ]
    everything = {
        "news": str(heard.news),
        "nothing": str(heard.nothing or ""),
        "why": heard.why,
        "status": heard.status,
        "evidence": found,
        "recipients": list(heard.recipients),
        "words": heard.words,
    }
    wanted = expected()[name]
    assert everything == {key: wanted.get(key, type(value)()) for key, value in everything.items()}


def test_every_expectation_has_its_message_and_every_kind_of_news_occurs():
    assert sorted(expected()) == names()
    heard = [parse(report(name)) for name in names()]
    assert {each.news for each in heard} == set(News)
    assert {each.nothing for each in heard} == {None, *Nothing} - {Nothing.TOO_LARGE}


@pytest.mark.parametrize("name", names())
def test_line_ends_change_nothing(name):
    message = report(name)
    assert parse(message.replace(b"\r\n", b"\n")) == parse(message)


@pytest.mark.parametrize("name", names())
def test_no_address_is_kept_of_what_a_server_said(name):
    heard = parse(report(name))
    for text in (heard.words, heard.why, *(fate.words for fate in heard.fates)):
        assert "@" not in text
        assert READER.partition("@")[0] not in text.split()
    assert "@" not in repr(heard)


def test_a_report_that_names_the_reader_is_about_them_and_not_about_the_others():
    heard = parse(report("two-recipients-of-different-fates"))
    assert heard.nothing is Nothing.DELAYED
    assert heard.about("Ana@Reader.example").news is News.HARD_BOUNCE
    assert heard.about("Ana@Reader.example").status == "5.1.1"
    assert heard.about("nobody@else.example") == heard


def test_who_was_reached_in_one_place_is_no_dead_address():
    heard = parse(report("an-alias-with-three-fates"))
    assert heard.about(READER).nothing is Nothing.DELIVERED
    assert heard.about("ben@elsewhere.example").news is News.HARD_BOUNCE


def test_only_what_nobody_understood_is_left_for_a_person():
    left = {name for name in names() if parse(report(name)).for_a_person}
    assert left == {name for name, wanted in expected().items() if wanted.get("nothing") == "not understood"}


@pytest.mark.parametrize(
    "line",
    [
        "--- Below is a copy of the message",
        "---- Original message ----",
        "Received: from x",
        "> Message-ID: <1@x>",
    ],
)
def test_what_a_returned_copy_talks_about_is_not_what_the_server_says(line):
    text = (
        f"We could not deliver your message, sorry.\r\n\r\n{line}\r\n\r\n550 5.1.1 user unknown: a story\r\n"
    )
    heard = parse(f"From: MAILER-DAEMON@x.example\r\nSubject: failure notice\r\n\r\n{text}".encode())
    assert heard.nothing is Nothing.NOT_UNDERSTOOD
