"""How it begins, what it says, what it survives, and how it ends."""

from __future__ import annotations

import re
import shutil
import signal
import socket
import threading
import time
from collections.abc import Iterator

import pytest
from support.http import PATIENCE, Reply, reply
from support.letter import CLOCK, SECRET, Letter
from support.readers import FORM, ONE_CLICK, TRUSTED, House, person, serve, token, words

from pipeline.errors import NewsletterError, ThemeError, UsageError
from pipeline.project import Project, open_project
from pipeline.store.driver import DRIVER
from pipeline.web import app
from pipeline.web.keeper import Open
from pipeline.web.limits import Limits
from pipeline.web.pages import Place
from pipeline.web.rehearsal import rehearse
from pipeline.web.serve import concerns, listen
from pipeline.web.visit import Visit

FILE = ".newsletter/newsletter.db"


@pytest.fixture
def other(sent: Letter) -> Iterator[House]:
    """A server of a test's own."""
    with serve(sent, env=TRUSTED) as http:
        yield House(sent, http)


def test_it_says_where_it_serves_and_what_readers_will_not_get(sent: Letter) -> None:
    with serve(sent) as http:
        assert http.said == f"Serving readers' pages at {http.url}  Ctrl-C stops it"
        code, err = http.ends()
    assert code == 0
    assert "warning: confirmations are not sent: the outbox mailer writes them into outbox/mail/" in err
    assert "warning: web.trusted_proxies is empty" in err
    assert err.endswith("Stopped; what was under way is finished.\n")
    plain = {
        "NEWSLETTER_WEB__URL": "http://letter.example.org",
        "NEWSLETTER_MAIL__MAILER": "smtp",
        "NEWSLETTER_MAIL__SMTP__PASSWORD_FILE": "/nowhere",
    }
    with serve(sent, "--site", "-b", "localhost", clock=None, env=plain) as http:
        assert "and the site at http://127.0.0.1:" in http.said
        assert "strict-transport-security" not in http.ask("/subscribe").headers
        # Nothing is pretended, so it is today; in the newsletter's zone that may still be yesterday.
        page = http.ask(f"/preferences/{token('preferences', 'ana@example.com')}").text
        days = [time.strftime("%Y-%m-%d", time.gmtime(time.time() + hours * 3600)) for hours in (12, 24)]
        assert any(f'min="{day}"' in page for day in days)
        _, err = http.ends(signal.SIGTERM)
    assert "warning: confirmations cannot be sent, so nobody can subscribe:" in err
    assert "Without https, mail programs offer no button to unsubscribe" in err


def test_what_cannot_be_served_is_said_at_once(sent: Letter) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(
            NewsletterError, match=f"port {port} of 127.0.0.1 cannot be had: .* Take another with -p"
        ):
            listen("127.0.0.1", port)
    # An address for documentation (RFC 5737) is no machine's: another port would not help.
    with pytest.raises(UsageError, match=r"^-b 192\.0\.2\.1: .* Name an address of this machine"):
        listen("192.0.2.1", 0)
    with pytest.raises(UsageError, match="Name an address of this machine"):
        listen("no.such.host.invalid", 0)
    sent.write(
        "templates/reader/preferences.html",
        '{% extends "reader/base.html" %}\n{% block main %}{{ oops }}{% endblock %}',
    )
    ran = sent.run("serve", "-p", "0")
    assert ran.code == 1
    assert "templates/reader/preferences.html:2: 'oops' is undefined" in ran.err
    (sent.root / "templates/reader/preferences.html").unlink()
    # Also what is in a letter only.
    sent.write("templates/letters/already.txt", "Hello.\n{{ oops }}\n")
    ran = sent.run("serve", "-p", "0")
    assert ran.code == 1
    assert "templates/letters/already.txt:2: 'oops' is undefined" in ran.err


def test_a_site_that_was_never_built_is_said_at_once_and_leads_into_no_dead_end(sent: Letter) -> None:
    with serve(sent, "--site") as http:
        assert "public/" not in http.ends()[1]
    shutil.rmtree(sent.root / "public")
    with serve(sent, "--site") as http:
        page = http.ask("/")
        assert page.status == 404
        button = re.search(r'<a class="button" href="([^"]+)"', page.text)
        assert button
        assert http.ask(f"/{button[1]}").status == 200
        _, err = http.ends()
    assert "warning: public/ is not there yet, so / leads nowhere. Make it with: newsletter build\n" in err


