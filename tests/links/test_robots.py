"""robots.txt as RFC 9309 reads it."""

from __future__ import annotations

import time

import pytest

from pipeline.links.robots import LONGEST_PAUSE, read_robots

SITE = "https://example.org"

#: What the file says, a path, and whether it may be asked for.
CASES = [
    ("", "/", True),
    ("User-agent: *\nDisallow:", "/a", True),
    ("User-agent: *\nDisallow: /", "/a", False),
    ("User-agent: *\nDisallow: /", "", False),
    ("user-AGENT:*\r\ndisALLOW:/a", "/a/b", False),
    ("\ufeffUser-agent: *\nDisallow: /a", "/a", False),
    ("User-agent: * # all\nDisallow: /a # not this", "/a", False),
    # The longest rule decides, wherever it stands; Allow where two are as long (2.2.2).
    ("User-agent: *\nAllow: /\nDisallow: /a", "/a", False),
    ("User-agent: *\nDisallow: /a\nAllow: /a/b", "/a/b/c", True),
    ("User-agent: *\nDisallow: /a\nAllow: /a", "/a", True),
    # Wildcards (2.2.3).
    ("User-agent: *\nDisallow: /*.gif$", "/x/y.gif", False),
    ("User-agent: *\nDisallow: /*.gif$", "/x/y.gif?z", True),
    ("User-agent: *\nDisallow: /*/private/*/end", "/a/private/b/end/of", False),
    ("User-agent: *\nDisallow: /a$", "/a", False),
    ("User-agent: *\nDisallow: /a$", "/ab", True),
    ("User-agent: *\nDisallow: /a*a$", "/a", True),
    ("User-agent: *\nDisallow: *?q=", "/x?q=1", False),
    # One path written in two ways (2.2.2).
    ("User-agent: *\nDisallow: /ä b", "/%c3%A4%20b", False),
    ("User-agent: *\nDisallow: /%7Ejoe", "/~joe", False),
    ("User-agent: *\nDisallow: /a%2Fb", "/a/b", True),
    # Groups (2.2.1): ours before everybody's, all of ours as one, several names for one.
    ("User-agent: other\nDisallow: /", "/a", True),
    ("User-agent: newsletter-pipeline\nDisallow: /a\nUser-agent: *\nDisallow: /b", "/b", True),
    ("User-agent: NEWSLETTER-Pipeline/2.0\nDisallow: /a", "/a", False),
    ("User-agent: newsletter\nDisallow: /a", "/a", True),
    ("User-agent: x\nUser-agent: newsletter-pipeline\nUser-agent: y\nDisallow: /a", "/a", False),
    ("User-agent: *\nDisallow: /a\n\nUser-agent: x\nDisallow: /\n\nUser-agent: *\nDisallow: /b", "/b", False),
    ("User-agent: *\n\nDisallow: /a", "/a", False),
    ("User-agent: *\nSitemap: /s\nDisallow: /a", "/a", False),
    ("Disallow: /\nUser-agent: *\nAllow: /a", "/b", True),
    ("User-agent: newsletter-pipeline\nDisallow: /a\nUser-agent: x\nDisallow: /b", "/b", True),
]


@pytest.mark.parametrize(("text", "path", "allowed"), CASES)
def test_a_rule_means_what_the_rfc_says(text, path, allowed):
    assert read_robots(text.encode()).allows(SITE + path) is allowed


@pytest.mark.parametrize(
    ("value", "pause"),
    [("2", 2.0), ("0.5", 0.5), ("99999", LONGEST_PAUSE), ("²", 0.0), ("-1", 0.0), ("x", 0.0)],
)
def test_a_pause_is_a_plain_number_within_reason(value, pause):
    assert read_robots(f"User-agent: *\nCrawl-delay: {value}".encode()).pause == pause


def test_a_rule_made_to_take_for_ever_does_not():
    text = "User-agent: *\n" + "\n".join(f"Disallow: /{'*a' * 200}{n}$" for n in range(500))
    rules = read_robots(text.encode())
    began = time.process_time()
    assert rules.allows(f"{SITE}/{'a' * 5000}")
    assert time.process_time() - began < 5
