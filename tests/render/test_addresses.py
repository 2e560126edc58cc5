"""Every page has one address, and every way to refer to a post leads to it."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

URL = "https://letter.example.org"


def test_pages_are_where_the_contract_puts_them(make_addresses, posts):
    addresses = make_addresses()
    assert addresses.post(posts[0]) == f"{URL}/posts/weather/"
    assert addresses.post(posts[2]) == f"{URL}/posts/sch%C3%B6n/"
    assert addresses.issue(7) == f"{URL}/issues/7/"
    assert addresses.index == f"{URL}/"
    assert addresses.feed("all.rss.xml") == f"{URL}/feeds/all.rss.xml"
    assert addresses.feeds_page == f"{URL}/feeds/"
    assert addresses.category("Über Köpfe") == f"{URL}/categories/uber-kopfe/"
    assert addresses.subscribe == f"{URL}/subscribe"
    assert (
        make_addresses(web={"url": "https://reader.example.org"}).subscribe
        == "https://reader.example.org/subscribe"
    )


def test_posts_elsewhere_are_dated_by_the_newsletters_own_clock(make_addresses, posts):
    addresses = make_addresses(
        posts={"url": "https://blog.example.org/{year}/{month}/{day}/{category}/{slug}?{id}"}
    )
    # 01:30 UTC on the 22nd is still the 21st in New York.
    assert addresses.post(posts[0]) == "https://blog.example.org/2018/09/21/uber-kopfe/weather?weather"


def test_a_feed_id_is_a_tag_uri(make_addresses, posts):
    address = make_addresses().tag_id(posts[2])
    assert address == "tag:letter.example.org,2026:sch%C3%B6n%20&%20gut"
    # RFC 4151, 2.1 with RFC 3986's pchar.
    assert re.fullmatch(r"tag:[\w.@-]+,\d{4}:(?:[\w.~!$&'()*+,;=:@/?-]|%[0-9A-F]{2})*", address, re.ASCII)


@pytest.mark.parametrize(
    ("written", "leads_to"),
    [
        ("2018-09-22-weather.md", "weather/"),
        ("./2018-09-22-weather.md#part", "weather/#c-part"),
        ("../posts/sub/2007-09-22-old.md", "old-ways/"),
        ("sub/2007-09-22-old.md", "old-ways/"),
        ("2007-09-22-old.md", "old-ways/"),
        ("{filename}sub/2007-09-22-old.md", "old-ways/"),
        ("{filename}/sub/2007-09-22-old.md", "old-ways/"),
        ("|filename|/sub/2007-09-22-old.md", "old-ways/"),
        ("@/sub/2007-09-22-old.md", "old-ways/"),
        ("{% post_url 2007-09-22-old %}", "old-ways/"),
        ("{% post_url sub/2007-09-22-old %}#x", "old-ways/#c-x"),
        ("{{ site.baseurl }}{% post_url 2007-09-22-old %}", "old-ways/"),
        ("{% link posts/sub/2007-09-22-old.md %}", "old-ways/"),
        ('{{< ref "2007-09-22-old.md" >}}', "old-ways/"),
        ('{{< relref "/sub/2007-09-22-old.md#a-b" >}}', "old-ways/#c-a-b"),
        ('{{% ref "sub/2007-09-22-old" %}}', "old-ways/"),
        ("/posts/old-ways/", "old-ways/"),
        ("../old-ways/", "old-ways/"),
        ("bundle/index.md", "bundle/"),
        ("schön.md", "sch%C3%B6n/"),
        ("scho\u0308n.md", "sch%C3%B6n/"),
        ("sch%C3%B6n.md", "sch%C3%B6n/"),
        ("#part", "weather/#c-part"),
    ],
)
def test_every_way_to_name_another_post_leads_to_it(make_addresses, posts, written, leads_to):
    found = make_addresses().resolve(posts[0], written)
    assert (found.url, found.ok) == (f"{URL}/posts/{leads_to}", True)


@pytest.mark.parametrize(
    "written",
    [
        "nowhere.md",
        "../../etc/passwd",
        "unready.md",
        "{% post_url nope %}",
        "{{ x }}",
        "",
        "page.html",
        "x/y",
    ],
)
def test_what_names_nothing_is_not_made_up(make_addresses, posts, written):
    found = make_addresses().resolve(posts[0], written)
    assert (found.url, found.ok, found.file) == (written, False, "")


@pytest.mark.parametrize(
    ("written", "url"),
    [
        ("/about/", f"{URL}/about/"),
        ("{{ site.url }}/about/", f"{URL}/about/"),
        ("../../issues/3/", f"{URL}/issues/3/"),
        ("//cdn.example.org/x", "https://cdn.example.org/x"),
        ("https://exämple.org/ä b", "https://xn--exmple-cua.org/%C3%A4%20b"),
        ("mailto:a@example.org", "mailto:a@example.org"),
        ("javascript:alert(1)", "javascript:alert(1)"),
        ("java\nscript:alert(1)", "javascript:alert(1)"),
    ],
)
def test_other_addresses_become_absolute(make_addresses, posts, written, url):
    assert make_addresses().resolve(posts[0], written).url == url


def test_on_another_site_fragments_and_roots_are_that_sites_own(make_addresses, posts):
    addresses = make_addresses(posts={"url": "https://blog.example.org/{slug}/"})
    assert addresses.resolve(posts[0], "#part").url == "https://blog.example.org/weather/#part"
    assert addresses.resolve(posts[0], "/about/").url == "https://blog.example.org/about/"
    picture = addresses.resolve(posts[0], "sky.png", image=True)
    assert picture.url == f"{URL}/posts/weather/sky.png"


@pytest.mark.parametrize(
    ("written", "file", "target"),
    [
        ("sky.png", "posts/sky.png", "posts/weather/sky.png"),
        ("./img/rain.png", "posts/img/rain.png", "posts/weather/img/rain.png"),
        ("{attach}sky.png", "posts/sky.png", "posts/weather/sky.png"),
        ("/img/logo.png", "static/img/logo.png", "img/logo.png"),
        ("static/img/logo.png", "static/img/logo.png", "img/logo.png"),
        ("/static/img/logo.png", "static/img/logo.png", "img/logo.png"),
        ("{static}/img/rain.png", "posts/img/rain.png", "posts/weather/img/rain.png"),
    ],
)
def test_a_picture_is_published_with_its_post(make_addresses, posts, written, file, target):
    found = make_addresses().resolve(posts[0], written, image=True)
    assert (found.file, found.target, found.url, found.ok) == (file, target, f"{URL}/{target}", True)


def test_a_picture_of_a_folder_above_gets_a_place_of_its_own(make_addresses, posts):
    found = make_addresses().resolve(posts[1], "../sky.png", image=True)
    assert (found.file, found.target) == ("posts/sky.png", "posts/old-ways/_/sky.png")


@pytest.mark.parametrize(
    "written",
    ["../secret.png", "../../outside.png", "escape.png", "/etc/passwd", "missing.png", ".hidden.png", "img",
     "a\x00.png", "x" * 5000 + ".png", "..\\secret.png", "#x"],
)  # fmt: skip
def test_no_picture_comes_from_outside_the_newsletters_folders(make_addresses, posts, written):
    found = make_addresses().resolve(posts[0], written, image=True)
    assert (found.ok, found.file) == (False, "")


def test_a_linked_document_is_published_but_never_a_page(make_addresses, posts):
    addresses = make_addresses()
    assert addresses.resolve(posts[0], "paper.pdf").target == "posts/weather/paper.pdf"
    assert not addresses.resolve(posts[0], "page.html").ok


def test_a_file_name_that_two_posts_share_names_neither(make_addresses, posts):
    posts.append(replace(posts[1], id="twin", slug="twin", path="posts/other/2007-09-22-old.md"))
    addresses = make_addresses()
    assert not addresses.resolve(posts[0], "2007-09-22-old.md").ok
    assert addresses.resolve(posts[0], "other/2007-09-22-old.md").url.endswith("/twin/")