def test_links_that_lead_elsewhere_are_said_at_once(project: Project) -> None:
    def said(web_url: str, at: str = "http://127.0.0.1:8080/") -> bool:
        environ = {"NEWSLETTER_SECRET": SECRET, "NEWSLETTER_WEB__URL": web_url}
        found = "\n".join(concerns(open_project(project.root, CLOCK, environ), at, site=False))
        return f"web.url is {web_url}. Links in letters lead there, not to {at} here." in found

    assert said("http://localhost:8000")
    assert said("http://letter.example.org:8080")
    assert said("http://127.0.0.1")
    assert not said("http://localhost:8080")
    assert not said("http://127.0.0.1", "http://127.0.0.1:80/")
    assert not said("http://box.example:8080", "http://box.example:8080/")
    assert not said("https://letter.example.org")


def test_a_word_with_a_place_that_nothing_fills_is_said_at_once(sent: Letter) -> None:
    sent.write("templates/words/en.toml", 'asked_text = "Wait for {somebody}."\n')
    ran = sent.run("serve", "-p", "0")
    assert ran.code == 1
    assert "templates/words/en.toml:1: asked_text: nothing fills {somebody} here" in ran.err


def test_a_word_with_a_place_that_its_page_does_not_fill_is_said_at_once(project: Project) -> None:
    opened = Open(project)
    opened.pages._words = {**opened.pages._words, "asked_text": "Wait for {somebody}."}
    with pytest.raises(ThemeError, match=r"asked_text has a place \{somebody\} that nothing fills"):
        rehearse(Visit(project, opened.pages, project.now, Place(), "", Limits("1/day"), opened.categories))


def test_a_language_without_words_is_said_at_once_and_its_pages_are_english(sent: Letter) -> None:
    japanese = {"NEWSLETTER_NEWSLETTER__LANGUAGE": "ja"}
    with serve(sent, env=TRUSTED | japanese) as http:
        page = http.ask("/subscribe").text
        _, err = http.ends()
    assert '<html lang="en" dir="ltr">' in page
    assert "warning: for want of words in ja, pages and letters say everything in English. Write" in err
    with serve(sent, env=TRUSTED | {"NEWSLETTER_NEWSLETTER__LANGUAGE": "de"}) as http:
        page = http.ask("/subscribe").text
        _, err = http.ends()
    assert '<html lang="de" dir="ltr">' in page
    assert "Abonnieren</button>" in page
    assert "for want of words" not in err


def test_what_is_under_way_is_finished(other: House) -> None:
    email = other.reader()
    holder = DRIVER.connect(other.letter.root / FILE, isolation_level=None, check_same_thread=False)
    holder.execute("BEGIN IMMEDIATE")
    with other.http.connect() as wire:
        wire.sendall(
            f"POST /unsubscribe/{token('unsubscribe', email)} HTTP/1.1\r\nHost: x\r\nContent-Type: {FORM}\r\n"
            f"Content-Length: {len(ONE_CLICK)}\r\n\r\n{ONE_CLICK}".encode()
        )
        time.sleep(0.3)
        other.http.process.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        with pytest.raises(ConnectionRefusedError):
            other.http.connect()
        holder.execute("ROLLBACK")
        assert reply(wire).status == 200
    holder.close()
    assert other.http.process.wait(PATIENCE) == 0
    assert other.state(email) == "unsubscribed"


def test_a_store_that_fails_is_opened_again(other: House) -> None:
    email, store = other.reader(), other.letter.root / FILE
    link = f"/unsubscribe/{token('unsubscribe', email)}"
    assert other.http.ask("/healthz").text == "ok\n"
    for name in ("newsletter.db", "newsletter.db-wal", "newsletter.db-shm"):
        if store.with_name(name).exists():
            store.with_name(name).rename(store.with_name(f"{name}.away"))
    for _ in range(2):
        refused = other.http.one_click(link)
        assert (refused.status, refused.headers["retry-after"]) == (503, "30")
        assert "nothing has changed" in words(refused.text)
    assert other.http.ask("/healthz").status == 503
    assert other.http.post("/subscribe", {"email": "later@example.org"}).status == 503
    # Nothing was made in its place.
    assert not store.exists()
    for away in store.parent.glob("*.away"):
        away.rename(away.with_suffix(""))
    assert other.http.ask("/healthz").status == 200
    assert other.http.one_click(link).status == 200
    assert other.state(email) == "unsubscribed"
    code, err = other.http.ends()
    assert code == 0
    assert "newsletter: /unsubscribe/…: .newsletter/newsletter.db: " in err
    assert "Traceback" not in err


