"""The header by which readers leave by mail, beside the one click."""

from __future__ import annotations

from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from support.messages import by_python
from support.sending import carried, delivery, rendered, settings

from pipeline.audience.tokens import InstallationTokens
from pipeline.deliver.freeze import freeze
from pipeline.deliver.headers import NAMES
from pipeline.deliver.message import Splicer
from pipeline.hear import News, parse
from pipeline.settings import Hear

TOKENS = InstallationTokens(b"a secret that only these tests know")
TOKEN = TOKENS.token("unsubscribe", delivery().recipient.uid)


def header(address: str | None, url: str = "https://letter.example.org") -> str:
    """Return the raw List-Unsubscribe of one copy."""
    letter = settings(url=url).model_copy(update={"hear": Hear.model_validate({"unsubscribe": address})})
    data = Splicer(freeze(rendered(), letter, carried()), TOKENS).submission(delivery()).data
    assert by_python(data).names == list(NAMES)
    head = data.partition(b"\r\n\r\n")[0].decode("ascii")
    assert head.count("List-Unsubscribe:") == 1
    return head.partition("\r\nList-Unsubscribe:")[2].partition("\r\nList-Unsubscribe-Post:")[0]


def test_one_click_comes_first_and_each_address_has_a_line_of_its_own():
    assert header("leave@letter.example.org") == (
        f"\r\n <https://letter.example.org/unsubscribe/{TOKEN}>,"
        f"\r\n <mailto:leave@letter.example.org?subject=unsubscribe%20{TOKEN}>"
    )


def test_short_addresses_keep_their_lines_to_78_columns():
    assert max(map(len, header("u@a.io", "https://mail.example.org").split("\r\n"))) <= 78


def test_a_long_address_is_never_broken():
    address = f"{'leave' * 12}@{'letter' * 9}.example.org"
    assert f"\r\n <mailto:{address}?subject=unsubscribe%20{TOKEN}>" in header(address)


def test_without_a_mailbox_there_is_one_click_alone():
    assert header(None) == f"\r\n <https://letter.example.org/unsubscribe/{TOKEN}>"


@pytest.mark.parametrize(
    "address", ["leave@letter.example.org", "a+b@x.example", "who?cc=all&x=%41/#@x.example"]
)
def test_what_a_mail_program_makes_of_it_lets_the_reader_leave(address):
    url = urlsplit(header(address).rpartition("<")[2].removesuffix(">"))
    assert url.scheme == "mailto"
    assert unquote(url.path) == address
    assert not url.fragment
    fields = parse_qs(url.query)
    assert set(fields) == {"subject"}
    heard = parse(f"To: {address}\r\nSubject: {fields['subject'][0]}\r\n\r\n".encode())
    assert (heard.news, heard.evidence.tokens) == (News.UNSUBSCRIBE, (TOKEN,))
