"""What is inside the frame: the bytes that would be sent, in every dress, and nothing that leaves home."""

from __future__ import annotations

import re
from dataclasses import replace
from email import message_from_string, policy
from html import unescape

import pytest

from pipeline.preview.fence import fenced, served
from pipeline.preview.frames import frame_html
from pipeline.preview.options import SCHEMES, VIEWS, Options
from pipeline.preview.outline import outline
from pipeline.preview.page import page_html
from pipeline.preview.state import State

HILL = "https://letter.example.org/posts/lead/hill.png"


def all_frames(state: State) -> list[tuple[str, str]]:
    return [
        (f"{view} {scheme} {images}", frame_html(state, Options(view=view, scheme=scheme, images=images)))
        for view in VIEWS
        for scheme in SCHEMES
        for images in (True, False)
    ]


def test_no_frame_names_anything_to_load_but_our_own_files(state: State) -> None:
    for name, html in all_frames(state):
        loaded = re.findall(r"""<(?:img|source|script|link|iframe)\b[^>]*?(?:src|href)="([^"]*)""", html)
        loaded += re.findall(r"url\(([^)]*)\)|@import", html)
        assert {unescape(url) for url in loaded} <= {served(None)(HILL)}, name
        assert "<script" not in html, name


def test_a_picture_from_elsewhere_is_a_box_that_says_so(state: State) -> None:
    for view in ("html", "web", "feed"):
        html = frame_html(state, Options(view=view))
        assert "Blocked: picture from tracker.example — A chart of nights</span>" in html
        assert f'src="/file?of={"https%3A%2F%2Fletter.example.org%2Fposts%2Flead%2Fhill.png"}"' in html
    assert "&amp;issue=7" in frame_html(state, Options(issue=7))


def test_a_link_shows_where_it_leads_and_leads_nowhere(state: State) -> None:
    html = frame_html(state, Options())
    link = re.search(r'<a [^>]*href="https://diary.example/two-weeks\?a=1&amp;b=2"[^>]*>', html)
    assert link
    assert 'target="_blank"' in link[0]
    assert 'title="https://diary.example/two-weeks?a=1&amp;b=2"' in link[0]


def test_the_frame_is_made_from_the_bytes_that_would_be_sent(state: State) -> None:
    look = state.look
    assert look is not None
    changed = look.frozen.template.replace(b"Opening words of the whole.", b"Other words of the whole.")
    other = replace(state, look=replace(look, frozen=replace(look.frozen, template=changed)))
    assert "Other words" in frame_html(other, Options())


@pytest.mark.parametrize("reader", ["short", "long", "none"])
def test_the_source_is_one_readers_whole_message(state: State, reader: str) -> None:
    html = frame_html(state, Options(view="source", reader=reader))
    wire = unescape(re.search(r"<pre>(.*?)</pre>", html, re.DOTALL)[1])  # type: ignore[index]
    message = message_from_string(wire.replace("\n", "\r\n"), policy=policy.default)
    assert message["To"].addresses[0].addr_spec == "reader@example.org"
    assert ("Jo Field" in wire) is (reader == "short")
    assert "List-Unsubscribe:\n <https://letter.example.org/unsubscribe/sample>" in wire
    text = frame_html(state, Options(view="text", reader=reader))
    assert {"short": "Jo Field", "long": "Großen", "none": "reader"}[reader] in text


def test_a_scheme_does_not_depend_on_who_looks(state: State) -> None:
    for view in VIEWS:
        frames = [frame_html(state, Options(view=view, scheme=scheme)) for scheme in SCHEMES]
        # In the source it is text, a line of the message.
        assert view == "source" or not any("prefers-color-scheme" in html for html in frames), view
        assert frames[0] != frames[1], view
    forced = frame_html(state, Options(scheme="forced"))
    assert forced != frame_html(state, Options(scheme="dark"))


@pytest.mark.parametrize("view", VIEWS[1:])
def test_what_no_client_darkens_by_force_is_dark_as_it_is_made(state: State, view: str) -> None:
    forced, dark = Options(view=view, scheme="forced"), Options(view=view, scheme="dark")
    assert frame_html(state, forced) == frame_html(state, dark)
    page = page_html(state, forced, token="")
    assert "pixels wide, dark" in page
    assert 'aria-current="true" data-swap>Dark<' in page
    assert 'href="/?scheme=forced"' in page


