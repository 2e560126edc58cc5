"""What a site answers, and what an editor is told of it."""

from __future__ import annotations

import time

import pytest
from support.certificates import server_context
from support.elsewhere import Site, by_method, endless, raw, reply, silent, to

from pipeline.model import LinkState

HTTP = b"HTTP/1.1 200 OK\r\n"
NOT_HTTP = raw(b"220 mail.example ESMTP ready\r\n\r\n")

#: Path, what the site does there, the state, and words that must be said.
ANSWERS = {
    "alive": (reply(200), LinkState.ALIVE, "200"),
    "empty": (reply(204), LinkState.ALIVE, "204"),
    "missing": (reply(404), LinkState.DEAD, "404 (Not Found)"),
    "gone": (reply(410), LinkState.DEAD, "410 (Gone)"),
    "broken": (reply(500), LinkState.FAILING, "500 (Internal Server Error)"),
    "down": (reply(503), LinkState.FAILING, "503"),
    "strange": (reply(799), LinkState.FAILING, "799"),
    "bad-request": (reply(400), LinkState.FAILING, "400"),
    "members": (reply(401), LinkState.REFUSED_ROBOTS, "401"),
    "no-programs": (reply(403), LinkState.REFUSED_ROBOTS, "403 (Forbidden)"),
    "head-refused": (by_method(reply(405), reply(200)), LinkState.ALIVE, "200"),
    "head-unknown": (by_method(reply(501), reply(200)), LinkState.ALIVE, "200"),
    "head-disliked": (by_method(reply(403), reply(200)), LinkState.ALIVE, "200"),
    "head-lied-to": (by_method(reply(404), reply(200)), LinkState.ALIVE, "200"),
    "head-hung-up-on": (by_method(raw(b""), reply(200)), LinkState.ALIVE, "200"),
    "head-garbled": (by_method(NOT_HTTP, reply(200)), LinkState.ALIVE, "200"),
    "gone-for-get-too": (by_method(reply(200), reply(404)), LinkState.ALIVE, "200"),
    "hangs-up": (raw(b""), LinkState.FAILING, "closed the connection"),
    "not-http": (NOT_HTTP, LinkState.FAILING, "not HTTP"),
    "half-a-head": (raw(HTTP + b"X-Half: "), LinkState.FAILING, "closed the connection"),
    "endless-head": (endless(HTTP, b"X-More: of the same\r\n" * 50), LinkState.FAILING, "not HTTP"),
    "endless-body": (by_method(reply(405), endless(HTTP + b"\r\n", b"x" * 9999)), LinkState.ALIVE, "200"),
    "silent": (silent, LinkState.FAILING, "did not answer within 1 seconds"),
    "a-drip": (endless(HTTP, b"X", 0.05), LinkState.FAILING, "did not answer within 1 seconds"),
    "endless-continue": (
        endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n", 0.01),
        LinkState.FAILING,
        "did not answer within 1",
    ),
    "circle": (to("/circle"), LinkState.FAILING, "circle"),
    "redirect-to-garbage": (to("http://[::1"), LinkState.FAILING, "not an address"),
    "redirect-to-nowhere": (reply(302), LinkState.FAILING, "302"),
    "to-the-dead": (to("/missing"), LinkState.DEAD, "404"),
    "gone-for-good-to-the-dead": (to("/missing", 301), LinkState.DEAD, "404"),
    "to-no-host": (to("http://nowhere.invalid/"), LinkState.DEAD, "host that does not exist"),
    "to-this-network": (to("http://10.0.0.1/"), LinkState.NOT_CHECKED, "not a public one"),
    "to-the-cloud-s-keys": (to("http://169.254.169.254/latest"), LinkState.NOT_CHECKED, "not a public one"),
    "to-this-machine": (to("http://[::1]/"), LinkState.NOT_CHECKED, "not a public one"),
    "to-another-port": (to("http://8.8.8.8:25/"), LinkState.NOT_CHECKED, "port 25"),
    "to-a-file": (to("file:///etc/passwd"), LinkState.NOT_CHECKED, "only http and https"),
    "to-mail": (to("mailto:a@b.example"), LinkState.NOT_CHECKED, "only http and https"),
    "to-a-login": (to("http://u:p@b.example/"), LinkState.NOT_CHECKED, "name or a password"),
}


@pytest.fixture(scope="module")
def site():
    with Site({f"/{name}": action for name, (action, _, _) in ANSWERS.items()}) as site:
        yield site


@pytest.fixture(scope="module")
def answers(site, go):
    """Each link at a host of its own, so that nobody waits for a turn; all asked in one visit, as an issue's are."""
    urls = {name: site.url(f"/{name}", f"{name}.example") for name in ANSWERS}
    found = go(*urls.values(), link=1.0, hosts=20)
    return {name: found[url] for name, url in urls.items()}


