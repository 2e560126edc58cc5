"""What is rewritten, and that everything else stays as it was, letter by letter."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator

import pytest
from lxml import etree

from pipeline.clients.contrast import pairs
from pipeline.clients.csstext import pieces
from pipeline.clients.degrade import text_doubled, without_images, without_style
from pipeline.clients.forced_dark import force_dark
from pipeline.clients.markup import edited, styles, tags
from pipeline.clients.scheme import in_scheme
from pipeline.clients.support import unsupported

SO, NEVER = "(min-width:0)", "(max-width:-1px)"


@pytest.mark.parametrize(
    ("html", "dark"),
    [
        ("<style>@media (prefers-color-scheme: dark){a{}}</style>", f"<style>@media {SO}{{a{{}}}}</style>"),
        ("<style>@media (PREFERS-color-scheme:light ){}", f"<style>@media {NEVER}{{}}"),
        (
            "<style>@media screen and (max-width:9px) and ( prefers-color-scheme : dark ), print{}",
            f"<style>@media screen and (max-width:9px) and {SO}, print{{}}",
        ),
        ("<style>@media not all and (prefers-color-scheme:dark){}", f"<style>@media not all and {SO}{{}}"),
        ("<style>@media (prefers-color-scheme){}", f"<style>@media {SO}{{}}"),
        ("<style>@media (prefers-color-sch\\65 me:/**/dark){}", f"<style>@media {SO}{{}}"),
        ('<style>@import "a.css" (prefers-color-scheme:light);', f'<style>@import "a.css" {NEVER};'),
        ('<link media="(prefers-color-scheme: dark)">', f'<link media="{SO}">'),
        ("<source media='(prefers-color-scheme&#58;light)'>", f'<source media="{NEVER}">'),
        ('<meta name="color-scheme" content="light dark">', '<meta name="color-scheme" content="dark">'),
        ("<style>:root{color-scheme:light dark !important}", "<style>:root{color-scheme:dark !important}"),
        ('<p style="color-scheme: dark light">', '<p style="color-scheme:dark">'),
    ],
)
def test_every_question_for_the_scheme_is_answered(html: str, dark: str) -> None:
    assert in_scheme(html, "dark") == dark


@pytest.mark.parametrize(
    "html",
    [
        "<p>@media (prefers-color-scheme: dark){}</p><!-- <style>@media (prefers-color-scheme: dark){}</style> -->",
        '<style>/* @media (prefers-color-scheme: dark){} */ p{content:"(prefers-color-scheme: dark)"}</style>',
        '<meta name="color-scheme" content="light"><meta name="description" content="light dark">',
        '<p media="(prefers-color-scheme: dark)" title="light dark">x</p >',
        "<style>p{color:red}</style >\r\n<P CLASS=x style='color:red' data-x=a\"b>\0ü&nbsp;<br/>",
        "<!--[if mso]><style>@media (prefers-color-scheme: dark){}</style><![endif]-->",
        "<!--[if !mso]><!--><p>x</p><!--<![endif]--><textarea><style>@media (prefers-color-scheme:dark){}",
    ],
)
def test_what_asks_nothing_stays_letter_by_letter(html: str) -> None:
    assert in_scheme(html, "dark") == in_scheme(html, "light") == html


def test_of_the_sample_only_what_says_its_scheme_changes(sample: str) -> None:
    for scheme in ("light", "dark"):
        lines = difflib.ndiff(sample.split("\n"), in_scheme(sample, scheme).split("\n"))  # type: ignore[arg-type]
        assert all("scheme" in line or SO in line or NEVER in line for line in lines if line[0] in "+-")


def test_tags_and_attributes_are_those_of_a_real_parser(full: str) -> None:
    page = etree.fromstring(full, etree.HTMLParser())
    implied = {"tbody"}
    wanted = [(e.tag, dict(e.attrib)) for e in page.iter(etree.Element) if e.tag not in implied]
    found = [(tag.name, {each.name: each.value for each in tag.attributes}) for tag in tags(full)]
    assert [each for each in found if each[0] not in implied] == wanted


def test_a_forced_dark_changes_colours_by_their_role_and_nothing_else() -> None:
    html = (
        '<p style="color:#000;background:#FFF url(#fff.png);border:1px solid #EEEEEE;width:9px">white</p>'
        '<td bgcolor="white"><font color="#0B5E63">#000</font></td><a style="color:#FFFFFF;background:#0B5E63">'
        "<style>@media (prefers-color-scheme:dark){p{color:red}} "
        ".black{color:black !important;background:linear-gradient(#fff,#000)}"
    )
    assert force_dark(f"<head>{html}").partition("</style>")[2] == (
        '<p style="color:#FFFFFF;background:#121212 url(#fff.png);border:1px solid #282828;width:9px">white</p>'
        '<td bgcolor="#121212"><font color="#7DC3C8">#000</font></td><a style="color:#FFFFFF;background:#0B5E63">'
        "<style>@media not all{p{color:#FF1104}} .black{color:#FFFFFF !important;background:linear-gradient(#fff,#000)}"
    )


#: What strangers may write: none of it may take long, or fail.
HOSTILE = [
    "<" * 20_000,
    "<a " + '"' * 19_999,
    "<a href='" * 4_000,
    "<!" * 10_000,
    "<!--" * 10_000,
    '<p style="' + "(" * 20_000 + '">',
    "<style>" + "{" * 20_000,
    "<style>" + "@media (" * 5_000,
    "<style>@media " + "/*" * 10_000,
    "<style>@media (" + "/**/" * 10_000 + "{}",
    '<p style="' + "/**/" * 10_000 + 'a">',
    "<style>" + "\\" * 20_001,
    '<p style="font-size:' + "1" * 20_000 + '">',
    "<div>" * 5_000 + "x",
    "<style>" + "@media all{" * 2_000 + "a{color:red}",
    "<style>" + ":is(" * 1_000 + "a" + ")" * 1_000 + "{color:red}</style>x",
    '\0<p style="color:\0red">\ud83d',
    "",
]


@pytest.mark.parametrize("number", range(len(HOSTILE)))
def test_nothing_that_can_be_written_takes_long_or_fails(number: int) -> None:
    html = HOSTILE[number]
    looks: list[Callable[[str], object]] = [
        lambda text: in_scheme(text, "dark"),
        force_dark,
        without_images,
        without_style,
        text_doubled,
        lambda text: list(pairs(text)),
        lambda text: list(unsupported(text)),
    ]
    for look in looks:
        look(html)


def test_a_sheet_falls_into_preludes_declarations_and_statements() -> None:
    css = '@import "a;b"; /* {;} */ a:not([x="{"]) { color : red; background:url(a;b) ; --x:{a;b} }'
    css += "@media all { p{b:c(d;e)} }"

    def told() -> Iterator[tuple[str, str, str]]:
        for piece in pieces(css):
            yield piece.kind[0], piece.name, " ".join(css[piece.start : piece.end].split())

    assert [each for each in told() if each[1] not in ("--x", "a")] == [
        ("s", "@import", '@import "a;b"'),
        ("p", "", '/* {;} */ a:not([x="{"])'),
        ("d", "color", "red"),
        ("d", "background", "url(a;b)"),
        ("p", "", "--x:"),
        ("p", "@media", "@media all"),
        ("p", "", "p"),
        ("d", "b", "c(d;e)"),
    ]


def test_no_change_is_no_change(full: str) -> None:
    assert edited(full, styles(full, lambda css: css)) == full
