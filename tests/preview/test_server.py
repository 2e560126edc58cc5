"""The preview's server: it answers the editor's own browser on this machine, and nobody and nothing else."""

from __future__ import annotations

import os
import re
import signal
import socket
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

import pytest
from support.letter import Letter
from support.preview import Preview, previewing

TARGETS = (
    "/",
    "/state",
    "/frame",
    "/events",
    "/file?of=x",
    "/source?path=newsletter.toml",
    "/assets/preview.css",
)
FORMS = ("/order", "/test", "/approve")


# --- whom it answers -------------------------------------------------------------


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "127.0.0.1.evil.example:{port}",  # a name that a stranger may point at us: DNS rebinding
        "rebind.example:{port}",
        "localhost.evil.example:{port}",
        "127.0.0.1",
        "127.0.0.1:1",
        "localhost:{port}.evil.example",
        "127.0.0.1:{port}@evil.example",
        "user@127.0.0.1:{port}",
        "[::ffff:127.0.0.1]:{port}",
        "0.0.0.0:{port}",
        "127.1:{port}",
        "{port}",
    ],
)
def test_a_host_that_is_not_us_is_refused(preview: Preview, host: str) -> None:
    for target in TARGETS:
        assert preview.ask(target, Host=host.format(port=preview.port)).status == 403, target


def test_the_names_of_this_machine_are_answered(preview: Preview) -> None:
    for host in ("127.0.0.1", "localhost", "[::1]"):
        assert preview.ask("/", Host=f"{host}:{preview.port}").status == 200, host


@pytest.mark.parametrize(
    ("request_line", "hosts", "status"),
    [
        ("GET / HTTP/1.1", [], 400),  # RFC 9112, 3.2: a server must answer 400
        ("GET / HTTP/1.1", ["{host}", "evil.example"], 400),
        ("GET / HTTP/1.1", ["{host}", "{host}"], 400),
        ("GET / HTTP/1.0", [], 403),
        ("GET http://evil.example/ HTTP/1.1", ["{host}"], 403),
        ("GET http://{host}@evil.example/ HTTP/1.1", ["{host}"], 403),
        ("GET http://{host}.evil.example/ HTTP/1.1", ["{host}"], 403),
        ("GET http://{host}/frame HTTP/1.1", ["{host}"], 200),
        ("GET http://{host}/ HTTP/1.1", ["evil.example"], 403),
        ("OPTIONS * HTTP/1.1", ["{host}"], 403),
        ("CONNECT evil.example:443 HTTP/1.1", ["{host}"], 403),
    ],
)
def test_a_target_and_its_host_must_both_be_ours(
    preview: Preview, request_line: str, hosts: list[str], status: int
) -> None:
    lines = [request_line, *(f"Host: {host}" for host in hosts), "Connection: close", "", ""]
    assert preview.raw("\r\n".join(lines).format(host=preview.host).encode()).status == status


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "http://localhost:{port}"},  # ours by another name is another origin
        {"Origin": "https://127.0.0.1:{port}"},
        {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "no-cors", "Sec_Fetch_Dest": "image"},
        {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "no-cors", "Sec_Fetch_Dest": "script"},
        {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate", "Sec_Fetch_Dest": "iframe"},
        {"Sec_Fetch_Site": "same-site", "Sec_Fetch_Mode": "cors", "Sec_Fetch_Dest": "empty"},
        {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "websocket", "Sec_Fetch_Dest": "websocket"},
        {"Sec_Fetch_Site": "cross-site"},
    ],
)
def test_another_sites_page_gets_nothing(preview: Preview, headers: dict[str, str]) -> None:
    filled = {name: value.format(port=preview.port) for name, value in headers.items()}
    for target in TARGETS:
        assert preview.ask(target, **filled).status == 403, target


def test_a_link_from_elsewhere_may_lead_here(preview: Preview) -> None:
    arrives = {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate", "Sec_Fetch_Dest": "document"}
    assert preview.ask("/?view=text", **arrives).status == 200
    ours = {"Origin": f"http://{preview.host}"}
    assert preview.post("/order", {"token": preview.token(), "post": "x"}, **ours, **arrives).status == 403


def test_an_event_stream_is_only_for_our_own_page(preview: Preview) -> None:
    for origin in ("https://evil.example", "null", "http://localhost:8000"):
        assert preview.ask("/events", Origin=origin).status == 403
    own = {"Sec_Fetch_Site": "same-origin", "Sec_Fetch_Mode": "cors", "Sec_Fetch_Dest": "empty"}
    with preview.connect() as wire:
        head = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in own.items())
        wire.sendall(f"GET /events HTTP/1.1\r\nHost: {preview.host}\r\n{head}\r\n".encode())
        assert wire.recv(15) == b"HTTP/1.1 200 OK"


@pytest.mark.parametrize("origin", ["https://evil.example", "http://{host}", ""])
def test_there_is_no_websocket(preview: Preview, origin: str) -> None:
    for target in ("/", "/events"):
        reply = preview.ask(
            target,
            Connection="Upgrade",
            Upgrade="websocket",
            Sec_WebSocket_Version="13",
            Sec_WebSocket_Key="dGhlIHNhbXBsZSBub25jZQ==",
            Origin=origin.format(host=preview.host),
        )
        assert reply.status == 403


