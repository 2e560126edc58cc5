"""The sample newsletter: what a clone sends, and that its facts are those of its source."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import PurePosixPath

import pytest

from pipeline.collect.folder import Folder
from pipeline.settings import Settings
from pipeline.settings_file import FILE, load

#: Day, category, and words of the source that the post cannot do without.
FACTS = {
    "2007-09-22": ("Botox", ("Oliver Dolly", "CGRP", "12 years", "pain at the top")),
    "2018-09-22": ("Botox", ("Mayo Clinic", "11 people", "2013", "hemiplegic", "five preventive")),
    "2025-10-21": ("Alternative Therapies", ("A. Amorim", "University of California San Diego", "*PAIN*")),
    "2025-11-10": ("Alternative Therapies", ("seven days", "retreat")),
    "2025-11-15": ("Cluster headaches", ("G5", "Saudi Arabia", "New York Headache Center")),
    "2025-12-15": ("Alternative Therapies", ("*Headache*", "liraglutide", "Saxenda", "Ozempic", "Zepbound")),
}


@pytest.fixture(scope="module")
def settings(root) -> Settings:
    return load(root / FILE, {})


@pytest.fixture(scope="module")
def folder(root, settings) -> Folder:
    return Folder(root, settings)


@pytest.fixture(scope="module")
def posts(folder, settings):
    """The day a reader sees -> the post."""
    collection = folder.read()
    assert not collection.unreadable
    return {
        f"{post.published.astimezone(settings.newsletter.zone):%Y-%m-%d}": post for post in collection.posts
    }


def test_there_are_the_six_posts_of_the_source(posts):
    assert set(posts) == set(FACTS)


@pytest.mark.parametrize("day", FACTS)
def test_a_post_has_the_category_of_its_source_and_says_what_it_says(day, posts, folder):
    category, facts = FACTS[day]
    body = " ".join(folder.body(posts[day]).split())
    assert posts[day].category == category
    for fact in facts:
        assert fact.lower() in body.lower()


@pytest.mark.parametrize("day", FACTS)
def test_a_post_names_its_source_and_claims_no_other_author(day, posts, folder):
    written = date.fromisoformat(day)
    body = " ".join(folder.body(posts[day]).split())
    assert posts[day].authors == ("The newsletter desk",)
    assert "Alexander Mauskop, MD" in body
    assert "*Source: an article" in body
    assert f"{written:%B} {written.day}, {written.year}" in body


@pytest.mark.parametrize("day", FACTS)
def test_a_post_has_a_title_and_an_excerpt_that_fit_everywhere(day, posts):
    post = posts[day]
    assert 10 <= len(post.title) <= 78
    assert post.excerpt_given
    assert 40 <= len(post.excerpt) <= 160
    assert not post.findings


def test_the_two_long_posts_refer_to_one_another(posts):
    old, new = posts["2007-09-22"], posts["2018-09-22"]
    assert PurePosixPath(new.path).name in old.references
    assert PurePosixPath(old.path).name in new.references
    assert min(old.words, new.words) > 250


def test_all_three_kinds_of_head_are_shown(root, posts):
    openings = {(root / post.path).read_text("utf-8").split("\n", 1)[0][:3] for post in posts.values()}
    assert openings == {"---", "+++", "Tit"}


def test_one_post_leads(posts):
    assert [day for day, post in posts.items() if post.featured] == ["2018-09-22"]


def test_the_readers_are_nobody_and_of_every_kind(root):
    with (root / "readers.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 3
    assert all(row["email"].endswith("@example.com") and date.fromisoformat(row["confirmed"]) for row in rows)
    names = sorted((row["name"] for row in rows), key=len)
    assert names[0] == ""
    assert len(names[1]) < 6
    assert len(names[2]) > 30
    assert not names[2].isascii()


def test_no_post_is_left_out(posts):
    assert all(post.in_newsletter and not post.draft for post in posts.values())
