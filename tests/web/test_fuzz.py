"""Whatever is sent, nothing of ours breaks: no answer of 500 and above, no traceback, and an end in time."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.http import reply
from support.readers import FORM, House, token

#: In seconds; the machine may have other work.
SOON = 10
EXAMPLES = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
METHODS = st.sampled_from(
    ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW", "get"]
)
TEXT = st.text(max_size=60)
#: Characters that may stand in a request's target as they are (RFC 3986), and some that may not.
PATHS = st.lists(
    st.sampled_from(
        [
            "subscribe",
            "confirm",
            "unsubscribe",
            "preferences",
            "hooks",
            "healthz",
            "feeds",
            "..",
            ".",
            "",
            "issues",
            "1",
            "index.html",
            "%00",
            "%2e%2e",
            "%2f",
            "TOKEN",
            "%ff",
            "\\",
            ";",
            "?",
            "#",
        ]
    )
    | TEXT.map(quote),
    max_size=6,
).map(lambda parts: "/" + "/".join(parts))
NAMES = st.sampled_from(
    [
        "Host",
        "Content-Type",
        "Content-Length",
        "Transfer-Encoding",
        "Range",
        "If-Range",
        "If-None-Match",
        "If-Modified-Since",
        "X-Forwarded-For",
        "X-Forwarded-Proto",
        "Sec-Fetch-Site",
        "Sec-Fetch-Dest",
        "Expect",
        "Connection",
        "Upgrade",
        "Accept",
        "Cookie",
        "Origin",
        "Referer",
    ]
)
VALUES = st.sampled_from(
    [
        FORM,
        "multipart/form-data; boundary=x",
        "multipart/form-data",
        "chunked",
        "0",
        "5",
        "-1",
        "1e9",
        "bytes=0-",
        "*",
        "bytes=9-1",
        '"x"',
        "100-continue",
        "close",
        "websocket",
        "cross-site",
        "document",
        "127.0.0.1, ::1, x",
        "http",
        "Thu, 99 Foo 2026",
        "99999999999999999999",
    ]
) | st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=40)
BODIES = st.binary(max_size=300) | st.sampled_from(
    [
        b"email=a@example.org",
        b"email=%00%ff&topic=",
        b"what=some&category=botox&until=2026-02-30",
        b"undo=x",
        b'--x\r\nContent-Disposition: form-data; name="undo"\r\n\r\nx\r\n--x--',
        b"List-Unsubscribe=One-Click",
        b"a" * 17000,
        b"&" * 600,
        b"%" * 1000,
    ]
)


@EXAMPLES
@given(
    method=METHODS,
    path=PATHS,
    headers=st.lists(st.tuples(NAMES, VALUES), max_size=5),
    body=BODIES,
    data=st.data(),
)
def test_any_request_is_answered(
    house: House,
    readers: dict[str, str],
    method: str,
    path: str,
    headers: list[tuple[str, str]],
    body: bytes,
    data: Any,
) -> None:
    kind = data.draw(st.sampled_from(sorted(readers)))
    target = path.replace("/TOKEN", f"/{readers[kind]}")
    lines = [f"{method} {target} HTTP/1.1", "Host: x", *(f"{name}: {value}" for name, value in headers)]
    if data.draw(st.booleans()):
        lines.append(f"Content-Length: {len(body)}")
    request = "\r\n".join([*lines, "", ""]).encode("latin-1", "replace") + body
    began = time.monotonic()
    with house.http.connect() as wire:
        wire.settimeout(1)
        with suppress(OSError):
            wire.sendall(request)
            # No more is coming: whatever is incomplete stays so.
            wire.shutdown(1)
            answer = reply(wire)
            assert answer.status < 500, (answer.status, request)
    assert time.monotonic() - began < SOON


@EXAMPLES
@given(
    request=st.binary(max_size=400)
    | st.binary(max_size=100).map(lambda rest: b"POST /subscribe HTTP/1.1\r\n" + rest)
)
def test_any_bytes_are_answered_or_cut(house: House, request: bytes) -> None:
    with house.http.connect() as wire, suppress(OSError):
        wire.settimeout(0.3)
        wire.sendall(request + b"\r\n\r\n")
        assert reply(wire).status < 500


@EXAMPLES
@given(
    fields=st.lists(
        st.tuples(
            st.sampled_from(["email", "topic", "what", "category", "until", "undo", "List-Unsubscribe"])
            | TEXT,
            TEXT,
        ),
        max_size=8,
    ),
    data=st.data(),
)
def test_any_form_is_answered(
    house: House, readers: dict[str, str], fields: list[tuple[str, str]], data: Any
) -> None:
    kind = data.draw(st.sampled_from(sorted(readers)))
    clean = [
        (name.encode("utf-8", "replace").decode(), value.encode("utf-8", "replace").decode())
        for name, value in fields
    ]
    answer = house.http.post(f"/{kind}/{readers[kind]}" if kind != "subscribe" else "/subscribe", clean)
    assert answer.status < 500, (answer.status, fields)
    assert "<script" not in answer.text


@pytest.fixture(scope="module")
def readers(house: House) -> dict[str, str]:
    """A token for each kind of page."""
    email = house.reader()
    return {
        "subscribe": "x",
        "confirm": house.asks("fuzz@example.org"),
        "unsubscribe": token("unsubscribe", email),
        "preferences": token("preferences", email),
    }


def test_the_server_still_stands(house: House) -> None:
    assert house.http.ask("/healthz").status == 200
    # What it said on the way is looked at when it ends: conftest.py.