# --- who may change something ------------------------------------------------------


@pytest.mark.parametrize("target", FORMS)
def test_a_form_needs_our_origin_and_our_token(letter: Letter, preview: Preview, target: str) -> None:
    before = letter.files("issues") if (letter.root / "issues").exists() else {}
    good = {
        "token": preview.token(),
        "post": "x",
        "move": "up",
        "to": "a@example.com",
        "by": "Eve",
        "build": "0",
    }
    ours = f"http://{preview.host}"
    assert preview.post(target, good, Origin="https://evil.example").status == 403
    assert preview.post(target, good, Origin="null").status == 403
    assert preview.post(target, good, Origin="").status == 403
    assert preview.post(target, good, Origin="", Referer=f"{ours}/").status == 403
    assert preview.post(target, good, Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="no-cors").status == 403
    assert preview.post(target, good, Sec_Fetch_Site="same-site").status == 403
    for token in ("", "x", good["token"][:-1], good["token"] + "x", "é" * 32):
        assert preview.post(target, {**good, "token": token}).status == 403, token
    missing = {name: value for name, value in good.items() if name != "token"}
    assert preview.post(target, missing).status == 403
    assert (letter.files("issues") if (letter.root / "issues").exists() else {}) == before
    assert not (letter.root / "outbox").exists()


def test_a_form_has_a_size_a_kind_and_a_shape(preview: Preview) -> None:
    token = preview.token()
    assert preview.post("/order", {"token": token, "post": "x" * 65_000}).status == 413
    head = f"POST /order HTTP/1.1\r\nHost: {preview.host}\r\nOrigin: http://{preview.host}\r\n"
    kind = "Content-Type: application/x-www-form-urlencoded\r\n"
    endless = (
        f"{head}{kind}Transfer-Encoding: chunked\r\n\r\n".encode() + b"ffff\r\n" + b"x" * 0xFFFF + b"\r\n"
    )
    assert preview.raw(endless).status == 413
    for other in ("multipart/form-data; boundary=x", "application/json", "text/plain", ""):
        assert preview.post("/order", {"token": token}, Content_Type=other).status == 415, other
    many = {f"field{n}": "x" for n in range(100)}
    assert preview.post("/order", {"token": token, **many}).status == 400


@pytest.mark.parametrize(
    "back", ["https://evil.example/", "//evil.example", "x\r\nSet-Cookie: a=b", "view=text&w=375"]
)
def test_a_form_leads_back_to_our_page_only(preview: Preview, back: str) -> None:
    reply = preview.post("/order", {"token": preview.token(), "post": "nobody", "move": "up", "back": back})
    assert reply.status == 303
    assert reply.headers["location"].startswith("/?")
    assert "set-cookie" not in reply.headers


# --- what it shows of the machine ----------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "../secret.txt",
        "posts/../../secret.txt",
        "%2e%2e/secret.txt",
        "..%2fsecret.txt",
        "/etc/passwd",
        "//etc/passwd",
        "..\\secret.txt",
        "readers.csv",
        ".newsletter/newsletter.db",
        "posts",
        ".",
        "",
        "newsletter.toml\0.md",
    ],
)
def test_no_file_is_read_that_the_page_does_not_name(letter: Letter, preview: Preview, path: str) -> None:
    (letter.root.parent / "secret.txt").write_text("a secret")
    for target in (f"/source?path={quote(path)}", f"/source?path={path}", f"/file?of={quote(path)}"):
        if "\0" not in target:
            assert preview.ask(target).status == 404, target
    for target in (f"/assets/{quote(path, safe='')}", f"/{path}", f"/assets/{path}", f"/frame/{path}"):
        if "\0" not in target and target not in ("/", "/."):
            assert preview.ask(target).status == 404, target


def test_a_link_that_leads_out_of_the_newsletter_is_not_followed(tmp_path: Path, sample: Letter) -> None:
    (tmp_path / "outside.md").write_text("---\ntitle: Outside\ndate: 2026-01-01\n---\nA secret.\n")
    sample.post("inside", "Inside", "2026-01-01")
    with previewing(sample) as preview:
        assert preview.ask("/source?path=posts/inside.md").status == 200
        (sample.root / "posts/inside.md").unlink()
        (sample.root / "posts/inside.md").symlink_to(tmp_path / "outside.md")
        assert preview.ask("/source?path=posts/inside.md").status == 404


