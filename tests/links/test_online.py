"""What an editor is told of the answers, where, and what `--fix` makes of it."""

from __future__ import annotations

import pytest

from pipeline import inspection, weekly
from pipeline.check.mend import Ground
from pipeline.check.online import ONLINE, write_new
from pipeline.model import Finding, LinkAnswer, LinkState, Severity
from pipeline.project import open_project

SETTINGS = """\
[newsletter]
name = "The Letter"
from = "The Letter <letter@letter.example>"
url = "https://letter.example"
postal_address = "12 Example Street"
[issue]
show = "full"
"""
POST = """\
---
title: Snow
date: 2026-01-02
---

The [report](https://a.example/report) says so.

It says it [twice](https://a.example/report), and [others](https://b.example/) do too.
See [here](https://c.example/x), [there](https://d.example/y) and [there too](https://e.example/z).
"""
A, B, C, D, E = (
    f"https://{host}.example/{path}"
    for host, path in zip("abcde", ["report", "", "x", "y", "z"], strict=True)
)


@pytest.fixture(scope="module")
def material(tmp_path_factory):
    root = tmp_path_factory.mktemp("letter")
    (root / "posts").mkdir()
    (root / "newsletter.toml").write_text(SETTINGS, "utf-8")
    (root / "posts/snow.md").write_text(POST, "utf-8")
    project = open_project(
        root, "2026-01-04T08:00", {"NEWSLETTER_SECRET": "a secret of this test, long enough"}
    )
    prepared = weekly.prepare(project, weekly.collect(project), "check")
    return inspection.material(project, prepared.issue, prepared.rendered)


def ask(material, answers):
    return [finding for check in ONLINE for finding in check(material, answers)]


@pytest.mark.parametrize(
    ("state", "id"),
    [
        (LinkState.DEAD, "link-dead"),
        (LinkState.FAILING, "link-failing"),
        (LinkState.CERTIFICATE, "link-certificate"),
    ],
)
def test_a_bad_answer_is_found_at_every_place_that_holds_the_link(material, state, id):
    found = ask(material, {A: LinkAnswer(state, "answers 404 (Not Found)", 404, A)})
    assert [(each.id, each.path, each.line) for each in found] == [
        (id, "posts/snow.md", 6),
        (id, "posts/snow.md", 8),
    ]
    assert {each.severity for each in found} == {Severity.WARNING}
    assert found[0].message == "https://a.example/report answers 404 (Not Found)"


def test_a_page_that_moved_is_a_note_that_names_its_new_address(material):
    (found,) = ask(
        material, {B: LinkAnswer(LinkState.MOVED, "has moved for good", 200, "https://new.example/")}
    )
    assert (found.id, found.severity, found.line) == ("link-moved", Severity.NOTE, 8)
    assert found.fix == "write https://new.example/"


def test_a_removed_page_is_not_offered_its_site_s_first_page(material):
    (found,) = ask(material, {C: LinkAnswer(LinkState.MOVED, "leads to the site's first page now", 200)})
    assert "gone" in found.fix
    assert write_new(found, POST, None) is None


def test_links_that_are_alive_are_not_spoken_of(material):
    assert not ask(
        material, {url: LinkAnswer(LinkState.ALIVE, "answers 200 (OK)", 200, url) for url in (A, B)}
    )


def test_being_offline_is_one_note(material):
    offline = LinkAnswer(LinkState.NOT_CHECKED, "you are offline")
    (found,) = ask(material, dict.fromkeys([A, B, C, D, E], offline))
    assert (found.message, found.severity) == ("5 links not checked: you are offline", Severity.NOTE)
    assert "later" in found.fix


def test_what_could_not_be_tried_is_one_note_for_each_reason_with_the_sites(material):
    refused = [
        LinkAnswer(LinkState.REFUSED_ROBOTS, "the site refuses robots", None, url) for url in (A, B, C, D)
    ]
    answers = dict(zip((A, B, C, D), refused, strict=True))
    answers[E] = LinkAnswer(LinkState.THROTTLED, "the site asked to be left alone for a while", 429, E)
    assert [each.message for each in ask(material, answers)] == [
        "4 links not checked: the site refuses robots: a.example, b.example, c.example and 1 more",
        "1 link not checked: the site asked to be left alone for a while: e.example",
    ]


OLD, NEW = "https://a.example/report", "https://a.example/reports/2026"


def moved(old: str = OLD, new: str = NEW) -> Finding:
    return Finding("link-moved", Severity.NOTE, f"{old} has moved for good", "posts/x.md", 1, f"write {new}")


@pytest.mark.parametrize(
    ("line", "mended"),
    [
        (f"The [report]({OLD}).", f"The [report]({NEW})."),
        (f"<{OLD}> and {OLD}, again", f"<{NEW}> and {NEW}, again"),
        (f'<a href="{OLD}">', f'<a href="{NEW}">'),
        (f"Only {OLD}.", f"Only {NEW}."),
        (f"[x]({OLD}/more)", None),
        (f"[x]({OLD}s)", None),
        (f"[x]({OLD}.html)", None),
        (f"[x]({OLD}?a=b)", None),
        (f"[x](https://archive.example/web/{OLD})", None),
        (f"[x](https://share.example/?u={OLD})", None),
    ],
)
def test_the_new_address_takes_the_place_of_the_whole_old_one_and_of_nothing_else(line, mended):
    ground = Ground(None, None)
    found = write_new(moved(), f"{line}\nOther {OLD}\n", ground)
    assert found.text == f"{mended or line}\nOther {OLD}\n"


@pytest.mark.parametrize(
    "new",
    [
        "https://b.example/a)![x](//c.example/p.png",
        'https://b.example/"onclick="x',
        "https://b.example/{{x}}<i>*`",
    ],
)
def test_nothing_in_a_new_address_ends_the_link_it_is_put_into(new):
    found = write_new(moved(new=new), f"The [report]({OLD}).\n", Ground(None, None))
    inside = found.text.removeprefix("The [report](").removesuffix(").\n")
    assert not set(inside) & set("()<>\"'{}[]`*\\ ")
    assert inside.startswith("https://b.example/")
