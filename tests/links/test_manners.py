"""How a visit behaves towards the sites it asks."""

from __future__ import annotations

import gzip
import itertools

import pytest
from support.elsewhere import Site, by_method, endless, raw, reply, silent, slow, to

from pipeline.links.robots import MOST_BYTES
from pipeline.model import LinkState


def robots(text: str):
    return {"/robots.txt": reply(200, text.encode())}


def test_a_host_is_asked_one_thing_at_a_time_with_a_pause_after_each(go):
    actions = {f"/{n}": slow(0.02) for n in range(3)} | {"/head": by_method(reply(405), reply(200))}
    with Site(actions) as site, Site({"/away": to(site.url("/2"))}) as other:
        # Another host redirects here too: that is a request to this host like any other.
        away = other.url("/away", "other.example")
        found = go(*(site.url(path) for path in actions), away, pause=0.15)
    assert {answer.state for answer in found.values()} == {LinkState.ALIVE}
    assert site.most_at_once == 1
    assert len(site.asked) == 7  # robots.txt, three pages, HEAD and GET of the fourth, and the redirect's
    times = sorted((each.began, each.ended) for each in site.asked)
    pauses = [later[0] - earlier[1] for earlier, later in itertools.pairwise(times)]
    assert min(pauses) > 0.14


def test_no_more_hosts_are_asked_at_once_than_the_limit_says(go):
    with Site({"/": slow(0.05)}) as site:
        urls = [site.url("/", f"host{n}.example") for n in range(6)]
        go(*urls, hosts=2)
    spans = [(each.began, each.ended) for each in site.asked if each.path == "/"]
    assert max(sum(a <= began < b for a, b in spans) for began, _ in spans) == 2


def test_every_request_says_who_asks_and_nothing_else(go):
    with Site({"/a": to("/b"), "/b": reply(200, set_cookie="id=1")} | robots("")) as site:
        go(
            site.url("/a"),
            site.url("/b"),
            site.url("/c"),
            agent="newsletter-pipeline/1 (+https://letter.example)",
        )
    for asked in site.asked:
        names = {line.partition(":")[0].lower() for line in asked.head.split("\r\n")[1:] if line}
        assert names == {"host", "user-agent", "accept", "accept-encoding", "connection"}
        assert asked.header("User-Agent") == "newsletter-pipeline/1 (+https://letter.example)"
        assert asked.header("Host") == f"site.example:{site.port}"


def test_two_places_in_one_page_are_one_question(go):
    with Site() as site:
        found = go(site.url("/page#one"), site.url("/page#two"), site.url("/page"))
    assert site.pages() == ["HEAD /page"]
    assert len(found) == 3


def test_what_robots_txt_forbids_is_not_asked(go):
    text = "User-agent: *\nDisallow: /private/\nDisallow: /*.pdf$\nAllow: /private/open"
    with Site(robots(text) | {"/go": to("/private/there")}) as site:
        paths = ["/private/a", "/paper.pdf", "/private/open", "/public", "/go"]
        states = [answer.state for answer in go(*map(site.url, paths)).values()]
    no, yes = LinkState.REFUSED_ROBOTS, LinkState.ALIVE
    assert states == [no, no, yes, yes, no]
    assert site.pages() == ["HEAD /private/open", "HEAD /public", "HEAD /go"]
    assert site.asked[0].path == "/robots.txt"


def test_a_site_may_speak_of_us_by_name(go):
    text = "User-agent: Newsletter-Pipeline\nDisallow: /\n\nUser-agent: *\nDisallow:"
    with Site(robots(text)) as site:
        (answer,) = go(site.url("/")).values()
    assert answer.state is LinkState.REFUSED_ROBOTS
    assert answer.why == "the site refuses robots"


