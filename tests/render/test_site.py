"""Which files the site has, when each is made again, and that none strays."""

from __future__ import annotations

import json
import os
from datetime import timedelta
from pathlib import Path
from unicodedata import normalize
from urllib.parse import unquote

import pytest
from support.site import START, SmallSite, targets

from pipeline.errors import PublishError

LISTS = {"index.html", "posts/index.html"}
WHOLE = {
    f"feeds/all.{form}" for form in ("rss.xml", "atom.xml", "json", "excerpts.rss.xml", "excerpts.atom.xml")
}


def of_category(slug: str) -> set[str]:
    forms = ("rss.xml", "atom.xml", "json", "excerpts.rss.xml", "excerpts.atom.xml")
    return {f"feeds/{slug}.{form}" for form in forms}


def page(slug: str) -> str:
    return f"posts/{slug}/index.html"


@pytest.fixture
def site(tmp_path: Path) -> SmallSite:
    """Six posts, oldest first p0 to p5; p1 links to p0; odd ones are about sleep."""
    site = SmallSite(tmp_path / "letter", feeds={"entries": 3})
    for day in range(6):
        body = "See [the first](p0.md)." if day == 1 else "Some words."
        category = "Sleep" if day % 2 else "Weather"
        site.write(f"p{day}", body, day, category=category, author="Ana", excerpt="In short.")
    site.freeze(1, "p0")
    return site


def changed(before: dict[str, str], after: dict[str, str]) -> set[str]:
    return {path for path in before | after if before.get(path) != after.get(path)}


def test_the_site_has_exactly_these_files(site: SmallSite) -> None:
    assert set(site.build()) == (
        {"style.css", "index.html", "404.html", "feeds/index.html", "feeds/feed.css", "issues/index.html"}
        | {"issues/1/index.html", "posts/index.html", "categories/sleep/index.html"}
        | {"categories/weather/index.html"}
        | {page(f"p{day}") for day in range(6)}
        | WHOLE
        | of_category("sleep")
        | of_category("weather")
    )


def test_two_builds_are_the_same_to_the_byte(site: SmallSite) -> None:
    assert site.build() == site.build()
    assert site.inputs() == site.inputs()


# --- what is made again when one thing changes ---------------------------------


def test_an_edited_old_text_changes_its_own_page_alone(site: SmallSite) -> None:
    before = site.inputs()
    site.write("p0", "Other words.", 0, category="Weather", author="Ana", excerpt="In short.")
    # p0 is the oldest of three about the weather, so it is in that feed too.
    assert changed(before, site.inputs()) == {page("p0")} | of_category("weather")


def test_an_edited_new_text_changes_its_page_and_the_feeds_it_is_in(site: SmallSite) -> None:
    before = site.inputs()
    site.write("p5", "Other words.", 5, category="Sleep", author="Ana", excerpt="In short.")
    assert changed(before, site.inputs()) == {page("p5")} | WHOLE | of_category("sleep")


def test_a_new_title_of_a_card_changes_every_page_that_shows_the_card(site: SmallSite) -> None:
    before = site.inputs()
    site.write(
        "p3", "Some words.", 3, category="Sleep", author="Ana", excerpt="In short.", title="Another title"
    )
    # p3 is a card under p4 and p5 (newest three without themselves), under p0, p1, p2 it is the third.
    expected = {page(f"p{day}") for day in range(6)} | LISTS | WHOLE | of_category("sleep")
    assert changed(before, site.inputs()) == expected | {"categories/sleep/index.html"}


def test_a_new_excerpt_of_an_old_post_changes_only_where_it_is_read(site: SmallSite) -> None:
    before = site.inputs()
    site.write("p0", "Some words.", 0, category="Weather", author="Ana", excerpt="In other words.")
    expected = {page("p0"), "categories/weather/index.html", "posts/index.html", "index.html"}
    assert changed(before, site.inputs()) == expected | of_category("weather")


def test_a_referenced_post_that_moves_changes_the_page_that_points_to_it(site: SmallSite) -> None:
    before = site.inputs()
    site.write("p0", "Some words.", 0, category="Weather", author="Ana", slug="elsewhere")
    made_again = changed(before, site.inputs())
    assert page("p1") in made_again
    assert page("elsewhere") in made_again
    assert page("p0") in made_again  # gone
    assert page("p2") not in made_again
    assert "posts/elsewhere/" in site.build()[page("p1")].decode()


def test_a_new_post_changes_every_page_by_its_card_but_renders_no_old_text_again(site: SmallSite) -> None:
    site.cache = site.root / "cache"
    site.build()
    site.write("p6", "New words.", 6, category="Sleep", author="Ana")
    before = site.inputs()
    files = site.build()
    assert site.source.asked == ["p6"]
    assert "Title of p6" in files[page("p0")].decode()
    assert before == site.inputs()


def test_what_a_crash_left_of_a_remembered_body_never_becomes_a_page(site: SmallSite) -> None:
    whole = site.build()
    site.cache = site.root / "cache"
    site.build()
    for file in site.cache.iterdir():
        file.write_bytes(file.read_bytes()[:-8])
    assert site.build() == whole
    assert sorted(site.source.asked) == [f"p{day}" for day in range(6)]
    assert site.build() == whole
    assert site.source.asked == []


