"""What is known of clients' support is kept in a small file, renewed by one command, and told where it matters."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from pipeline.clients import renew, support
from pipeline.clients.contrast import pairs
from pipeline.clients.lost import LOST
from pipeline.clients.support import features, unsupported


def entry(slug: str, title: str, gmail: str, **more: Any) -> dict[str, Any]:
    """A feature as the API has it."""
    platforms = ("desktop-webmail", "ios", "android", "mobile-webmail")
    stats = {
        "gmail": {name: {"2019-02": "n", "2026-01": gmail} for name in platforms},
        "outlook": {"windows": {"2019": "y"}, "outlook-com": {"2024-01": "y"}},
        "yahoo": {"ios": {"2020": "n"}},
    }
    known = {"slug": slug, "title": title, "category": slug[:3].replace("htm", "html"), "stats": stats}
    return known | {"keywords": None, "last_test_date": "2026-01-02", "notes_by_num": None} | more


API = {
    "api_version": "1.0.4",
    "last_update_date": "2026-05-13 14:45:41 +0000",
    "data": [
        entry("css-z", "z-index", "n"),
        entry(
            "css-a", "a, b-c", "a #1", notes_by_num={"1": "Not [here](https://x.example) in `<p>`.", "2": "x"}
        ),
        entry("css-good", "good", "y"),
        entry("css-f", "clamp()", "n"),
        entry("css-m", "@media (hover), @media (any-hover)", "n"),
        entry("html-v", "<video> element", "n"),
        entry("html-i", '<input type="radio"> element', "n"),
        entry("html-h", "hidden attribute", "n"),
        entry("image-x", "X", "n", category="image"),
    ],
}


def test_only_what_is_used_is_kept_sorted_and_dated() -> None:
    shape = renew.shrunk(API, "https://x.example/data.json")
    assert (shape["date"], shape["source"]) == ("2026-05-13", "https://x.example/data.json")
    assert {slug: each["finds"] for slug, each in shape["features"].items()} == {
        "css-a": {"properties": ["a", "b-c"]},
        "css-f": {"functions": ["clamp"]},
        "css-m": {"media": ["any-hover", "hover"]},
        "css-z": {"properties": ["z-index"]},
        "html-h": {"attributes": ["hidden"]},
        "html-i": {"elements": ["input[type=radio]"]},
        "html-v": {"elements": ["video"]},
    }
    assert list(shape["features"]) == sorted(shape["features"])
    assert shape["features"]["css-a"]["support"] == dict.fromkeys(list(renew.CLIENTS)[:3], "a #1")
    assert shape["features"]["css-a"]["notes"] == {"1": "Not here in <p>."}
    assert json.loads(renew.written(shape)) == shape
    assert "Permission is hereby granted" in shape["licence"]


@pytest.mark.parametrize(
    "text", ["", "[]", '{"data": [{"slug": "x"}], "last_update_date": "2026"}', json.dumps(API)]
)
def test_what_is_not_the_data_changes_nothing(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, target = tmp_path / "data.json", tmp_path / "kept.json"
    source.write_text(text)
    assert renew.main([str(source)], target) == 1
    assert not target.exists()
    assert "Nothing was written" in capsys.readouterr().err


def test_one_command_writes_it_anew(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(renew, "FEWEST", 7)
    source, target = tmp_path / "data.json", tmp_path / "kept.json"
    source.write_text(json.dumps(API))
    assert renew.main([str(source)], target) == 0
    assert capsys.readouterr().out == "kept.json: 7 features of 2026-05-13. Next: git diff, pytest\n"
    assert json.loads(target.read_text())["date"] == "2026-05-13"
    assert renew.main([]) == 2


def test_the_kept_data_is_in_the_shape_that_is_written() -> None:
    text = renew.TARGET.read_text("utf-8")
    assert renew.written(json.loads(text)) == text
    day = date.fromisoformat(json.loads(text)["date"])
    page = (Path(__file__).parents[2] / "docs/mail-clients.md").read_text("utf-8")
    assert f"{day.day} {day:%B %Y}" in " ".join(page.split()), "docs/mail-clients.md gives another date"
    assert set(LOST) <= set(features())


def lost(html: str) -> list[tuple[str, str]]:
    return [(each.slug, each.written) for each in unsupported(html) if each.lost]


def test_the_theme_loses_nothing(sample: str, full: str) -> None:
    assert lost(sample) == lost(full) == []


@pytest.mark.parametrize(
    ("html", "slug"),
    [
        ('<p style="display: flex">', "css-display-flex"),
        ('<p style="color: #000; color: rgba(0,0,0,.5)">', None),
        ('<p style="color: rgba(0,0,0,.5)">', "css-rgba"),
        ('<p style="margin-inline-start: 1px">', "css-margin-inline-start-end"),
        ('<p style="margin-left: 1px; margin-inline-start: 1px">', None),
        ('<td style="background: url(a.png)">', "css-background-image"),
        ('<td style="background: url(a.png); background-color: #fff">', None),
        ('<td bgcolor="#fff" style="background: url(a.png)">', None),
        ('<p style="border-radius: 4px; box-shadow: 0 0 1px #000; transition: all 1s">', None),
        ("<style>p{display:flex} a::before{content:'x'}</style>", None),
        ("<body><style>p{color:red}</style>", "html-style"),
        ("<p hidden>", "html-hidden"),
        ('<input type="text">', "html-input-text"),
        ('<link rel="stylesheet" href="a.css">', "html-link"),
        ('<a href="#x">', "html-anchor-links"),
        ('<a href="https://x.example/#x">', None),
        ("<!--[if mso]><svg></svg><![endif]-->", None),
        ('<p style="position: static; float: none">', None),
    ],
)
def test_told_is_what_carries_something_and_nothing_stands_in_for(html: str, slug: str | None) -> None:
    assert [each[0] for each in lost(html)] == ([slug] if slug else [])


def test_everything_they_fall_short_in_is_named_with_clients_and_notes() -> None:
    html = '<style>@media (hover:hover){a:hover{color:red}}</style><p style="max-width:9px;width:9rem">'
    found = {(each.slug, each.in_style): each for each in unsupported(html)}
    assert {("css-at-media-hover", True), ("css-pseudo-class-hover", True), ("css-at-media", True)} <= set(
        found
    )
    assert found["css-max-width", False].partly == ("Outlook for Windows",)
    assert "Only works on <table> elements" in found["css-max-width", False].notes[0]
    assert found["css-unit-rem", False].no == ("Outlook for Windows",)


@pytest.mark.parametrize(
    ("html", "reason"),
    [
        ('<p style="color: var(--x)">a</p>', "its colour is var(--x)"),
        (
            '<p style="color: color-mix(in srgb, red, blue)">a</p>',
            "its colour is color-mix(in srgb, red, blue)",
        ),
        ('<p style="color: ButtonText">a</p>', "its colour is ButtonText"),
        ('<div style="background: url(a.png)"><p>a</p></div>', "it lies on a picture or gradient"),
        ('<td background="a.png">a</td>', "it lies on a picture"),
        ('<p style="opacity: .5">a</p>', "its opacity is .5"),
        ("<style>@supports (a: b) { p { color: red } }</style><p>a</p>", "it hangs on @supports (a: b)"),
        ("<style>@media (hover) { p { color: red } }</style><p>a</p>", "it hangs on @media (hover)"),
        ("<style>p:fullscreen { color: red }</style><p>a</p>", "the selector p:fullscreen"),
    ],
)
def test_what_cannot_be_told_is_said_and_has_no_ratio(html: str, reason: str) -> None:
    found = [pair for pair in pairs(html, schemes=["light"]) if pair.unresolved]
    assert [(pair.ratio, pair.unresolved) for pair in found] == [(None, reason)]


def test_a_picture_is_forgotten_where_paper_covers_it() -> None:
    [pair] = pairs(
        '<div style="background:url(a.png)"><p style="background:#fff">a</p></div>', schemes=["light"]
    )
    assert (pair.ratio, pair.unresolved) == (21, "")


def test_a_pair_names_the_declaration_at_fault() -> None:
    html = (
        '<style>.a b { color: #777 !important }</style><body bgcolor="eeeeee"><p class="a c">x <b>y</b></p>'
    )
    pair = next(pair for pair in pairs(html, schemes=["light"]) if pair.text == "y")
    assert (pair.ink.value, pair.ink.name, pair.ink.selector, pair.ink.tag) == ("#777", "color", ".a b", "b")
    assert (pair.paper.value, pair.paper.name, pair.paper.selector, pair.paper.tag) == (
        "eeeeee",
        "background-color",
        "",
        "body",
    )
    assert support.features()["css-rgba"].tested
