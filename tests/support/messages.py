"""What two strangers' parsers make of a message, and what every line of one must be."""

from __future__ import annotations

import re
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage

import fast_mail_parser

#: Every header of a message, each once, in this order.
HEADERS = [
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "Reply-To",
    "List-Id",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
    "List-Archive",
    "Feedback-ID",
    "MIME-Version",
    "Content-Type",
]
LINE = re.compile(rb"[\t -~]{0,76}\r\n")


@dataclass
class Seen:
    """What a parser makes of a message."""

    names: list[str]
    subject: str
    to: str
    text: str
    html: str


def by_python(data: bytes) -> Seen:
    message = message_from_bytes(data, policy=policy.strict)
    assert isinstance(message, EmailMessage)
    assert [part.get_content_type() for part in message.walk()] == [
        "multipart/alternative",
        "text/plain",
        "text/html",
    ]
    text, page = message.iter_parts()
    for part in (message, text, page):
        assert not part.defects
        assert all(not value.defects for value in part.values())
    octets = [part.get_payload(decode=True) for part in (text, page)]
    return Seen(
        message.keys(), str(message["Subject"]), str(message["To"]), octets[0].decode(), octets[1].decode()
    )


def by_a_stranger(data: bytes) -> Seen:
    tree = fast_mail_parser.parse_email_tree(data)
    assert tree.content_type == "multipart/alternative"
    text, page = tree.children
    assert (text.content_type, page.content_type) == ("text/plain", "text/html")
    names = list(tree.headers)
    assert all(len(values) == 1 for values in tree.headers.values())
    bodies = [(part.content or b"").decode() for part in (text, page)]
    return Seen(names, tree.headers["Subject"][0], tree.headers["To"][0], *bodies)


def demand_a_sound_message(data: bytes) -> None:
    head, _, body = data.partition(b"\r\n\r\n")
    assert b"\0" not in data
    assert data.count(b"\r\n") == data.count(b"\r") == data.count(b"\n")
    assert all(len(line) <= 78 or line.startswith(b" <https://") for line in head.split(b"\r\n"))
    assert head.isascii()
    for line in body.splitlines(keepends=True):
        assert LINE.fullmatch(line), line
        assert not line.startswith((b".", b"From "))
