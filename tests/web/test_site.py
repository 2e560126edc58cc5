"""The site below /: what a static host would answer, and nothing that was not published."""

from __future__ import annotations

import os
import threading
import time
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from pathlib import Path

import pytest
from starlette.datastructures import Headers
from support.http import Reply
from support.readers import House

from pipeline.model import SiteFile
from pipeline.publish.tree import publish
from pipeline.web.site import Site


def published(house: House, name: str) -> bytes:
    return (house.letter.root / "public" / name).read_bytes()


@pytest.mark.parametrize(
    ("target", "name", "kind", "freshness"),
    [
        ("/", "index.html", "text/html; charset=utf-8", "no-cache"),
        ("/issues/1/", "issues/1/index.html", "text/html; charset=utf-8", "no-cache"),
        ("/feeds/index.html?from=x", "feeds/index.html", "text/html; charset=utf-8", "no-cache"),
        ("/style.css", "style.css", "text/css; charset=utf-8", "public, max-age=300"),
        (
            "/feeds/all.rss.xml",
            "feeds/all.rss.xml",
            "application/rss+xml; charset=utf-8",
            "public, max-age=300",
        ),
        (
            "/feeds/all.atom.xml",
            "feeds/all.atom.xml",
            "application/atom+xml; charset=utf-8",
            "public, max-age=300",
        ),
        ("/feeds/all.json", "feeds/all.json", "application/feed+json; charset=utf-8", "public, max-age=300"),
        (
            "/feeds/botox.excerpts.rss.xml",
            "feeds/botox.excerpts.rss.xml",
            "application/rss+xml; charset=utf-8",
            "public, max-age=300",
        ),
    ],
)
def test_a_file_is_served_as_what_it_is(
    house: House, target: str, name: str, kind: str, freshness: str
) -> None:
    reply = house.http.ask(target)
    assert (reply.status, reply.body) == (200, published(house, name))
    assert reply.headers["content-type"] == kind
    assert reply.headers["cache-control"] == freshness
    head = house.http.ask(target, "HEAD")
    assert (head.status, head.body) == (200, b"")
    assert {**head.headers, "date": ""} == {**reply.headers, "date": ""}


def test_a_browser_shows_a_feed_as_its_sheet_says(house: House) -> None:
    # Chromium shows application/rss+xml and application/atom+xml as plain text.
    for target in ("/feeds/all.rss.xml", "/feeds/all.atom.xml"):
        seen = house.http.ask(target, Sec_Fetch_Dest="document")
        assert seen.headers["content-type"] == "application/xml; charset=utf-8"
        assert seen.headers["vary"] == house.http.ask(target).headers["vary"] == "Sec-Fetch-Dest"
    assert (
        house.http.ask("/feeds/all.json", Sec_Fetch_Dest="document")
        .headers["content-type"]
        .startswith("application/feed")
    )


def test_who_has_it_already_is_told_so(house: House) -> None:
    for target in ("/feeds/all.rss.xml", "/issues/1/", "/style.css"):
        first = house.http.ask(target)
        etag, modified = first.headers["etag"], first.headers["last-modified"]
        assert etag.startswith('"')
        assert parsedate_to_datetime(modified) <= datetime.now(UTC)
        for headers in (
            {"If_None_Match": etag},
            {"If_None_Match": f'"x", W/{etag}'},
            {"If_None_Match": "*"},
            {"If_Modified_Since": modified},
            {"If_Modified_Since": format_datetime(datetime.now(UTC), usegmt=True)},
        ):
            for method in ("GET", "HEAD"):
                again = house.http.ask(target, method, **headers)
                assert (again.status, again.body) == (304, b""), headers
                assert again.headers["etag"] == etag
                assert again.headers["cache-control"] == first.headers["cache-control"]
        for headers in (
            {"If_None_Match": '"x"'},
            # The tag is what counts, where both are there (RFC 9110, 13.1.3).
            {"If_None_Match": '"x"', "If_Modified_Since": modified},
            {"If_Modified_Since": "Sat, 01 Jan 2000 00:00:00 GMT"},
            {"If_Modified_Since": "yesterday"},
        ):
            assert house.http.ask(target, **headers).status == 200, headers


