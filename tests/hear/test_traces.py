"""What proves that a message is about a copy of ours: never an address, always something only that copy holds."""

from __future__ import annotations

import pytest
from support.reports import CODE, TOKEN, report

from pipeline.hear import Evidence, News, parse
from pipeline.hear.traces import MOST


def message(*head: str, body: str = "") -> bytes:
    return "\r\n".join([*head, "", body]).encode()


@pytest.mark.parametrize("field", ["To", "Delivered-To", "X-Original-To", "Envelope-To"])
def test_the_return_path_a_report_came_to_names_its_copy(field):
    assert parse(message(f"{field}: <bounces+{CODE}@letter.example.org>")).evidence == Evidence((CODE,))
    assert parse(message(f"{field}: BOUNCES+{CODE.upper()}@LETTER.EXAMPLE.ORG")).evidence == Evidence((CODE,))


@pytest.mark.parametrize("field", ["In-Reply-To", "References", "X-Original-Message-ID"])
def test_what_a_report_answers_names_its_copy(field):
    assert parse(message(f"{field}: <other@x.example>\r\n <{CODE}@letter.example.org>")).evidence.codes == (
        CODE,
    )


@pytest.mark.parametrize(
    "head",
    [
        f"X-HmXmrOriginalRecipient: {CODE}@reader.example",
        f"Subject: {CODE}",
        f"From: <{CODE}@letter.example.org>",
        f"To: <{CODE}@letter.example.org>",
        f"In-Reply-To: <{CODE}0@letter.example.org>",
        f"In-Reply-To: <x{CODE}@letter.example.org>",
        f"To: <bounces+{CODE[:-1]}@letter.example.org>",
        f"List-Unsubscribe: <https://letter.example.org/unsubscribe/{TOKEN}>",
    ],
)
def test_nothing_else_of_a_head_proves_anything(head):
    assert not parse(message(head)).evidence


@pytest.mark.parametrize("quote", ["", "> ", ">> ", "| ", "\t"])
def test_a_copy_returned_in_the_text_is_found_quoted_or_not(quote):
    text = f"{quote}Message-ID:\r\n{quote} <{CODE}@x.example>\r\n{quote}List-Unsubscribe: <https://x/unsubscribe/{TOKEN}>"
    assert parse(message("Subject: failure notice", body=text)).evidence == Evidence((CODE,), (TOKEN,))


def test_the_link_in_a_quoted_mail_proves_nothing():
    text = f"> Unsubscribe: https://letter.example.org/unsubscribe/{TOKEN}"
    assert not parse(message("Subject: Re: Hello", body=text)).evidence


def test_both_addresses_of_the_unsubscribe_header_hold_the_token():
    for address in (
        f"https://x.example/a/unsubscribe/{TOKEN}",
        f"mailto:a@x.example?subject=unsubscribe%20{TOKEN}",
    ):
        text = f"List-Unsubscribe: <{address}>"
        assert parse(message("Subject: failure notice", body=text)).evidence.tokens == (TOKEN,)
    longer = f"List-Unsubscribe: <https://x.example/unsubscribe/{TOKEN}x>"
    assert not parse(message("Subject: failure notice", body=longer)).evidence


def test_a_forger_who_guesses_gets_few_guesses():
    ids = " ".join(f"<{number:032x}@x.example>" for number in range(100))
    assert len(parse(message(f"References: {ids}")).evidence.codes) == MOST


def test_a_returned_copy_tells_more_than_what_a_report_answers():
    other = "f" * 32
    first = parse(
        report("gmail-no-such-account").replace(
            b"In-Reply-To: <" + CODE.encode(), b"In-Reply-To: <" + b"f" * 32
        )
    )
    assert first.evidence.codes[:2] == (CODE, other)


def test_who_leaves_is_known_by_their_own_token_not_by_what_they_answered():
    leaving = message(f"Subject: unsubscribe {TOKEN}", f"In-Reply-To: <{CODE}@x.example>")
    assert parse(leaving).evidence == Evidence((), (TOKEN,))


@pytest.mark.parametrize(
    "subject",
    ["unsubscribe%20{}", "Unsubscribe: {}", "Re: AW: unsubscribe {}", "unsubscribe+{}", "<unsubscribe {}>"],
)
def test_however_a_program_writes_the_space_the_reader_leaves(subject):
    heard = parse(message("Subject: " + subject.format(TOKEN)))
    assert (heard.news, heard.evidence.tokens) == (News.UNSUBSCRIBE, (TOKEN,))


@pytest.mark.parametrize(
    "subject", ["how do I unsubscribe {}", "unsubscribe {}x", "subscribe {}", "unsubscribe {} {}", "{}"]
)
def test_other_subjects_with_a_token_let_nobody_leave(subject):
    assert parse(message("Subject: " + subject.replace("{}", TOKEN))).news is News.NOTHING