def test_a_picture_of_ours_is_shown_and_nothing_else_is(sample: Letter) -> None:
    dot = bytes.fromhex(
        "47494638396101000100800000ffffff00000021f90401000000002c00000000010001000002024401003b"
    )
    (sample.root / "posts/dot.gif").write_bytes(dot)
    sample.write("posts/act.svg", '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>')
    sample.post("pictures", "Pictures", "2026-01-01", "![a dot](dot.gif) ![a drawing](act.svg)")
    base = "https://letter.example.org/posts/pictures/"
    with previewing(sample) as preview:
        reply = preview.ask(f"/file?of={quote(base + 'dot.gif', safe='')}")
        assert (reply.status, reply.body, reply.headers["content-type"]) == (200, dot, "image/gif")
        drawing = preview.ask(f"/file?of={quote(base + 'act.svg', safe='')}")
        assert drawing.headers["content-disposition"] == "attachment"
        assert "sandbox" in drawing.headers["content-security-policy"]
        assert preview.ask(f"/file?of={quote(base + 'other.gif', safe='')}").status == 404
        assert preview.ask("/file?of=https://evil.example/x.gif").status == 404


# --- how it answers --------------------------------------------------------------------


def test_every_answer_says_what_it_may_do(preview: Preview) -> None:
    for target in (*TARGETS[:3], *TARGETS[4:], "/nothing"):
        headers = preview.ask(target).headers
        assert headers["x-content-type-options"] == "nosniff", target
        assert headers["cross-origin-resource-policy"] == "same-origin", target
        assert headers["cross-origin-opener-policy"] == "same-origin", target
        assert headers["cache-control"] == "no-store", target
        assert "default-src 'none'" in headers["content-security-policy"], target
        assert "server" not in headers
        assert "set-cookie" not in headers
    page, frame = preview.ask("/").headers, preview.ask("/frame").headers
    assert "script-src 'self'" in page["content-security-policy"]
    assert "frame-ancestors 'none'" in page["content-security-policy"]
    # With no-referrer, a browser would send our own forms with `Origin: null`.
    assert page["referrer-policy"] == "same-origin"
    assert "sandbox" in frame["content-security-policy"]
    assert "script" not in frame["content-security-policy"]


def test_wrong_ways_of_asking_are_told_so_in_a_line(preview: Preview) -> None:
    for target in ("/", "/frame", "/events", "/assets/preview.css"):
        reply = preview.ask(target, "DELETE", Origin=f"http://{preview.host}")
        assert (reply.status, "GET" in reply.headers["allow"]) == (405, True)
    for target in FORMS:
        reply = preview.ask(target)
        assert (reply.status, reply.headers["allow"]) == (405, "POST")
    for target in ("/nothing", "/frame/", "/state/x", "/?issue=99"):
        reply = preview.ask(target)
        assert reply.status == 404
        assert len(reply.body.splitlines()) == 1
        assert reply.headers["content-type"].startswith("text/plain")
    assert "there is no issue 99" in preview.ask("/?issue=99").text
    assert preview.ask("/", "HEAD").body == b""


def test_nonsense_does_not_stop_it(preview: Preview) -> None:
    for request in (
        b"\r\n\r\n",
        b"\x16\x03\x01\x00\xa5\x01\x00\x00",
        b"GET\r\n\r\n",
        b"GET / HTTP/9\r\n\r\n",
    ):
        assert preview.raw(request).status in (0, 400)
    host = preview.host.encode()
    assert preview.raw(b"GET /\xff\xfe HTTP/1.1\r\nHost: " + host + b"\r\n\r\n").status in (400, 404)
    assert preview.raw(b"GET /?view=%FF%00 HTTP/1.1\r\nHost: " + host + b"\r\n\r\n").status == 200
    assert preview.ask("/").status == 200


# --- the command -------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_is_the_ordinary_end(sample: Letter, number: int) -> None:
    with previewing(sample) as preview, preview.listening() as listener, preview.connect() as idle:
        assert listener.version
        assert preview.said == f"Preview of issue 1: {preview.url}  Ctrl-C stops it"
        code, err = preview.ends(number)
        assert (code, err) == (0, "")
        with pytest.raises(EOFError):
            listener.next()
        assert listener.ended
        with suppress(ConnectionResetError):
            assert idle.recv(1) == b""


def test_a_port_that_is_taken_is_said_or_passed_over(sample: Letter) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        ran = sample.run("preview", "-p", str(port))
        assert ran.code == 1
        assert re.search(rf"port {port} .* cannot be had: .*newsletter preview -p 0", ran.err)


def test_it_is_for_this_machine_only(sample: Letter) -> None:
    for address in ("0.0.0.0", "::", "192.0.2.1", "example.org"):
        ran = sample.run("preview", "-b", address)
        assert ran.code == 2, ran
        assert "for this machine only" in ran.err
        assert "ssh -L" in ran.err


def test_an_issue_that_is_not_there_is_said(sample: Letter) -> None:
    ran = sample.run("preview", "7")
    assert (ran.code, ran.out) == (1, "")
    assert "there is no issue 7; the next one is 1" in ran.err


def test_without_its_packages_it_says_how_to_have_them(tmp_path: Path, sample: Letter) -> None:
    # A package of that name that is none, found first, is as good as none.
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty/watchfiles.py").write_text("raise ModuleNotFoundError(name='watchfiles')")
    ran = sample.run("preview", env={"PYTHONPATH": os.fspath(tmp_path / "empty")})
    assert ran.code == 1
    assert "pip install '.[web]'" in ran.err
