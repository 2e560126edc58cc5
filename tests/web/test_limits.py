"""Nobody has more of the server than their share: bodies, clients, connections, time."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from support.http import reply
from support.letter import Letter
from support.readers import FORM, ONE_CLICK, TRUSTED, House, Serve, serve, token, words


@pytest.fixture(scope="module")
def strict(sent_once: Letter, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A server with the limits that it has by default, and the strangest proxies in front."""
    root = tmp_path_factory.mktemp("strict") / "letter"
    shutil.copytree(sent_once.root, root)
    with serve(Letter(root), "-v", env=TRUSTED) as http:
        yield House(Letter(root), http)


def ask(http: Serve, email: str, client: str) -> int:
    return http.post("/subscribe", {"email": email}, X_Forwarded_For=client).status


def test_one_client_with_a_thousand_addresses_is_stopped(strict: House) -> None:
    statuses = [ask(strict.http, f"victim{n}@example.org", "192.0.2.1") for n in range(15)]
    assert statuses == [200] * 10 + [429] * 5
    assert [strict.noted(f"victim{n}@example.org") for n in range(15)] == [True] * 10 + [False] * 5
    stopped = strict.http.post("/subscribe", {"email": "more@example.org"}, X_Forwarded_For="192.0.2.1")
    assert 3000 < int(stopped.headers["retry-after"]) <= 3600
    assert "Try again in 60 minutes." in words(stopped.text)
    # Somebody else is not, and what was no address was not counted.
    for _ in range(12):
        assert ask(strict.http, "no address", "192.0.2.2") == 422
    assert ask(strict.http, "fine@example.org", "192.0.2.2") == 200


def test_a_network_of_one_house_is_one_client(strict: House) -> None:
    for number in range(10):
        assert ask(strict.http, f"six{number}@example.org", f"2001:db8:1:2::{number}") == 200
    assert ask(strict.http, "six@example.org", "2001:db8:1:2:ffff::1") == 429
    assert ask(strict.http, "six@example.org", "[2001:db8:1:2:eeee::1]:4711") == 429
    assert ask(strict.http, "six@example.org", "2001:db8:1:3::1") == 200
    for number in range(10):
        assert ask(strict.http, f"four{number}@example.org", "::ffff:192.0.2.44, 127.0.0.1") == 200
    assert ask(strict.http, "four@example.org", "192.0.2.44:1234") == 429


def test_what_a_client_says_of_itself_is_not_believed(strict: House) -> None:
    for number in range(10):
        assert ask(strict.http, f"liar{number}@example.org", f"198.51.100.{number}, 192.0.2.66") == 200
    assert ask(strict.http, "liar@example.org", "203.0.113.9, unknown, 192.0.2.66") == 429


def test_one_address_from_a_thousand_clients_gets_one_confirmation(strict: House) -> None:
    for number in range(40):
        assert ask(strict.http, "bombed@example.org", f"198.18.0.{number}") == 200
    assert len(strict.letters("bombed@example.org")) == 1


def test_any_form_can_be_posted_only_so_often_but_leaving_always(strict: House) -> None:
    email, client = strict.reader(), {"X_Forwarded_For": "192.0.2.99"}
    preferences = f"/preferences/{token('preferences', email)}"
    statuses = [strict.http.post(preferences, {"what": "all"}, **client).status for _ in range(125)]
    assert statuses == [200] * 120 + [429] * 5
    assert strict.http.post("/confirm/x", **client).status == 429
    for _ in range(3):
        link = f"/unsubscribe/{token('unsubscribe', email)}"
        assert strict.http.ask(link, "POST", ONE_CLICK.encode(), Content_Type=FORM, **client).status == 200


def test_a_body_has_a_size(strict: House) -> None:
    email = strict.reader()
    leave = f"/unsubscribe/{token('unsubscribe', email)}"
    for target in ("/subscribe", leave, f"/preferences/{token('preferences', email)}", "/confirm/x"):
        big = strict.http.ask(target, "POST", b"email=" + b"x" * 16_000, Content_Type=FORM)
        assert (big.status, big.headers["connection"]) == (413, "close"), target
        told = strict.http.raw(
            f"POST {target} HTTP/1.1\r\nHost: x\r\nContent-Type: {FORM}\r\nContent-Length: {10**15}\r\n\r\n".encode()
        )
        assert told.status == 413, target
        endless = (
            f"POST {target} HTTP/1.1\r\nHost: x\r\nContent-Type: {FORM}\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        chunk = b"fff0\r\n" + b"x" * 0xFFF0 + b"\r\n"
        assert strict.http.raw(endless.encode() + chunk).status == 413, target
    assert strict.state(email) == "confirmed"


def test_other_bodies_are_no_forms(strict: House) -> None:
    for kind in ("application/json", "text/plain", ""):
        assert strict.http.ask("/subscribe", "POST", b"email=x@example.org", Content_Type=kind).status == 415
    many = "&".join(f"f{n}=" for n in range(600)).encode()
    assert strict.http.ask("/subscribe", "POST", many, Content_Type=FORM).status == 400
    assert strict.http.ask("/subscribe", "POST", b"email=\xff\xfe", Content_Type=FORM).status == 400


def test_nonsense_is_answered_in_a_line(strict: House) -> None:
    for request in (
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET / HTTP/9\r\n\r\n",
    ):
        answer = strict.http.raw(request)
        assert answer.status == 400
        assert answer.headers["x-content-type-options"] == "nosniff"
    # Where such a request ends a proxy in front may read otherwise: what follows it is nobody's.
    with strict.http.connect() as wire:
        smuggled = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
        wire.sendall(
            b"POST /subscribe HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
            b"Content-Length: 5\r\n\r\n0\r\n\r\n" + smuggled
        )
        answer = reply(wire)
        assert (answer.status, answer.headers["connection"]) == (400, "close")
        assert wire.recv(1) == b""
    # A second request in the same breath, and nonsense after one that was answered early.
    two = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n" * 2
    with strict.http.connect() as wire:
        wire.sendall(two)
        assert reply(wire).status == 200
    early = (
        b"POST /hooks/x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        + b"f4242\r\n"
        + b"x" * 0xF4242
    )
    with strict.http.connect() as wire, suppress(OSError):
        wire.sendall(early)
        wire.sendall(b"\r\nnonsense\r\n" * 100)
        reply(wire)
    assert strict.http.ask("/healthz").status == 200


def test_the_log_names_no_reader_and_no_token(strict: House, tmp_path: Path) -> None:
    email = strict.reader()
    for purpose in ("unsubscribe", "preferences"):
        strict.http.post(f"/{purpose}/{token(purpose, email)}", {"what": "all"})
    strict.http.post("/subscribe", {"email": "logged@example.org"})
    code, err = strict.http.ends()
    assert code == 0
    assert "POST /unsubscribe/… 200" in err
    for secret in ("@", token("unsubscribe", email), token("preferences", email), "192.0.2", "198.51"):
        assert secret not in err, secret
    assert "Traceback" not in err
    assert "fault of the program" not in err