@pytest.mark.parametrize("name", ANSWERS)
def test_each_answer_is_told_as_what_it_is(answers, name):
    _, state, words = ANSWERS[name]
    answer = answers[name]
    assert answer.state is state
    assert words in answer.why


def test_a_page_that_moved_for_good_is_told_with_its_new_address(go):
    actions = {"/old": to("/newer", 301), "/newer": to("/newest", 308), "/newest": reply(200)}
    with Site(actions) as site:
        answer = go(site.url("/old"))[site.url("/old")]
        kept = go(site.url("/old#part"))[site.url("/old#part")]
    assert (answer.state, answer.url) == (LinkState.MOVED, site.url("/newest"))
    assert kept.url == site.url("/newest#part")


def test_only_what_is_for_good_from_the_first_redirect_on_is_a_new_address(go):
    actions = {
        "/today": to("/tomorrow", 302),
        "/tomorrow": to("/always", 301),
        "/first-for-good": to("/then-for-now", 301),
        "/then-for-now": to("/always", 307),
    }
    with Site(actions) as site:
        found = go(site.url("/today"), site.url("/first-for-good"))
    assert [answer.state for answer in found.values()] == [LinkState.ALIVE, LinkState.MOVED]
    assert found[site.url("/first-for-good")].url == site.url("/then-for-now")


def test_a_removed_page_that_leads_to_the_first_one_offers_no_address_to_put_in_place(go):
    with Site({"/removed": to("/", 301)}) as site:
        answer = go(site.url("/removed"))[site.url("/removed")]
    assert (answer.state, answer.url) == (LinkState.MOVED, "")
    assert "first page" in answer.why


def test_a_move_from_https_to_http_is_no_address_to_put_in_place(go):
    with Site() as plain, Site({"/a": to(plain.url("/b"), 301)}, "localhost", server_context()) as safe:
        url = f"https://127.0.0.1:{safe.port}/a"
        assert go(url)[url].state is LinkState.ALIVE


def test_six_redirects_are_followed_no_further(go):
    actions = {f"/{n}": to(f"/{n + 1}") for n in range(9)}
    with Site(actions) as site:
        many, few = go(site.url("/3"), site.url("/4")).values()
        assert site.pages()[:6] == [f"HEAD /{n}" for n in range(3, 9)]
    assert many.state is LinkState.FAILING
    assert "more than 5 times" in many.why
    assert few.state is LinkState.ALIVE


def test_a_circle_is_gone_round_once(go):
    with Site({"/a": to("/b"), "/b": to("/a")}) as site:
        go(site.url("/a"))
    assert site.pages() == ["HEAD /a", "HEAD /b"]


def test_all_requests_for_one_link_share_its_time(go):
    def late(connection, asked):
        time.sleep(0.4)
        to(f"{asked.path}x")(connection, asked)

    with Site({f"/{'x' * n}": late for n in range(5)}) as site:
        (answer,) = go(site.url("/"), link=0.9).values()
    assert answer.why == "did not answer within 0.9 seconds"


def test_a_name_that_no_host_can_have_is_dead(go):
    def system(host, port):
        return [host.encode("idna").decode()]  # as getaddrinfo begins; raises UnicodeError

    with Site() as site:
        dead, _ = go(
            f"http://{'a' * 70}.example/",
            site.url("/"),
            look_up=lambda host, port: ["127.0.0.1"] if host == "site.example" else system(host, port),
        ).values()
    assert (dead.state, dead.why) == (LinkState.DEAD, "leads to a host that cannot exist")


@pytest.mark.parametrize("certificate", ["stranger", "other name", "expired"])
def test_a_certificate_that_no_browser_would_take_is_said_to_be_one(go, certificate):
    with Site(tls=server_context(certificate)) as site:
        url = f"https://127.0.0.1:{site.port}/"
        answer = go(url)[url]
    assert answer.state is LinkState.CERTIFICATE
    assert not site.asked


def test_a_good_certificate_must_be_the_host_s_own_though_the_connection_goes_to_a_number(go):
    with Site(tls=server_context("good")) as site:
        good, other = f"https://127.0.0.1:{site.port}/", site.url("/", "somebody.example")
        found = go(good, other)
    assert found[good].state is LinkState.ALIVE
    assert found[other].state is LinkState.CERTIFICATE
    assert "somebody.example" in found[other].why


def test_a_server_that_speaks_no_tls_is_failing(go):
    with Site() as site:
        url = f"https://127.0.0.1:{site.port}/"
        answer = go(url)[url]
    assert answer.state is LinkState.FAILING
    assert "TLS" in answer.why


@pytest.mark.parametrize(
    "url",
    [
        "http://",
        "http://[::1",
        "https:///path",
        "http://exa\nmple/",
        "http://\x00/",
        "http://a.example:99999/",
    ],
)
def test_what_is_no_address_is_dead_and_nobody_is_asked(go, url):
    answer = go(url)[url]
    assert answer.state is LinkState.DEAD