def test_switches_change_what_they_name(state: State) -> None:
    usual = frame_html(state, Options())
    without = re.sub(r"<!--.*?-->", "", frame_html(state, Options(style=False)), flags=re.DOTALL)
    assert "<style" not in without
    assert "<img" in usual
    assert "<img" not in frame_html(state, Options(images=False))
    assert "A hill in the rain" in frame_html(state, Options(images=False))
    assert "font-size:60px" in re.sub(r":\s", ":", frame_html(state, Options(zoom=200)))


def test_the_feed_shows_each_entry_and_its_atom(state: State) -> None:
    html = frame_html(state, Options(view="feed"))
    assert html.count("<article") == 3
    assert "Dr A. Example · <time" in html
    raw = [unescape(each) for each in re.findall(r"<pre>(.*?)</pre>", html, re.DOTALL)]
    assert len(raw) == 3
    assert all("<entry" in each and "</entry>" in each for each in raw)
    assert 'lang="ar" dir="auto"' in html


def test_the_outline_is_what_is_heard_and_in_that_order(state: State) -> None:
    html = """<html><head><title>No</title><style>no</style></head><body><div style="display:none">No</div>
    <header>Name</header><main aria-label="All"><h1>A <a href="https://a.example/">link</a></h1>
    <p aria-hidden="true">no</p><p>Some words <img src="x" alt="a hill"> more</p><img src="y"><img src="z" alt="">
    <a href="https://b.example/" aria-label="Read: A"><b>Read</b></a><a href="https://c.example/"></a></main></body>"""
    heard = [(item.kind, item.level, item.text, item.detail) for item in outline(html)]
    assert heard == [
        ("landmark", 0, "", "banner"),
        ("text", 0, "Name", ""),
        ("landmark", 0, "All", "main"),
        ("heading", 1, "A link", ""),
        ("link", 0, "link", "https://a.example/"),
        ("text", 0, "Some words", ""),
        ("picture", 0, "a hill", ""),
        ("text", 0, "more", ""),
        ("picture", 0, "", "no alt text: a screen reader may read its address"),
        ("link", 0, "Read: A", "https://b.example/"),
        ("link", 0, "", "https://c.example/"),
    ]
    assert "A hill in the rain" in frame_html(state, Options(view="outline"))


#: e.png is the body's background, f.png a paragraph's.
HOSTILE = """<html><head><base href="https://evil.example/"><meta http-equiv="refresh" content="0;url=https://evil.example">
<link rel="stylesheet" href="https://evil.example/a.css"><style>@import "https://evil.example/b.css"; p { color: red;
background: url( 'https://evil.example/c.png' ) }</style><script src="https://evil.example/d.js"></script></head>
<body background="https://evil.example/e.png" onload="alert(1)">
<p style="background-image: url(https://evil.example/f.png)">x</p>
<picture><source srcset="https://evil.example/g.png">
<img src="hill.png" srcset="https://evil.example/h.png 2x"></picture>
<iframe src="https://evil.example/i">no</iframe>
<video src="https://evil.example/j" poster="https://evil.example/k"></video>
<object data="https://evil.example/l"></object><svg><image href="https://evil.example/m.png"/></svg>
<img src=https://evil.example/n.png alt='"&gt;&lt;script&gt;'><a href="#there" ping="https://evil.example/o">in</a>
<form action="https://evil.example/p"><button formaction="https://evil.example/q">no</button></form></body></html>"""


def test_whatever_a_theme_or_post_brings_stays_at_home() -> None:
    html = fenced(
        HOSTILE, {"https://ours.example/i/hill.png": "hill.png"}, "https://ours.example/i/", served(None)
    )
    left = re.findall(r'[-\w]+="[^"]*evil\.example[^"]*"', html)
    assert left == ['title="https://evil.example/n.png"']
    assert not re.search(
        r"<(script|link|base|iframe|video|object|source)|@import|onload|srcset|refresh", html
    )
    assert html.count("evil.example/") == 1
    assert 'src="/file?of=https%3A%2F%2Fours.example%2Fi%2Fhill.png"' in html
    assert "color: red" in html
    assert html.count("Blocked: picture from evil.example") == 2
    assert "outline:2px dashed" in html
    assert '<a href="#there" >in</a>' in html
