"""Feed readers see the posts as they are: every word once, every date in its zone, nothing of the moment."""

from __future__ import annotations

import json
import locale
import os
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from lxml import etree
from support.feeds import read, valid, valid_json

from pipeline.model import Entry, Feed
from pipeline.render.feeds.jsonfeed import json_feed
from pipeline.render.feeds.xml import atom, filename, rss

NEW_YORK = ZoneInfo("America/New_York")
WINTER = datetime(2025, 12, 15, 9, tzinfo=NEW_YORK)
SUMMER = datetime(2025, 7, 1, 9, tzinfo=NEW_YORK)
SITE = "https://letter.example.org"
ATOM = "{http://www.w3.org/2005/Atom}"
CONTENT = "{http://purl.org/rss/1.0/modules/content/}encoded"
HOSTILE = (
    "a < b & c > \"d\" 'e' </title> ]]> <![CDATA[ &amp; &#x3c; <script>x</script> "
    "\x00\x08\x1b\ud800\ufffe\U0001f9e0 é"
)
PLAIN = HOSTILE.translate(dict.fromkeys([0, 8, 0x1B, 0xD800, 0xFFFE]))

SNOW = Entry(
    id="tag:letter.example.org,2026:post/snow",
    url=f"{SITE}/posts/snow/",
    title="Snow & <light>",
    published=WINTER,
    updated=WINTER,
    authors=("Ana Ortiz", "The newsletter desk"),
    category="Triggers",
    tags=("Winter light", "Triggers", "winter light"),
    excerpt="Why <white> & bright hurts.",
    html="<p>Why <em>white</em> &amp; bright hurts.</p>",
    image=f"{SITE}/posts/snow/snow.png",
)
SONNE = replace(
    SNOW,
    id="tag:letter.example.org,2026:post/sonne",
    url=f"{SITE}/posts/sonne/",
    title="Sonne",
    published=SUMMER,
    updated=SUMMER + timedelta(days=3),
    authors=(),
    lang="de",
    image="",
)
FEED = Feed(
    id="tag:letter.example.org,2026:feeds/all",
    title="The Headache Letter",
    subtitle="Once a week",
    url=f"{SITE}/",
    folder=f"{SITE}/feeds/",
    name="all",
    language="en",
    author="The newsletter desk",
    updated=WINTER,
    entries=(SNOW, SONNE),
)
FORMS = pytest.mark.parametrize("make", [rss, atom], ids=["rss", "atom"])


@FORMS
@pytest.mark.parametrize("excerpts", [False, True])
def test_feed_readers_take_it_without_a_complaint(make, excerpts) -> None:
    data = make(FEED, excerpts)
    valid(data)
    found = read(data)
    assert found.feed.title == FEED.title
    assert found.feed.link == FEED.url
    assert found.feed.language == "en"
    form = make.__name__
    links = {(link.rel, link.href, link.type) for link in found.feed.links}
    assert ("self", FEED.folder + filename(FEED, form, excerpts), f"application/{form}+xml") in links
    assert len(links) == 2


@FORMS
def test_entries_say_what_the_posts_say_in_the_same_order(make) -> None:
    snow, sonne = read(make(FEED)).entries
    assert (snow.id, snow.link) == (SNOW.id, SNOW.url)
    assert sonne.id == SONNE.id
    assert [link.rel for link in snow.links] == ["alternate"]
    assert [term.get("label") or term.term for term in snow.tags] == ["Triggers", "Winter light"]
    assert snow.content[0].value == SNOW.html
    assert [author.name for author in snow.authors if author.get("name")] == list(SNOW.authors)