@pytest.mark.parametrize(
    ("action", "state", "asked"),
    [
        pytest.param(reply(404), LinkState.ALIVE, True, id="none, so all is allowed"),
        pytest.param(reply(403), LinkState.ALIVE, True, id="not to be had, which RFC 9309 takes for none"),
        pytest.param(
            raw(b"HTTP/1.1 200 OK\r\n\r\n\xff\xfe\x00:::\n\n:"), LinkState.ALIVE, True, id="rubbish"
        ),
        pytest.param(to("/robots.txt"), LinkState.ALIVE, True, id="a circle"),
        pytest.param(reply(500), LinkState.NOT_CHECKED, False, id="broken, so nothing is known"),
        pytest.param(reply(429), LinkState.THROTTLED, False, id="too much already"),
        pytest.param(raw(b""), LinkState.FAILING, False, id="hangs up"),
        pytest.param(silent, LinkState.FAILING, False, id="silent"),
        pytest.param(
            to("http://10.0.0.1/robots.txt"), LinkState.NOT_CHECKED, False, id="leads to this network"
        ),
        pytest.param(
            reply(200, b"User-agent: *\n" + b"#" * MOST_BYTES + b"\nDisallow: /"),
            LinkState.ALIVE,
            True,
            id="huge: what comes after 500 KiB is not read",
        ),
        pytest.param(
            endless(b"HTTP/1.1 200 OK\r\n\r\nUser-agent: *\nDisallow: /\n", b"#" * 65536),
            LinkState.REFUSED_ROBOTS,
            False,
            id="endless",
        ),
        pytest.param(
            reply(200, gzip.compress(b"User-agent: *\nDisallow: /"), content_encoding="gzip"),
            LinkState.REFUSED_ROBOTS,
            False,
            id="packed though nobody asked for that",
        ),
        pytest.param(
            reply(
                200,
                gzip.compress(b"#" * 5_000_000 + b"\nUser-agent: *\nDisallow: /"),
                content_encoding="gzip",
            ),
            LinkState.ALIVE,
            True,
            id="packed, and larger than it looks",
        ),
        pytest.param(
            reply(200, b"User-agent: *\nDisallow: /", content_encoding="gzip"),
            LinkState.ALIVE,
            True,
            id="said to be packed",
        ),
    ],
)
def test_every_kind_of_robots_txt_is_survived(go, action, state, asked):
    with Site({"/robots.txt": action}) as site:
        (answer,) = go(site.url("/"), link=1.0).values()
    assert answer.state is state
    assert bool(site.pages()) is asked


def test_robots_txt_is_fetched_once_for_all_links_of_a_site(go):
    with Site() as site:
        go(*(site.url(f"/{n}") for n in range(4)))
    assert [each.path for each in site.asked].count("/robots.txt") == 1


def test_the_pause_a_site_asks_for_is_kept(go):
    with Site(robots("User-agent: *\nCrawl-delay: 0.3")) as site:
        go(site.url("/1"), site.url("/2"))
    first, second = (each for each in site.asked if each.path != "/robots.txt")
    assert second.began - first.ended > 0.29


@pytest.mark.parametrize("tired", [reply(429), reply(503, retry_after="90"), reply(429, retry_after="never")])
def test_a_site_that_asks_to_be_left_alone_is(go, tired):
    with Site({"/1": tired}) as site:
        found = go(site.url("/1"), site.url("/2"), site.url("/3"))
    assert {answer.state for answer in found.values()} == {LinkState.THROTTLED}
    assert site.pages() == ["HEAD /1"]


def test_links_beyond_the_limit_are_not_asked(go):
    with Site() as site:
        found = go(*(site.url(f"/{n}") for n in range(5)), links=3)
    assert [answer.state for answer in found.values()] == [LinkState.ALIVE] * 3 + [LinkState.NOT_CHECKED] * 2
    assert len(site.pages()) == 3


def test_what_is_left_when_time_is_over_was_not_checked(go):
    with Site({"/slow": silent}) as site:
        urls = [site.url("/fast", "fast.example"), site.url("/slow"), site.url("/after")]
        fast, slow_one, after = go(*urls, visit=0.5).values()
    assert fast.state is LinkState.ALIVE
    assert (slow_one.state, after.state) == (LinkState.NOT_CHECKED, LinkState.NOT_CHECKED)
    assert after.why == "there was no time left after 0.5 seconds"
