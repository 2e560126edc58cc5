"""Whatever the sample's mail, pages and feeds point to is there, and all of them tell the same story."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from email import message_from_bytes, policy
from typing import Any

import html5lib
import pytest
from support.looks import checker, nu
from support.messages import by_python
from support.site import file_of, parse, targets, texts

SITE = "https://letter.example.org"
#: What `newsletter serve` answers, not the public folder.
SERVED = re.compile(rf"{SITE}/(subscribe|unsubscribe|preferences)\b")


@pytest.fixture(scope="module")
def ana(mails: list[bytes]) -> Any:
    """One reader's message, read."""
    [mail] = [data for data in mails if b"To: Ana <" in data]
    return by_python(mail)


@pytest.fixture(scope="module")
def headers(mails: list[bytes]) -> Any:
    return message_from_bytes(mails[0], policy=policy.default)


def pointed_to(html: str) -> Iterator[str]:
    for found in html5lib.parseFragment(html).iter():
        for attribute in ("href", "src"):
            if found.get(attribute):
                yield found.get(attribute)


def missing(found: Iterator[str], page: str, public: dict[str, bytes]) -> list[str]:
    return [
        target
        for target in found
        if not SERVED.match(target)
        and (file := file_of(target, page, SITE)) is not None
        and (file not in public or not has(public[file], target.partition("#")[2]))
    ]


def has(page: bytes, fragment: str) -> bool:
    return not fragment or f'id="{fragment}"'.encode() in page


def test_every_link_of_every_page_leads_somewhere(pages: dict[str, bytes], public: dict[str, bytes]) -> None:
    assert len(pages) == 15
    for path, data in pages.items():
        assert missing(targets(data), path, public) == [], path


def test_every_address_in_the_mail_leads_somewhere(ana: Any, headers: Any, public: dict[str, bytes]) -> None:
    in_text = re.findall(r"https://\S+", ana.text)
    in_html = [target for target in targets(ana.html.encode()) if target.startswith("http")]
    in_head = [headers["List-Archive"].strip("<> ")]
    for found in (in_text, in_html, in_head):
        assert any(target.startswith(SITE) for target in found)
        assert missing(iter(found), "", public) == []


def test_every_address_in_a_feed_leads_somewhere(public: dict[str, bytes]) -> None:
    feeds = [json.loads(data) for path, data in public.items() if path.endswith(".json")]
    for feed in feeds:
        found = [feed["home_page_url"], feed["feed_url"]]
        for item in feed["items"]:
            found += [item["url"], *pointed_to(item["content_html"])]
        assert missing(iter(found), "", public) == []
        assert all(target.startswith("http") for target in found)
    for path in (path for path in public if path.endswith(".xml")):
        found = re.findall(rb'(?:href="|<link>)(https://[^"<]+)', public[path])
        assert missing(map(bytes.decode, found), path, public) == [], path


def test_pages_and_mail_are_html_as_the_standard_says(pages: dict[str, bytes], ana: Any) -> None:
    for data in pages.values():
        parse(data)
    parse(ana.html.encode())


def test_the_nu_checker_has_nothing_to_say_of_a_page(sent: Any) -> None:
    assert nu(checker(), sorted((sent.root / "public").rglob("*.html"))) == []


#: What the mail does on purpose though the checker minds, and for whom.
ON_PURPOSE = {
    r"The “\w+” attribute on the “(table|td)” element is obsolete": "Outlook for Windows draws with Word's engine",
    r"xmlns:o": "Outlook for Windows reads its pixel density from the office namespace",
    r"CSS: “mso-": "Outlook for Windows",
    r"CSS: “supported-color-schemes”": "Apple Mail before 2020",
    r"CSS: “(color-scheme|text-decoration-skip-ink)”: Property": "in CSS since; the checker is older",
    r"The value “break-word” is deprecated": "mail clients do not know overflow-wrap: anywhere",
}


def test_the_nu_checker_says_of_the_mail_only_what_is_meant(sent: Any) -> None:
    said = nu(checker(), [sent.root / ".newsletter/issues/0001/email.html"])
    assert [message for message in said if not any(re.search(each, message) for each in ON_PURPOSE)] == []


def test_mail_text_page_and_feed_tell_the_same_posts_in_the_same_order(
    ana: Any, public: dict[str, bytes]
) -> None:
    page, mail = public["issues/1/index.html"], ana.html.encode()
    items = {item["title"]: item for item in json.loads(public["feeds/all.json"])["items"]}
    titles = [*texts(mail, "h1"), *texts(mail, "h3")]
    assert sorted(titles) == sorted(items)
    assert [title for title in (*texts(page, "h2"), *texts(page, "h3")) if title in items] == titles
    flat = " ".join(ana.text.split())
    places = [flat.index(title) for title in titles]
    assert places == sorted(places)
    for title in titles:
        post = public[file_of(items[title]["url"], "", SITE) or ""]
        assert title in texts(post, "h1")
        [day, *_] = texts(post, "time")
        for telling in (flat, " ".join(mail.decode().split()), " ".join(texts(page, "time"))):
            assert day in telling
        assert items[title]["summary"] in texts(page, "p") or title == titles[0]


def test_mail_text_and_page_say_the_same_of_the_issue(ana: Any, public: dict[str, bytes]) -> None:
    mail, page = (texts(data, "p") for data in (ana.html.encode(), public["issues/1/index.html"]))
    lines = ana.text.split("\r\n")
    [opening] = [line for line in lines if line.startswith("Issue 1 · ")]
    assert re.fullmatch(r"Issue 1 · January 4, 2026 · \d min read", opening)
    assert f"{opening} · View in browser" in mail
    assert opening in page
    [byline] = [line for line in lines if "Written by" in line]
    assert byline == "September 22, 2018 · Written by The newsletter desk"
    assert byline in mail
    assert byline.replace(" · ", " · Botox · ") in page
