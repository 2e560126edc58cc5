"""The sample's feeds: other people's parsers take them, and they change only when a post really does."""

from __future__ import annotations

import json
from calendar import timegm
from datetime import datetime
from typing import Any

import pytest
from lxml import etree
from support.feeds import read, valid, valid_json
from support.letter import Letter

ATOM = "{http://www.w3.org/2005/Atom}"
ALL = "feeds/all"
#: The post whose text is changed, and another format's head beside it.
OLD = "posts/2007-09-22-botox-muscles-and-messages.md"
LATER = "2026-01-06T08:00"


def entries(site: dict[str, bytes], feed: str = ALL) -> dict[str, tuple[str, str, str]]:
    """Each entry's id with its title, when it was published and when it last changed."""
    root = etree.fromstring(site[f"{feed}.atom.xml"])
    return {
        entry.findtext(f"{ATOM}id"): tuple(
            entry.findtext(ATOM + name) for name in ("title", "published", "updated")
        )
        for entry in root.iter(f"{ATOM}entry")
    }


def rebuilt(letter: Letter) -> dict[str, bytes]:
    ran = letter.run("build", clock=LATER)
    assert ran.code == 0, ran
    return letter.files("public")


def names(public: dict[str, bytes], ending: str) -> list[str]:
    return [path for path in public if path.startswith("feeds/") and path.endswith(ending)]


def test_feed_readers_take_every_feed_without_a_complaint(public: dict[str, bytes]) -> None:
    xml, lists = names(public, ".xml"), names(public, ".json")
    assert (len(xml), len(lists)) == (16, 4)
    for path in xml:
        valid(public[path])
        assert read(public[path]).entries, path
    for path in lists:
        assert valid_json(public[path])["items"], path


@pytest.mark.parametrize("feed", ["all", "botox", "alternative-therapies", "cluster-headaches"])
def test_all_forms_of_a_feed_say_the_same(public: dict[str, bytes], feed: str) -> None:
    def of(path: str) -> list[tuple[Any, ...]]:
        return [
            (e.id, e.title, e.link, timegm(e.published_parsed))
            for e in read(public[f"feeds/{feed}.{path}"]).entries
        ]

    items = [
        (i["id"], i["title"], i["url"], datetime.fromisoformat(i["date_published"]).timestamp())
        for i in json.loads(public[f"feeds/{feed}.json"])["items"]
    ]
    assert items
    for path in ("rss.xml", "atom.xml", "excerpts.rss.xml", "excerpts.atom.xml"):
        assert of(path) == items, path


def test_days_begin_at_midnight_in_the_newsletters_zone(public: dict[str, bytes]) -> None:
    days = [published for _, published, _ in entries(public).values()]
    assert days == [
        "2025-12-15T00:00:00-05:00",
        "2025-11-15T00:00:00-05:00",
        "2025-11-10T00:00:00-05:00",
        "2025-10-21T00:00:00-04:00",
        "2018-09-22T00:00:00-04:00",
        "2007-09-22T00:00:00-04:00",
    ]


def test_the_feed_carries_the_whole_text_and_its_author(public: dict[str, bytes]) -> None:
    for item in json.loads(public["feeds/all.json"])["items"]:
        assert item["authors"] == [{"name": "The newsletter desk"}]
        assert "Source: an article" in item["content_html"]
        assert item["content_html"].startswith("<p>")
    assert b"Source: an article" not in public["feeds/all.excerpts.rss.xml"]


def test_a_rebuild_changes_no_byte(mine: Letter) -> None:
    before = mine.files("public")
    assert rebuilt(mine) == before


def test_white_space_is_no_edit_and_words_are(mine: Letter) -> None:
    before = entries(mine.files("public"))
    text = (mine.root / OLD).read_text("utf-8")
    mine.write(OLD, text.rstrip("\n") + "  \n\n\n")
    assert entries(rebuilt(mine)) == before
    mine.write(OLD, text + "\nOne more sentence, which is news to every reader.\n")
    after = entries(rebuilt(mine))
    [changed] = [name for name in before if before[name] != after[name]]
    assert changed.endswith("botox-muscles-and-messages")
    assert before[changed][:2] == after[changed][:2]
    assert after[changed][2].startswith("2026-01-06T08:00")


def test_a_renamed_post_keeps_its_id_and_its_page(mine: Letter) -> None:
    before = mine.files("public")
    (mine.root / OLD).rename(mine.root / "posts/another-name.md")
    assert entries(rebuilt(mine)) == entries(before)
    assert "posts/botox-muscles-and-messages/index.html" in mine.files("public")


def test_a_post_with_another_date_keeps_its_id(mine: Letter) -> None:
    before = entries(mine.files("public"))
    text = (mine.root / OLD).read_text("utf-8")
    head, date, body = text.partition("2007-09-22")
    assert date
    mine.write(OLD, f"{head}2007-09-25{body}")
    after = entries(rebuilt(mine))
    assert set(before) == set(after)
    [changed] = [name for name in before if before[name] != after[name]]
    assert after[changed][1] == "2007-09-25T00:00:00-04:00"
