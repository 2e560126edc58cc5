"""One Markdown body makes three: goldens, the cut, and what only one of them may hold."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pipeline.model import Issue
from pipeline.render.content.body import render_note

GOLDEN = Path(__file__).parent / "golden"
SENTENCE = "The rain came early and stayed for a week. "


@pytest.mark.parametrize("name", sorted(path.stem for path in GOLDEN.glob("*.md")))
def test_golden(body, name, request):
    made = body((GOLDEN / f"{name}.md").read_text("utf-8"))
    for form in ("web", "mail", "text"):
        expected = GOLDEN / f"{name}.{form}.{'txt' if form == 'text' else 'html'}"
        assert getattr(made, form) == expected.read_text("utf-8"), expected.name


def test_a_short_body_is_not_cut(body):
    assert not body(SENTENCE * 15, 120).cut
    assert body(SENTENCE * 30, 120).cut


def test_the_cut_falls_between_paragraphs(body):
    made = body("\n\n".join([SENTENCE * 5] * 10), 120)
    assert made.mail.count("<p>") == 2
    assert made.web.count("<p>") == 10
    assert made.text.count("\n\n") == 1


def test_a_long_first_paragraph_ends_with_a_sentence_or_a_word(body):
    assert body(SENTENCE * 100, 20).mail == f"<p>{(SENTENCE * 2).strip()}</p>"
    assert body("word " * 100, 20).text.replace("\n", " ").strip() == ("word " * 20).strip() + "…"
    assert body("これは文です。" * 60, 30).text == "これは文です。" * 4 + "\n"


def test_the_cut_leaves_no_heading_picture_or_rule_at_the_end(body):
    for tail in ("## Next", "![x](sky.png)", "---", "<details><summary>More</summary>"):
        made = body(f"{SENTENCE * 3}\n\n{tail}\n\n{SENTENCE * 60}", 30)
        assert made.cut
        assert made.mail.rstrip().endswith("</p>")
        assert "Next" not in made.text


def test_lists_and_tables_are_cut_between_items_and_stay_whole(body):
    items = body("".join(f"- item {n} {SENTENCE}\n" for n in range(40)), 40)
    assert items.mail.count("<li>") == items.mail.count("</li>") == 3
    rows = body("|a|b|\n|-|-|\n" + "".join(f"|{n}|{SENTENCE}|\n" for n in range(40)), 40)
    assert rows.mail.count("<tr>") == rows.mail.count("</tr>") == 4
    assert rows.mail.rstrip().endswith("</table>")


def test_a_cut_body_keeps_only_its_own_footnotes(body):
    made = body(f"One[^b] {SENTENCE * 3}\n\n{SENTENCE * 30} two[^a]\n\n[^a]: Alpha.\n[^b]: Beta.", 30)
    assert "Beta" in made.mail
    assert "Alpha" not in made.mail
    assert "Alpha" in made.web
    assert "¹ Beta." in made.text


def test_links_and_images_are_the_whole_bodys_even_if_cut(body):
    made = body(f"{SENTENCE * 30}\n\n[late](https://e.org/late) ![l](sky.png)", 20)
    assert [link.url for link in made.links] == ["https://e.org/late"]
    assert [image.target for image in made.images] == ["posts/weather/sky.png"]


def test_mail_has_nothing_to_jump_to_and_nothing_folded(body):
    mail = body(
        "# A\n\n[up](#a) x[^1]\n\n<details open><summary>S</summary>\n\nIn.\n\n</details>\n\n[^1]: N."
    ).mail
    assert not re.search(r" id=|<details|<summary|↩|#c-fn|tabindex", mail)
    assert "<strong>S</strong>" in mail
    assert "<sup>1</sup>" in mail
    assert 'href="https://letter.example.org/posts/weather/#c-a"' in mail


def test_web_footnotes_lead_there_and_back(body):
    web = body("x[^1] y[^1]\n\n[^1]: N.").web
    ids = set(re.findall(r' id="([^"]*)"', web))
    targets = set(re.findall(r'href="https://letter\.example\.org/posts/weather/#([^"]*)"', web))
    assert targets == ids == {"c-fn1", "c-fnref1", "c-fnref1-2"}


def test_images_fit_the_mails_column(body):
    mail = body(
        '<img src="sky.png" alt="a" width="1072" height="101"> <img src="sky.png" alt="b" width="50%">'
    ).mail
    assert 'width="536" height="50"' in mail
    assert 'alt="b" width="268"' in mail


def test_the_pages_title_stays_the_only_h1(body):
    assert re.findall(r"<h(\d)", body("# A\n\n## B\n\n<h1>C</h1>").web) == ["2", "3", "2"]
    assert re.findall(r"<h(\d)", body("## A\n\n#### B").web) == ["2", "4"]


def test_heading_ids_are_unique_and_may_be_given(body):
    web = body("## Part\n\n## Part\n\n## Other {#mine}\n\n[a](#Part) [b](#mine)").web
    assert re.findall(r'<h2 id="([^"]*)"', web) == ["c-part", "c-part-2", "c-mine"]
    assert "Other</h2>" in web
    assert re.findall(r'#([^"]*)"', web) == ["c-part", "c-mine"]


def test_a_dead_reference_shows_its_text(body):
    made = body("see [the other one](nowhere.md) ![A cloud](nowhere.png) [](https://e.org)")
    assert made.mail.startswith("<p>see the other one A cloud <a ")
    assert [(link.url, link.resolved) for link in made.links] == [
        ("nowhere.md", False),
        ("https://e.org", True),
    ]
    assert [(image.url, image.resolved) for image in made.images] == [("nowhere.png", False)]


def test_tasks_are_boxes(body):
    assert body("- [ ] a\n- [x] b").text == "* ☐ a\n* ☑ b\n"


def test_every_address_in_a_body_is_absolute(body):
    made = body("[a](/x) [b](#c) [d](../old-ways/) ![e](sky.png) <a href='?q=1'>f</a> x[^1]\n\n[^1]: n")
    assert all(
        url.startswith("https://") for url in re.findall(r'(?:href|src)="([^"]*)"', made.web + made.mail)
    )


def test_the_same_markdown_gives_the_same_bytes(body):
    markdown = (GOLDEN / "everything.md").read_text("utf-8")
    assert body(markdown) == body(markdown)


def test_the_editors_note_is_reported_with_the_drafts_own_lines(make_addresses, posts):
    from datetime import UTC, datetime

    issue = Issue(
        1, "s", "", tuple(posts[:1]), posts[0], "hi\n\n[x](nope.md)", datetime.now(UTC), "issues/0001.md", 9
    )
    note = render_note(issue, make_addresses())
    assert note.mail.startswith("<p>hi</p>")
    assert [(link.path, link.line) for link in note.links] == [("issues/0001.md", 11)]


@pytest.mark.parametrize("written", ["don-t-panic-at-all", "Dont-Panic-At-All", "dontpanicatall"])
def test_a_link_within_a_post_finds_its_heading_as_other_programs_name_it(body, written):
    made = body(f"[There](#{written}) and [nowhere](#elsewhere).\n\n## Don't panic at all\n\nWords.")
    [found] = re.findall(r'id="(c-[^"]+)"', made.web)
    assert f'/#{found}"' in made.web or f'"#{found}"' in made.web
    assert "#c-elsewhere" in made.web
