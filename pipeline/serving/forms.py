"""Reads what a browser or a mail client posts, in bounded memory and time."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from starlette.exceptions import HTTPException

if TYPE_CHECKING:
    from starlette.requests import Request

FORM, MULTIPART = "application/x-www-form-urlencoded", "multipart/form-data"
#: Goes with an answer to a body that nobody will read to its end.
CLOSE = {"Connection": "close"}
#: RFC 2046, 5.1.1.
_BOUNDARY = re.compile(r';\s*boundary=(?:"([^"]{1,70})"|([^\s;"]{1,70}))', re.IGNORECASE)
_NAME = re.compile(rb'^content-disposition:[^\r\n]*?[;\s]name="?([^"\r\n;]*)', re.IGNORECASE | re.MULTILINE)


async def read_body(request: Request, most: int) -> bytes:
    """Read a body of at most so many bytes. Raises HTTPException (413) for a longer one."""
    told = request.headers.get("content-length", "")
    if told.isascii() and told.isdigit() and (len(told) > 18 or int(told) > most):
        raise too_long(most)
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > most:
            raise too_long(most)
    return bytes(body)


def too_long(most: int) -> HTTPException:
    """Return what is answered to a body of more than so many bytes."""
    return HTTPException(413, f"A form has at most {most:,} bytes.", headers=CLOSE)


def media_type(content_type: str) -> str:
    """Return what a body says it is, without the parameters."""
    return content_type.partition(";")[0].strip().lower()


def fields_of(body: bytes, most: int) -> Mapping[str, list[str]]:
    """Return every value of each field of a form, `most` at most. Raises ValueError for what is no form."""
    return parse_qs(body.decode("ascii"), keep_blank_values=True, max_num_fields=most, errors="strict")


def parts_of(content_type: str, body: bytes, most: int) -> Mapping[str, list[str]]:
    """Return every value of each field of a form in parts (RFC 7578), `most` at most, as text.

    By hand, because it is one split: what comes in this shape are the two
    lines of a mail client (RFC 8058, 3.1), and never a file.
    """
    told = _BOUNDARY.search(content_type)
    found: dict[str, list[str]] = {}
    if told:
        line = b"\r\n--" + (told[1] or told[2]).encode("latin-1", "replace")
        for part in (b"\r\n" + body).split(line, most + 1)[1:]:
            head, _, value = part.partition(b"\r\n\r\n")
            name = _NAME.search(head)
            if name:
                found.setdefault(name[1].decode("utf-8", "replace"), []).append(
                    value.decode("utf-8", "replace")
                )
    return found
