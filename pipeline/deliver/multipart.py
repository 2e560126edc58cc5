"""Writes the one shape that all our messages have, a header block and a text with its HTML twin; reads it again."""

from __future__ import annotations

import re
from collections.abc import Sequence
from hashlib import sha256

from pipeline.deliver import headers
from pipeline.errors import NewsletterError

#: What follows the header block: lines of quoted-printable, CRLF and nothing else.
_BODY_LINES = re.compile(rb"(?:[\t -~]{0,76}\r\n)+")


def make_boundary(text: bytes, page: bytes) -> str:
    """Return what separates two encoded bodies, the same for the same ones (RFC 2046, 5.1.1)."""
    # "=_" cannot occur in quoted-printable, so no part, and no field spliced into one, can hold the boundary.
    return "=_" + sha256(text + b"\0" + page).hexdigest()[:32]


def write(fields: Sequence[tuple[str, str]], text: bytes, page: bytes, boundary: str) -> bytes:
    """Return a whole message; `fields` are names and values with their folds, both bodies quoted-printable."""
    return b"".join(
        [
            *(f"{name}:{value}\r\n".encode() for name, value in fields),
            _part(boundary, "text/plain", text),
            _part(boundary, "text/html", page),
            f"\r\n--{boundary}--\r\n".encode(),
        ]
    )


def _part(boundary: str, kind: str, body: bytes) -> bytes:
    return (
        f"\r\n--{boundary}\r\n"
        f"Content-Type: {kind}; charset=utf-8\r\n"
        "Content-Transfer-Encoding: quoted-printable\r\n"
        "\r\n"
    ).encode() + body


def demand_as_meant(message: bytes, fields: Sequence[tuple[str, str]], boundary: str, what: str) -> None:
    """Read a message again; raise NewsletterError about `what` unless it is exactly what was meant.

    A value with NUL bytes in it is a template's: what was put there is not compared.
    """
    read = headers.read_block(message)
    same = len(read) == len(fields) and all(
        name == as_read and (value == value_read or "\0" in value)
        for (name, value), (as_read, value_read) in zip(fields, read, strict=True)
    )
    body = message.partition(b"\r\n\r\n")[2]
    if not same or not _BODY_LINES.fullmatch(body) or body.count(f"--{boundary}".encode()) != 3:
        raise NewsletterError(f"{what} cannot be written as a message: read again, it is not what was meant")
