"""What a reader finds on the pages of the site."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import pytest
from support.site import XHTML, SmallSite, file_of, parse, targets, texts

TABLE = "| a | b |\n|---|---|\n| 1 | 2 |\n"
RICH = f"""First words.[^1]

## A heading

{TABLE}

```python
print("code")
```

![A hill](hill.png)

[^1]: A footnote.
"""
PNG = bytes.fromhex("89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489")


@pytest.fixture
def site(tmp_path: Path) -> SmallSite:
    """Five posts, two issues, everything a body can hold."""
    return filled(SmallSite(tmp_path / "letter"))


def filled(site: SmallSite) -> SmallSite:
    (site.root / "posts" / "hill.png").write_bytes(PNG)
    for day, slug in enumerate(("first", "second", "third", "fourth", "fifth")):
        site.write(
            slug,
            RICH if slug == "fifth" else "Some words.",
            day,
            category="Sleep" if day % 2 else "Weather",
            author="Dr A. Example",
            author_title="MD",
            excerpt=f"What {slug} says.",
        )
    site.freeze(1, "first", "second")
    site.freeze(2, "fifth", "third", "fourth", note="A word[^1]\n\n[^1]: and a note", whole=2, previous=1)
    return site


def test_every_page_is_html_without_a_fault(site: SmallSite) -> None:
    pages = {path: data for path, data in site.build().items() if path.endswith(".html")}
    assert len(pages) == 5 + 2 + 2 + len(
        ["index", "issues", "posts", "feeds", "404"]
    )  # posts, issues, categories, the lists
    for path, data in pages.items():
        assert data.startswith(b"<!doctype html>"), path
        parse(data)


@pytest.mark.parametrize("url", ["https://letter.example.org", "https://example.org/letters/weekly"])
def test_every_link_to_the_site_itself_leads_to_a_file_of_it(tmp_path: Path, url: str) -> None:
    site = filled(SmallSite(tmp_path / "letter", newsletter={"url": url}))
    files = site.build()
    followed = 0
    for path, data in files.items():
        if not path.endswith(".html"):
            continue
        for target in targets(data):
            file = file_of(target, path, url)
            if file is None or target == f"{url}/subscribe":
                continue
            assert file in files, f"{path} points to {target}"
            followed += 1
    assert followed > 150


def test_links_between_pages_hold_no_host_so_that_the_folder_can_move(site: SmallSite) -> None:
    files = site.build()
    for path in (
        "index.html",
        "posts/first/index.html",
        "categories/sleep/index.html",
        "issues/1/index.html",
    ):
        for found in parse(files[path]).iter():
            for attribute in ("href", "src"):
                target = found.get(attribute, "")
                assert (
                    not target.startswith("https://letter.example.org")
                    or found.get("rel") == "canonical"
                    or target.endswith("/subscribe")
                ), f"{path}: {target}"


def test_a_page_at_a_sub_path_names_its_own_address_and_its_feeds(tmp_path: Path) -> None:
    site = filled(SmallSite(tmp_path / "letter", newsletter={"url": "https://example.org/letter"}))
    files = site.build()
    page = files["posts/first/index.html"].decode()
    assert '<link rel="canonical" href="https://example.org/letter/posts/first/">' in page
    assert 'href="../../feeds/all.rss.xml"' in page
    lost = files["404.html"].decode()
    assert 'href="/letter/style.css"' in lost
    assert 'href="/letter/index.html"' in lost


def test_a_post_page_stands_in_the_order_of_a_printed_article(site: SmallSite) -> None:
    page = site.build()["posts/second/index.html"]
    words = " ".join("".join(parse(page).find(f".//{XHTML}main").itertext()).split())
    order = [
        "Title of second",
        "January 2, 2026",
        "Sleep",
        "1 min read",
        "Some words.",
        "Written by Dr A. Example, MD",
        "Continue reading",
        "January 5, 2026",
        "Weather",
        "Title of fifth",
        "What fifth says.",
        "Read article",
    ]
    places = [words.find(part) for part in order]
    assert -1 not in places
    assert places == sorted(places)
    assert texts(page, "h1") == ["Title of second"]


def test_three_cards_newest_first_and_never_the_post_itself(site: SmallSite) -> None:
    files = site.build()
    assert texts(files["posts/first/index.html"], "h3") == [
        "Title of fifth",
        "Title of fourth",
        "Title of third",
    ]
    assert texts(files["posts/fourth/index.html"], "h3") == [
        "Title of fifth",
        "Title of third",
        "Title of second",
    ]


def test_where_there_are_fewer_posts_there_are_fewer_cards_and_alone_there_are_none(tmp_path: Path) -> None:
    site = SmallSite(tmp_path)
    site.write("only")
    page = site.build()["posts/only/index.html"]
    assert "Continue reading" not in page.decode()
    site.write("other", day=1)
    assert texts(site.build()["posts/only/index.html"], "h3") == ["Title of other"]


def test_a_card_has_one_link_which_says_where_it_leads(site: SmallSite) -> None:
    page = parse(site.build()["posts/first/index.html"])
    cards = [found for found in page.iter(XHTML + "li") if found.get("class") == "card"]
    for card in cards:
        (link,) = card.iter(XHTML + "a")
        title = card.findtext(f"{XHTML}h3")
        assert link.get("aria-label") == f"Read article: {title}"
    assert len(cards) == 3


def test_headings_never_skip_a_level(site: SmallSite) -> None:
    for path, data in site.build().items():
        if path.endswith(".html"):
            levels = [int(tag[1]) for tag in re.findall(r"<(h[1-6])\b", data.decode())]
            assert levels[0] == 1, path
            assert levels.count(1) == 1, path
            assert all(after <= before + 1 for before, after in pairwise(levels)), path


def test_footnotes_and_pictures_stay_on_the_page(site: SmallSite) -> None:
    files = site.build()
    page = files["posts/fifth/index.html"]
    assert 'src="../../posts/fifth/hill.png"' in page.decode()
    assert files["posts/fifth/hill.png"] == PNG
    inner = [target for target in targets(page) if target.startswith("#c-")]
    ids = {found.get("id") for found in parse(page).iter() if found.get("id")}
    assert len(inner) == 2
    assert {target[1:] for target in inner} <= ids


def test_an_issue_page_with_several_posts_has_each_id_once(site: SmallSite) -> None:
    site.write("second", "Other words.[^1]\n\n[^1]: Of its own.", 1)
    site.freeze(3, "fifth", "second", "first", note="A word.[^1]\n\n[^1]: And a note.", whole=2)
    page = site.build()["issues/3/index.html"]
    ids = [found.get("id") for found in parse(page).iter() if found.get("id")]
    assert len(ids) == len(set(ids))
    inner = [target[1:] for target in targets(page) if target.startswith("#") and target != "#main"]
    assert len(inner) == 6
    assert set(inner) <= set(ids)


def test_an_issue_page_holds_what_the_mail_holds_lead_first(site: SmallSite) -> None:
    page = site.build()["issues/2/index.html"]
    assert texts(page, "h1") == ["Subject 2"]
    assert texts(page, "h2")[0] == "Title of fifth"
    assert "Title of third" in texts(page, "h2")
    assert texts(page, "h3") == ["Title of fourth"]
    assert "A word" in page.decode()
    assert "../../issues/1/index.html" in list(targets(page))
    assert "Previous" not in site.build()["issues/1/index.html"].decode()


def test_a_hostile_head_is_text_and_nothing_else(tmp_path: Path) -> None:
    hostile = "</title><script>alert(1)</script>\"'&{{ 7*7 }}"
    site = SmallSite(tmp_path, newsletter={"name": hostile, "tagline": hostile, "footer_note": hostile})
    for slug, day in (("one", 0), ("two", 1)):
        site.write(slug, "Words.", day, title=hostile, category=hostile, author=hostile, excerpt=hostile)
    site.freeze(1, "one", "two")
    files = site.build()
    for path, data in files.items():
        if path.endswith(".html"):
            page = parse(data)
            assert not list(page.iter(XHTML + "script")), path
            assert b"49" not in data.replace(b"2549", b""), path
    page = parse(files["posts/one/index.html"])
    assert page.find(f".//{XHTML}h1").text == hostile
    descriptions = [
        found.get("content") for found in page.iter(XHTML + "meta") if found.get("name") == "description"
    ]
    assert descriptions == ["alert(1)\"'&{{ 7*7 }}"]  # an excerpt loses its tags where it is read


def test_a_german_newsletter_writes_its_dates_in_german(tmp_path: Path) -> None:
    site = SmallSite(tmp_path, newsletter={"language": "de", "timezone": "Europe/Berlin"})
    site.write("eins", day=0, category="Schlaf")
    (tmp_path / "templates" / "words").mkdir(parents=True)
    (tmp_path / "templates" / "words" / "de.toml").write_text(
        'subscribe = "Abonnieren"\nfeed_notice = "Das ist ein Feed."\n', "utf-8"
    )
    files = site.build()
    page = files["posts/eins/index.html"].decode()
    assert "Das ist ein Feed." in files["feeds/schlaf.rss.xml"].decode()
    assert '<html lang="de" dir="ltr">' in page
    assert "1. Januar 2026" in page
    assert ">Abonnieren</a>" in page


def test_an_arabic_newsletter_runs_from_right_to_left_and_a_foreign_post_in_it_does_not(
    tmp_path: Path,
) -> None:
    site = SmallSite(tmp_path, newsletter={"language": "ar"})
    site.write("one", lang="en", category="Sleep", title="In English")
    site.write("two", day=1, title="عنوان", slug="عنوان")
    files = site.build()
    page = files["posts/one/index.html"].decode()
    assert '<html lang="ar" dir="rtl">' in page
    assert '<h1 lang="en" dir="ltr">In English</h1>' in page
    assert "posts/عنوان/index.html" in files
    assert (
        file_of(next(t for t in targets(files["index.html"]) if "%D8" in t), "index.html", "https://x")
        in files
    )


def test_the_day_is_the_newsletters_own(tmp_path: Path) -> None:
    site = SmallSite(tmp_path, newsletter={"timezone": "America/New_York"})
    site.write("late", date="2026-01-02T03:00:00+00:00")
    assert (
        '<time datetime="2026-01-01">January 1, 2026</time>' in site.build()["posts/late/index.html"].decode()
    )


def test_feeds_are_announced_the_whole_one_first_then_the_categorys(site: SmallSite) -> None:
    page = parse(site.build()["posts/second/index.html"])
    links = [found for found in page.iter(XHTML + "link") if found.get("rel") == "alternate"]
    assert [(found.get("type"), found.get("href")) for found in links] == [
        ("application/rss+xml", "../../feeds/all.rss.xml"),
        ("application/atom+xml", "../../feeds/all.atom.xml"),
        ("application/feed+json", "../../feeds/all.json"),
        ("application/rss+xml", "../../feeds/sleep.rss.xml"),
        ("application/atom+xml", "../../feeds/sleep.atom.xml"),
        ("application/feed+json", "../../feeds/sleep.json"),
    ]
    assert links[3].get("title") == "The Letter: Sleep"


def test_a_category_lists_all_its_posts_the_older_ones_without_excerpt(tmp_path: Path) -> None:
    site = SmallSite(tmp_path)
    for day in range(35):
        site.write(f"p{day}", day=day, category="Sleep", excerpt=f"Excerpt {day}.")
    page = site.build()["categories/sleep/index.html"].decode()
    assert "35 posts" in page
    assert page.index("Title of p34") < page.index("Title of p5<") < page.index("Title of p0<")
    assert "Excerpt 5." in page
    assert "Excerpt 4." not in page


def test_an_image_of_a_post_is_shown_where_its_link_is_shared(tmp_path: Path) -> None:
    site = SmallSite(tmp_path)
    site.write("one", image="hill.png", image_alt="A hill")
    (tmp_path / "posts" / "hill.png").write_bytes(PNG)
    files = site.build()
    shared = '<meta property="og:image" content="https://letter.example.org/posts/one/hill.png">'
    assert shared in files["posts/one/index.html"].decode()
    assert files["posts/one/hill.png"] == PNG


def test_a_newsletter_with_nothing_in_it_yet_has_a_front_page_that_says_so(tmp_path: Path) -> None:
    files = SmallSite(tmp_path).build()
    assert "Nothing has been published yet." in files["index.html"].decode()
    assert "No issue has gone out yet." in files["issues/index.html"].decode()
    assert "posts/index.html" not in files
    assert b"<entry>" not in files["feeds/all.atom.xml"]
    assert b"2026-01-01T00:00:00+00:00</updated>" in files["feeds/all.atom.xml"]
