"""The sample's messages are what scripts and relays rely on, to the letter, and each is for one reader alone."""

from __future__ import annotations

import csv
import re
from email import message_from_bytes, policy
from email.utils import parseaddr, parsedate_to_datetime

import pytest
from support.letter import Letter
from support.messages import HEADERS, by_a_stranger, by_python, demand_a_sound_message

from pipeline.settings import Settings


@pytest.fixture(scope="module")
def readers(sent: Letter) -> dict[str, str]:
    with (sent.root / "readers.csv").open(encoding="utf-8", newline="") as file:
        return {row["email"]: row["name"] for row in csv.DictReader(file)}


def test_two_parsers_see_the_same_headers_and_parts(mails: list[bytes]) -> None:
    assert len(mails) == 3
    for data in mails:
        ours, theirs = by_python(data), by_a_stranger(data)
        assert ours.names == theirs.names == HEADERS
        assert (ours.subject, ours.text, ours.html) == (theirs.subject, theirs.text, theirs.html)
        assert (parseaddr(ours.to)[1]) == parseaddr(theirs.to)[1]


def test_every_line_is_as_long_and_ends_as_it_should(mails: list[bytes]) -> None:
    for data in mails:
        demand_a_sound_message(data)
        head, _, body = data.partition(b"\r\n\r\n")
        assert max(map(len, data.split(b"\r\n"))) <= 998
        names = [line.split(b":")[0].decode() for line in head.split(b"\r\n") if line[:1] != b" "]
        assert names == HEADERS
        assert body.count(b"Content-Transfer-Encoding: quoted-printable\r\n") == 2


def test_a_mailbox_provider_can_unsubscribe_in_one_click(mails: list[bytes]) -> None:
    for data in mails:
        message = message_from_bytes(data, policy=policy.default)
        uri = message["List-Unsubscribe"].strip()
        assert re.fullmatch(r"<https://letter\.example\.org/unsubscribe/[\w-]{20,}>", uri)
        assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        link = uri.strip("<>")
        seen = by_python(data)
        assert link in seen.text
        assert f'href="{link}"' in seen.html


def test_the_headers_name_this_newsletter_and_issue(mails: list[bytes], settings: Settings) -> None:
    for data in mails:
        message = message_from_bytes(data, policy=policy.default)
        assert re.fullmatch(r"(The Headache Letter )?<[^@<>]*letter\.example\.org>", message["List-Id"])
        assert re.fullmatch(r"<[^@<> ]+@example\.org>", message["Message-ID"])
        assert parseaddr(message["From"]) == ("The Headache Letter", "letter@example.org")
        assert message["Reply-To"] == settings.newsletter.reply_to
        assert message["List-Archive"] == "<https://letter.example.org/>"
        assert parsedate_to_datetime(message["Date"]).isoformat() == "2026-01-04T08:00:00-05:00"


def test_nobody_learns_of_another_reader(mails: list[bytes], readers: dict[str, str]) -> None:
    received = set()
    for data in mails:
        message = message_from_bytes(data, policy=policy.default)
        [to] = message["To"].addresses
        received.add(to.addr_spec)
        seen = by_python(data)
        whole = data.decode() + seen.text + seen.html
        for email, name in readers.items():
            if email == to.addr_spec:
                assert to.display_name == name
                assert f"Dear {name or 'reader'}," in seen.text
            else:
                assert email not in whole
                assert not name or name not in seen.text + seen.html
    assert received == set(readers)


def test_no_two_readers_share_an_id_or_a_link(mails: list[bytes]) -> None:
    for name in ("Message-ID", "List-Unsubscribe"):
        assert len({message_from_bytes(data, policy=policy.default)[name] for data in mails}) == 3


def test_nothing_about_a_reader_is_on_the_site(public: dict[str, bytes], readers: dict[str, str]) -> None:
    names = [name.encode() for name in readers.values() if len(name) > 3]
    for path, data in public.items():
        assert not any(word in data for word in [*map(str.encode, readers), *names, b"/unsubscribe/"]), path