def test_who_wants_just_the_bytes_they_know_gets_no_others(house: House) -> None:
    first = house.http.ask("/style.css")
    etag, modified = first.headers["etag"], first.headers["last-modified"]
    long_ago = "Sat, 01 Jan 2000 00:00:00 GMT"
    for headers in (
        {"If_Match": f'"x", {etag}'},
        {"If_Match": "*"},
        {"If_Match": etag, "If_Unmodified_Since": long_ago},
        {"If_Unmodified_Since": modified},
        {"If_Unmodified_Since": "yesterday"},
    ):
        assert house.http.ask("/style.css", **headers).status == 200, headers
    for headers in (
        {"If_Match": '"x"'},
        # A weak tag says nothing of bytes (RFC 9110, 13.1.1).
        {"If_Match": f"W/{etag}"},
        {"If_Match": '"x"', "If_None_Match": etag},
        {"If_Unmodified_Since": long_ago},
    ):
        assert house.http.ask("/style.css", **headers).status == 412, headers


def test_a_file_that_is_published_again_unchanged_is_the_same_to_its_readers(tmp_path: Path) -> None:
    site, memory = Site(tmp_path / "public", ""), tmp_path / "site.json"

    def put(**files: bytes) -> None:
        (tmp_path / "public").mkdir(exist_ok=True)
        publish(
            tmp_path / "public",
            [SiteFile(f"{n}.html", repr(b), lambda b=b: b) for n, b in files.items()],
            memory,
        )

    def tag(name: str) -> str:
        found = site.answer(f"/{name}.html", Headers({}), head=True)
        assert found is not None
        return found.headers["etag"]

    put(one=b"a", two=b"b")
    before = tag("one"), tag("two")
    put(one=b"a", two=b"c")
    assert tag("one") == before[0]
    assert tag("two") != before[1]
    # Touched, or written again by hand with the same bytes: the same. Other bytes of the same length: another.
    (tmp_path / "public/one.html").write_bytes(b"a")
    assert tag("one") == before[0]
    (tmp_path / "public/one.html").write_bytes(b"z")
    assert tag("one") != before[0]


def test_a_folder_leads_to_its_page_and_nowhere_else(house: House) -> None:
    for target, to in (("/issues", "./issues/"), ("/issues/1", "./1/"), ("/feeds?x=y", "./feeds/")):
        reply = house.http.ask(target)
        assert (reply.status, reply.headers["location"]) == (308, to)
    for target in (
        "//evil.example",
        "//evil.example/",
        "/%2f%2fevil.example/..",
        "/\\evil.example",
        "/https:evil.example",
        "http://evil.example//evil.example",
    ):
        reply = house.http.ask(target, Host="evil.example")
        assert (reply.status, reply.headers.get("location")) == (404, None), target
    assert house.http.ask("http://evil.example/issues").headers["location"] == "./issues/"


@pytest.mark.parametrize(
    "target",
    [
        "/../newsletter.toml",
        "/..%2fnewsletter.toml",
        "/%2e%2e/newsletter.toml",
        "/%2e%2e%2fnewsletter.toml",
        "/%252e%252e/newsletter.toml",
        "/issues/../../newsletter.toml",
        "/..\\newsletter.toml",
        "/..%5cnewsletter.toml",
        "/./index.html",
        "/issues//1/",
        "//index.html",
        "/.newsletter-files",
        "/.git/config",
        "/issues/.hidden/x",
        "/%00index.html",
        "/index.html%00",
        "/%0aindex.html",
        "/etc/passwd",
        "/issues%2f1",
        "/issues%2F1/index.html",
        "/%2fetc%2fpasswd",
        "/outside.txt",
        "/away/passwd",
        "/away/",
        "/" + "x" * 300,
        "/" + "x/" * 2000,
        "/%ff%fe",
        "/index.html/",
        "/index.html/x",
        "/pipe",
    ],
)
def test_nothing_is_served_that_was_not_published(house: House, target: str) -> None:
    public = house.letter.root / "public"
    (house.letter.root / "outside.txt").write_text("a secret")
    if not (public / "outside.txt").is_symlink():
        (public / "outside.txt").symlink_to("../outside.txt")
        (public / "away").symlink_to("/etc")
        os.mkfifo(public / "pipe")
    for method in ("GET", "HEAD"):
        reply = house.http.ask(target, method)
        assert reply.status == 404
    assert b"This page is not here" in house.http.ask(target).body


def test_what_is_not_there_gets_the_sites_own_page(house: House) -> None:
    reply = house.http.ask("/nothing/at/all")
    assert (reply.status, reply.body) == (404, published(house, "404.html"))
    assert "etag" not in reply.headers