def test_every_form_tells_the_same_ids_titles_links_and_moments() -> None:
    def of(data: bytes) -> list[tuple]:
        return [(e.id, e.title, e.link, e.published_parsed) for e in read(data).entries]

    assert of(rss(FEED)) == of(atom(FEED))
    updated = [tuple(e.updated_parsed) for e in read(atom(FEED)).entries]
    assert updated == [tuple(e.updated.utctimetuple()) for e in FEED.entries]
    items = valid_json(json_feed(FEED))["items"]
    assert [(item["id"], item["url"]) for item in items] == [(e.id, e.url) for e in FEED.entries]
    assert [datetime.fromisoformat(item["date_published"]) for item in items] == [WINTER, SUMMER]


def test_dates_keep_the_offset_of_their_own_day() -> None:
    root = valid(atom(FEED))
    assert [node.text for node in root.iter(f"{ATOM}published")] == [
        "2025-12-15T09:00:00-05:00",
        "2025-07-01T09:00:00-04:00",
    ]
    assert root.findtext(f"{ATOM}updated") == "2025-12-15T09:00:00-05:00"
    channel = valid(rss(FEED))[0]
    assert (
        channel.findtext("pubDate") == channel.findtext("lastBuildDate") == "Mon, 15 Dec 2025 09:00:00 -0500"
    )
    assert [item.findtext("pubDate") for item in channel.iter("item")][1] == "Tue, 01 Jul 2025 09:00:00 -0400"
    assert [item.findtext(f"{ATOM}updated") for item in channel.iter("item")] == [
        None,
        "2025-07-04T09:00:00-04:00",
    ]


@pytest.mark.parametrize(
    ("when", "said"),
    [
        (
            datetime(1900, 1, 1, tzinfo=timezone(timedelta(minutes=19, seconds=32))),
            "1899-12-31T23:40:28+00:00",
        ),
        (datetime(2025, 1, 1, 0, 0, 0, 123456, UTC), "2025-01-01T00:00:00+00:00"),
    ],
)
def test_moments_that_formats_cannot_write_are_the_same_moment_in_one_they_can(when, said) -> None:
    feed = replace(FEED, entries=(replace(SNOW, published=when, updated=when),))
    assert valid(atom(feed)).findtext(f"{ATOM}entry/{ATOM}published") == said
    valid(rss(feed))
    assert valid_json(json_feed(feed))["items"][0]["date_published"] == said


def test_the_excerpt_form_leaves_the_whole_text_out() -> None:
    item = valid(rss(FEED, excerpts=True)).find("channel/item")
    assert item.findtext("description") == "Why &lt;white&gt; &amp; bright hurts."
    assert item.find(CONTENT) is None
    entry = valid(atom(FEED, excerpts=True)).find(f"{ATOM}entry")
    assert entry.findtext(f"{ATOM}summary") == SNOW.excerpt
    assert entry.find(f"{ATOM}content") is None
    assert b"all.excerpts.rss.xml" in rss(FEED, excerpts=True)


def test_another_language_is_said_where_it_is_spoken() -> None:
    lang = "{http://www.w3.org/XML/1998/namespace}lang"
    root = valid(atom(FEED))
    assert [root.get(lang), *(entry.get(lang) for entry in root.iter(f"{ATOM}entry"))] == ["en", None, "de"]
    assert [item.get(lang) for item in valid(rss(FEED)).iter("item")] == [None, "de"]
    assert [item["language"] for item in valid_json(json_feed(FEED))["items"]] == ["en", "de"]