def test_a_body_is_rendered_once_for_its_page_and_all_its_feeds(site: SmallSite) -> None:
    site.build()
    assert sorted(site.source.asked) == [f"p{day}" for day in range(6)]


def test_a_real_edit_that_the_store_saw_changes_the_feeds_and_no_page(site: SmallSite) -> None:
    before = site.inputs()
    site.updates["p4"] = START + timedelta(days=50)
    assert changed(before, site.inputs()) == WHOLE | of_category("weather")


def test_a_new_issue_changes_its_page_and_the_lists_of_issues(site: SmallSite) -> None:
    before = site.inputs()
    site.freeze(2, "p5")
    expected = {"issues/2/index.html", "issues/index.html", "index.html"}
    assert changed(before, site.inputs()) == expected


def test_words_and_templates_of_ones_own_change_all_pages_and_no_feed(site: SmallSite) -> None:
    before = site.inputs()
    (site.root / "templates" / "words").mkdir(parents=True)
    (site.root / "templates" / "words" / "en.toml").write_text('subscribe = "Join"\n', "utf-8")
    made_again = changed(before, site.inputs())
    assert made_again == {path for path in before if path.endswith(".html")} - {"issues/1/index.html"}


@pytest.mark.parametrize(
    "newsletter", [{"language": "de"}, {"timezone": "Asia/Tokyo"}, {"url": "https://x.example.org"}]
)
def test_settings_that_show_everywhere_change_everything_but_frozen_pages(
    site: SmallSite, newsletter: dict[str, str]
) -> None:
    before = site.inputs()
    site.set(newsletter=newsletter)
    unmoved = {"issues/1/index.html", "style.css", "feeds/feed.css"}
    assert changed(before, site.inputs()) == set(before) - unmoved


def test_a_stylesheet_of_ones_own_is_the_only_file_its_rules_change(site: SmallSite) -> None:
    before = site.inputs()
    (site.root / "templates" / "web").mkdir(parents=True)
    (site.root / "templates" / "web" / "site.css").write_text("p { color: red; }\n", "utf-8")
    assert "style.css" in changed(before, site.inputs())
    sheet = site.build()["style.css"].decode()
    assert sheet.startswith("p { color: red; }")
    assert ".tok-keyword" in sheet


def test_a_setting_of_the_mailer_changes_nothing(site: SmallSite) -> None:
    before = site.inputs()
    site.set(mail={"mailer": "smtp"}, checks={"clipping": "off"})
    assert changed(before, site.inputs()) == set()