def test_the_site_is_only_read(house: House) -> None:
    for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND"):
        reply = house.http.ask("/issues/1/", method)
        assert (reply.status, reply.headers["allow"]) == (405, "GET, HEAD"), method
    for target in ("/subscribe", "/confirm/x", "/preferences/x", "/unsubscribe/x"):
        reply = house.http.ask(target, "DELETE")
        assert (reply.status, reply.headers["allow"]) == (405, "GET, HEAD, POST"), target
    assert house.http.ask("/healthz", "POST").headers["allow"] == "GET, HEAD"
    assert house.http.ask("/hooks/x").headers["allow"] == "POST"


def test_a_part_of_a_file_can_be_had(house: House) -> None:
    data = bytes(range(256)) * 4000
    (house.letter.root / "public/sound.mp3").write_bytes(data)

    def ask(wanted: str, **headers: str) -> Reply:
        return house.http.ask("/sound.mp3", Range=wanted, **headers)

    whole = house.http.ask("/sound.mp3")
    assert (whole.status, whole.body, whole.headers["accept-ranges"]) == (200, data, "bytes")
    for wanted, first, last in (
        ("bytes=0-0", 0, 0),
        ("bytes=5-600000", 5, 600_000),
        ("bytes=-10", 1_023_990, 1_023_999),
    ):
        part = ask(wanted)
        assert (part.status, part.body) == (206, data[first : last + 1]), wanted
        assert part.headers["content-range"] == f"bytes {first}-{last}/1024000"
    assert ask("bytes=1000000-9999999").body == data[1_000_000:]
    assert ask("bytes=10-", If_Range=whole.headers["etag"]).status == 206
    for other in ("bytes=9-1", "bytes=0-1,5-6", "lines=0-1", "bytes=x", "bytes=-"):
        assert ask(other).body == data, other
    assert ask("bytes=10-", If_Range='"x"').body == data
    for beyond in ("bytes=1024000-", "bytes=-0"):
        reply = ask(beyond)
        assert (reply.status, reply.headers["content-range"]) == (416, "bytes */1024000"), beyond
    assert house.http.ask("/sound.mp3", "HEAD", Range="bytes=0-1").headers["content-length"] == "1024000"


def test_pages_of_the_site_carry_their_policy_and_may_be_found(house: House) -> None:
    page = house.http.ask("/")
    policy = page.headers["content-security-policy"]
    for word in (
        "script-src 'none'",
        "object-src 'none'",
        "frame-ancestors 'none'",
        "https://letter.example.org",
    ):
        assert word in policy
    assert page.headers["x-robots-tag"] == "all"
    assert page.headers["x-content-type-options"] == "nosniff"
    drawing = house.letter.root / "public/act.svg"
    drawing.write_text('<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>')
    assert "script-src 'none'" in house.http.ask("/act.svg").headers["content-security-policy"]


def test_nobody_meets_half_a_site_while_it_is_published(tmp_path: Path) -> None:
    root, memory = tmp_path / "public", tmp_path / "site.json"

    def files(turn: int) -> list[SiteFile]:
        body = f"turn {turn} ".encode() * 20_000
        names = ["index.html", *(f"posts/p{n}/index.html" for n in range(5))]
        return [SiteFile(name, str(turn), lambda: body) for name in names]

    publish(root, files(0), memory)
    site, wrong, done = Site(root, ""), list[object](), threading.Event()

    def read() -> None:
        turn = 0
        while not done.is_set():
            for target in ("/", "/posts/p3/"):
                reply = site.answer(target, Headers({}), head=False)
                if (
                    reply is None
                    or len(set(bytes(reply.body).split(b"turn "))) != 2
                    or len(reply.body) < 140_000
                ):
                    wrong.append(reply and reply.body[:40])
                    continue
                seen = int(bytes(reply.body).split()[1])
                if seen < turn:
                    wrong.append((seen, turn))
                turn = seen
            time.sleep(0.0002)  # or nobody else gets to do anything

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    for turn in range(1, 9):
        publish(root, files(turn), memory)
    done.set()
    for reader in readers:
        reader.join()
    assert wrong == []


def test_a_site_that_is_just_being_exchanged_is_waited_for(tmp_path: Path) -> None:
    public, aside = tmp_path / "public", tmp_path / "aside"
    aside.mkdir()
    (aside / "index.html").write_text("here")
    # Where a system cannot exchange two folders at once, there is none between two renames.
    back = threading.Timer(0.01, lambda: aside.rename(public))
    back.start()
    found = Site(public, "").answer("/", Headers({}), head=False)
    back.join()
    assert found is not None
    assert found.body == b"here"