def test_a_store_that_does_not_answer_is_no_health(
    project: Project, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "PULSE", 0.3)
    project.store.put_subscribers([person("held@example.org", project.now)])
    holder = DRIVER.connect(project.root / FILE, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")

    def ask(line: str, body: str = "") -> Reply:
        head = f"{line} HTTP/1.1\r\nHost: x\r\nContent-Type: {FORM}\r\nContent-Length: {len(body)}\r\n\r\n"
        with socket.create_connection(("127.0.0.1", port)) as wire:
            wire.sendall(head.encode() + body.encode())
            return reply(wire)

    # Four that wait to write take all there is; nonsense is answered all the same.
    link = f"POST /unsubscribe/{token('unsubscribe', 'held@example.org')}"
    waiting = [threading.Thread(target=ask, args=(link, ONE_CLICK)) for _ in range(5)]
    for each in waiting:
        each.start()
    time.sleep(0.2)
    assert ask("GET /nothing").status == 404
    sick = ask("GET /healthz")
    assert (sick.status, sick.headers["content-type"]) == (503, "text/plain; charset=utf-8")
    holder.execute("ROLLBACK")
    holder.close()
    for each in waiting:
        each.join()
    assert ask("GET /healthz").status == 200


# --- every answer --------------------------------------------------------------------


def targets(house: House) -> list[str]:
    email, asks = house.reader(), "headers@example.org"
    confirm = house.asks(asks)
    return [
        "/subscribe",
        f"/confirm/{confirm}",
        f"/unsubscribe/{token('unsubscribe', email)}",
        f"/preferences/{token('preferences', email)}",
        "/unsubscribe/wrong",
        "/healthz",
        "/nothing",
        "/",
        "/feeds/all.rss.xml",
        "/issues",
    ]


def test_every_answer_says_what_it_may_do_and_sets_no_cookie(house: House) -> None:
    for target in targets(house):
        for answer in (house.http.ask(target), house.http.post(target, {"x": "y"})):
            headers = answer.headers
            assert headers["x-content-type-options"] == "nosniff", target
            assert headers["referrer-policy"] == "no-referrer", target
            assert "frame-ancestors 'none'" in headers["content-security-policy"], target
            assert "camera=()" in headers["permissions-policy"], target
            assert headers["strict-transport-security"] == "max-age=63072000", target
            assert "set-cookie" not in headers, target
            assert "server" not in headers, target
    for target in targets(house)[:5]:
        headers = house.http.ask(target).headers
        assert headers["cache-control"] == "no-store", target
        assert headers["x-robots-tag"] == "noindex", target
        policy = headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; style-src 'sha256-"), target
        assert "form-action 'self'" in policy, target
        assert "unsafe" not in policy


def test_a_proxy_that_was_asked_in_the_clear_says_so(house: House) -> None:
    assert "strict-transport-security" in house.http.ask("/subscribe", X_Forwarded_Proto="https").headers
    assert "strict-transport-security" not in house.http.ask("/subscribe", X_Forwarded_Proto="http").headers


def test_no_address_makes_a_page_many_times_as_long(project: Project, port: int) -> None:
    def ask(target: str) -> str:
        with socket.create_connection(("127.0.0.1", port)) as wire:
            wire.sendall(f"GET {target} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            return reply(wire).text

    usual, deep = ask("/a/b"), ask("/" * 60_000)
    assert len(deep) < len(usual) + 500
    assert 'href="../subscribe"' in usual
    assert 'href="/subscribe"' in deep


def test_head_says_what_get_says(house: House) -> None:
    for target in targets(house):
        got, asked = house.http.ask(target), house.http.ask(target, "HEAD")
        assert (asked.status, asked.body) == (got.status, b""), target
        assert {**asked.headers, "date": ""} == {**got.headers, "date": ""}, target


def test_nothing_comes_from_the_host_that_was_asked_for(house: House) -> None:
    for target in targets(house):
        usual = house.http.ask(target)
        for headers in (
            {"Host": "evil.example"},
            {"Host": "evil.example", "X_Forwarded_Host": "evil.example", "Forwarded": "host=evil.example"},
            {"X_Original_Url": "/evil.example", "X_Rewrite_Url": "/evil.example"},
        ):
            answer = house.http.ask(target, **headers)
            assert (answer.status, answer.body) == (usual.status, usual.body), target
            assert {**answer.headers, "date": ""} == {**usual.headers, "date": ""}, target
        absolute = house.http.ask(f"http://evil.example{target}")
        assert (absolute.status, absolute.body) == (usual.status, usual.body)


PREFETCH = (
    {},
    {"Purpose": "prefetch"},
    {"Sec_Purpose": "prefetch;prerender", "Sec_Fetch_Site": "none"},
    {"X_Moz": "prefetch", "Cookie": "a=b"},
    {"Accept": "*/*", "User_Agent": "Mozilla/5.0 (compatible; LinkScanner/1.0)", "If_None_Match": "*"},
)


def test_a_scanner_that_opens_every_link_changes_nothing(house: House) -> None:
    """Every address that a mail or a page holds, twice, in every way that reads."""
    links = targets(house)
    house.quiet()
    before = house.dump()
    for _ in range(2):
        for target in links:
            for headers in PREFETCH:
                for method in ("GET", "HEAD"):
                    assert house.http.ask(target, method, **headers).status < 500
    assert house.dump() == before