def test_hostile_words_arrive_as_words() -> None:
    entry = replace(
        SNOW,
        title=HOSTILE,
        excerpt=HOSTILE,
        authors=(HOSTILE,),
        category=HOSTILE,
        tags=(HOSTILE + "2",),
        html=f"<p>{HOSTILE}</p>",
        lang="x\x00'><y",
        image="https://e.example/\x00a",
    )
    feed = replace(FEED, title=HOSTILE, subtitle=HOSTILE, author=HOSTILE, entries=(entry,))
    document = valid_json(json_feed(feed))
    assert document["items"][0]["title"] == document["title"] == PLAIN
    atoms = valid(atom(feed))
    assert atoms.findtext(f"{ATOM}entry/{ATOM}title") == atoms.findtext(f"{ATOM}title") == PLAIN
    assert atoms.findtext(f"{ATOM}entry/{ATOM}author/{ATOM}name") == PLAIN
    assert atoms.findtext(f"{ATOM}entry/{ATOM}content") == f"<p>{PLAIN}</p>"
    item = valid(rss(feed)).find("channel/item")
    assert item.findtext("title") == PLAIN
    assert item.findtext("{http://purl.org/dc/elements/1.1/}creator") == PLAIN
    assert item.findtext(CONTENT) == f"<p>{PLAIN}</p>"
    for data in (rss(feed), atom(feed)):
        read(data)


@FORMS
def test_a_title_of_nothing_but_control_characters_still_makes_an_entry(make) -> None:
    feed = replace(FEED, subtitle="", author="", entries=(replace(SNOW, title="\x01 ", excerpt="", html=""),))
    valid(make(feed))
    assert valid_json(json_feed(feed))["items"][0]["title"] == SNOW.url


@FORMS
def test_an_address_that_is_none_of_the_web_is_never_a_link_to_click(make) -> None:
    root = etree.fromstring(make(replace(FEED, entries=(replace(SNOW, url="javascript:alert(1)"),))))
    links = [node.get("href") for node in root.iter("{http://www.w3.org/1999/xhtml}a")]
    assert links == [FEED.url, None]


@FORMS
def test_a_feed_without_entries_is_a_feed(make) -> None:
    feed = replace(FEED, entries=())
    valid(make(feed))
    valid_json(json_feed(feed))


def test_the_library_leaves_no_stamp_of_its_own() -> None:
    for data in (rss(FEED), atom(FEED)):
        assert b"feedgen" not in data
        assert b"lkiesow" not in data
        assert str(datetime.now(UTC).year).encode() not in data.replace(b",2026:", b"")
    assert valid(rss(FEED)).findtext("channel/generator") == "newsletter-pipeline"
    generator = valid(atom(FEED)).find(f"{ATOM}generator")
    assert (generator.text, dict(generator.attrib)) == ("newsletter-pipeline", {})


def test_the_process_keeps_its_locale_untouched(monkeypatch) -> None:
    def refuse(*arguments: object) -> None:
        raise AssertionError("setlocale is process-wide")

    monkeypatch.setattr(locale, "setlocale", refuse)
    rss(FEED)
    atom(FEED)


def test_another_process_at_another_time_writes_the_same_bytes() -> None:
    script = (
        "import sys, hashlib, runpy\n"
        "sys.path[:0] = [sys.argv[1], sys.argv[1] + '/tests']\n"
        "t = runpy.run_path(sys.argv[2])\n"
        "data = t['rss'](t['FEED']) + t['atom'](t['FEED'], True) + t['json_feed'](t['FEED'])\n"
        "sys.stdout.write(hashlib.sha256(data).hexdigest())\n"
    )
    root = Path(__file__).parents[2]
    answers = {
        subprocess.run(
            [sys.executable, "-c", script, str(root), __file__],
            env={**os.environ, "PYTHONHASHSEED": seed, "TZ": zone, "LC_ALL": "C.UTF-8"},
            capture_output=True,
            check=True,
            timeout=60,
        ).stdout
        for seed, zone in (("1", "Asia/Tokyo"), ("2", "America/Lima"))
    }
    assert len(answers) == 1


def test_json_is_written_for_people_too() -> None:
    data = json_feed(FEED)
    assert data.endswith(b"}\n")
    document = json.loads(data)
    assert document["feed_url"] == f"{SITE}/feeds/all.json"
    assert document["items"][0]["tags"] == ["Triggers", "Winter light"]
    assert document["items"][0]["image"] == SNOW.image
    assert "authors" not in document["items"][1]