def test_an_image_drawn_anew_is_published_again_even_with_its_old_time_and_size(site: SmallSite) -> None:
    picture = site.root / "posts" / "hill.png"
    picture.write_bytes(b"one")
    site.write("p0", "![Hill](hill.png)", 0, category="Weather", author="Ana")
    before = site.inputs()
    times = picture.stat()
    picture.write_bytes(b"two")
    os.utime(picture, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert changed(before, site.inputs()) == {"posts/p0/hill.png"}
    assert site.build()["posts/p0/hill.png"] == b"two"


def test_a_picture_that_goes_away_changes_the_page_that_showed_it(site: SmallSite) -> None:
    picture = site.root / "posts" / "hill.png"
    picture.write_bytes(b"one")
    site.write("p0", "![Hill](hill.png)", 0, category="Weather", author="Ana")
    before = site.inputs()
    picture.unlink()
    assert {page("p0"), "posts/p0/hill.png"} <= changed(before, site.inputs())


# --- feeds ---------------------------------------------------------------------


def test_feeds_hold_the_newest_posts_and_no_more_than_settings_allow(site: SmallSite) -> None:
    feed = json.loads(site.build()["feeds/all.json"])
    assert [item["title"] for item in feed["items"]] == ["Title of p5", "Title of p4", "Title of p3"]
    assert feed["items"][0]["content_html"].strip() == "<p>Some words.</p>"


def test_an_entry_is_updated_by_what_the_author_says_or_the_store_saw_whichever_is_later(
    site: SmallSite,
) -> None:
    site.set(newsletter={"timezone": "America/New_York"})
    site.write("p5", "Words.", 5, lastmod="2026-07-01T12:00:00+00:00")
    site.updates["p4"] = START + timedelta(days=10)
    site.updates["p5"] = START + timedelta(days=20)
    items = json.loads(site.build()["feeds/all.json"])["items"]
    assert items[0]["date_modified"] == "2026-07-01T08:00:00-04:00"  # summer time there
    assert items[0]["date_published"] == "2026-01-06T07:00:00-05:00"
    assert items[1]["date_modified"] == "2026-01-11T07:00:00-05:00"
    assert items[2]["date_modified"] == items[2]["date_published"]


def test_a_category_called_all_does_not_take_the_newsletters_own_feed(tmp_path: Path) -> None:
    site = SmallSite(tmp_path)
    site.write("one", category="All")
    site.write("two", day=1, category="Other")
    files = site.build()
    assert len(json.loads(files["feeds/all.json"])["items"]) == 2
    assert len(json.loads(files["feeds/category-all.json"])["items"]) == 1
    assert "feeds/category-all.rss.xml" in files["categories/all/index.html"].decode()


def test_categories_whose_names_make_the_same_address_share_a_page_that_names_both(tmp_path: Path) -> None:
    site = SmallSite(tmp_path)
    for day, name in enumerate(("C++", "C", "sleep", "Sleep", "Sleep", "???", "!!!")):
        site.write(f"p{day}", day=day, category=name)
    files = site.build()
    shared = files["categories/c/index.html"].decode()
    assert "<h1>C, C++</h1>" in shared
    assert "Title of p0" in shared
    assert "Title of p1" in shared
    assert "<h1>Sleep</h1>" in files["categories/sleep/index.html"].decode()
    assert "<h1>!!!, ???</h1>" in files["categories/category/index.html"].decode()


# --- where posts live elsewhere ------------------------------------------------------


def test_posts_that_live_elsewhere_have_no_page_here_and_cards_lead_there(site: SmallSite) -> None:
    site.set(posts={"url": "https://letter.example.org/blog/{year}/{slug}/"})
    files = site.build()
    assert not [path for path in files if path.startswith("posts/") and path != "posts/index.html"]
    assert 'href="https://letter.example.org/blog/2026/p5/"' in files["index.html"].decode()
    assert json.loads(files["feeds/all.json"])["items"][0]["url"].startswith(
        "https://letter.example.org/blog/"
    )


# --- paths ---------------------------------------------------------------------------


def test_static_files_are_taken_over_but_hidden_ones_and_ways_out_are_not(
    site: SmallSite, tmp_path: Path
) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("secret")
    static = site.root / "static"
    (static / "icons").mkdir(parents=True)
    (static / "icons" / "a.svg").write_text("<svg/>")
    (static / ".htpasswd").write_text("hidden")
    (static / "way-out.txt").symlink_to(secret)
    (static / "folder-out").symlink_to(tmp_path)
    files = site.build()
    assert files["icons/a.svg"] == b"<svg/>"
    assert not [path for path in files if "way-out" in path or "htpasswd" in path or "folder-out" in path]


@pytest.mark.parametrize("name", ["index.html", "Style.css", "posts", "FEEDS/all.json"])
def test_a_static_file_in_the_place_of_a_page_is_refused_with_both_names(site: SmallSite, name: str) -> None:
    file = site.root / "static" / name
    file.parent.mkdir(parents=True)
    file.write_text("mine")
    with pytest.raises(PublishError, match=r"the site's own") as caught:
        site.list()
    assert caught.value.path == f"static/{name}"


def test_a_picture_in_the_static_folder_is_published_once(site: SmallSite) -> None:
    (site.root / "static").mkdir()
    (site.root / "static" / "hill.png").write_bytes(b"png")
    site.write("p0", "![Hill](/hill.png)", 0)
    assert [file.path for file in site.list()].count("hill.png") == 1


@pytest.mark.parametrize("folder", ["static", "posts"])
def test_a_picture_with_the_name_a_mac_gives_it_is_found_where_its_link_says(
    site: SmallSite, folder: str
) -> None:
    name = "Bild\u00e4nderung 9.41\u202fAM.png"
    (site.root / folder).mkdir(exist_ok=True)
    (site.root / folder / normalize("NFD", name)).write_bytes(b"png")
    site.write("p0", f"![Hill](<{'/' if folder == 'static' else ''}{name}>)", 0)
    files = site.build()
    path = name if folder == "static" else f"posts/p0/{name}"
    assert files[path] == b"png"
    sources = [unquote(target) for target in targets(files[page("p0")])]
    assert f"../../{path}" in sources


def test_a_huge_file_is_refused_before_it_is_read(site: SmallSite) -> None:
    (site.root / "static").mkdir()
    with (site.root / "static" / "film.mp4").open("wb") as film:
        film.truncate(3_000_000_000)
    with pytest.raises(PublishError, match=r"3000 MB") as caught:
        site.list()
    assert caught.value.path == "static/film.mp4"


def test_a_frozen_page_is_published_byte_for_byte(site: SmallSite) -> None:
    subject, date, _ = site.issues.kept[1]
    site.issues.kept[1] = (subject, date, b"as it was\r\n")
    assert site.build()["issues/1/index.html"] == b"as it was\r\n"


def test_a_newsletters_own_template_may_use_front_matter_that_only_it_knows(site: SmallSite) -> None:
    site.write("p0", "Some words.", 0, mood="calm")
    (site.root / "templates" / "web").mkdir(parents=True)
    (site.root / "templates" / "web" / "post.html").write_text(
        '{% extends "built-in/web/post.html" %}'
        '{% block main %}{{ super() }}<p>{{ post.extra.mood|default("") }}</p>{% endblock %}'
    )
    assert "<p>calm</p>" in site.build()[page("p0")].decode()
