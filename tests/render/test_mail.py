"""The mail that all readers share, read as text: what is in it, in which order, and whose words they are."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from lxml import html as lxml_html

from pipeline.errors import ThemeError
from pipeline.model import Fingerprint, Issue, Post, RenderedIssue
from pipeline.render.addresses import Addresses
from pipeline.render.issue import render_issue
from pipeline.render.theme.theme import Theme
from pipeline.settings import Settings

Make = Callable[..., RenderedIssue]
LONG = "Sleep is a habit like any other, and it can be learnt again at any age. " * 30


class Bodies:
    """A folder of posts that lies in memory."""

    def __init__(self, texts: dict[str, str]) -> None:
        self.texts = texts

    def body(self, post: Post) -> str:
        return self.texts.get(post.id, f"All about {post.id}.")


def a_post(name: str, day: int = 20, **fields: Any) -> Post:
    return Post(
        id=name,
        slug=name,
        title=fields.pop("title", f"What {name} does to a head"),
        published=datetime(2026, 11, day, 3, 30, tzinfo=UTC),
        path=f"posts/{name}.md",
        digest=name.ljust(64, "0"),
        fingerprint=Fingerprint(name),
        **{"excerpt": f"One sentence on {name}.", "category": "Triggers", "words": 440} | fields,
    )


@pytest.fixture
def make(tmp_path: Path) -> Make:
    def render(
        posts: list[Post] | None = None,
        texts: dict[str, str] | None = None,
        show: str = "lead",
        note: str = "",
        newsletter: dict[str, str] | None = None,
        **fields: Any,
    ) -> RenderedIssue:
        posts = posts or [
            a_post("sleep", authors=("Ana Example",), author_title="MD"),
            a_post("weather"),
            a_post("pain"),
        ]
        settings = Settings.model_validate(
            {
                "newsletter": {
                    "name": "The Letter",
                    "from": "letter@example.org",
                    "url": "https://letter.example.org",
                    "timezone": "America/New_York",
                    "postal_address": "12 Example Street, Exampletown",
                    "footer_note": "General information, not medical advice.",
                    **(newsletter or {}),
                },
                "issue": {"show": show},
            }
        )
        date = datetime(2026, 11, 22, 8, tzinfo=settings.newsletter.zone)
        issue = Issue(
            7,
            "Sleep & the head",
            "What the pillow knows.",
            tuple(posts),
            posts[0],
            note,
            date,
            "issues/0007.md",
        )
        return render_issue(
            replace(issue, **fields),
            Bodies(texts or {}),
            Addresses(settings, posts, tmp_path),
            Theme([tmp_path / "templates"], settings),
            settings,
        )

    return render


def seen(markup: str) -> str:
    """What a person sees of a page, as one line."""
    page = lxml_html.document_fromstring(markup)
    for hidden in page.xpath("//head | //*[contains(@style, 'display:none')]"):
        hidden.getparent().remove(hidden)
    return " ".join(page.text_content().split())


def test_the_mail_says_in_order_what_it_is_what_is_new_and_how_to_leave(make: Make) -> None:
    rendered = make(note="Hello *all*.", texts={"sleep": LONG})
    expected = (
        "The Letter Issue 7 · November 22, 2026 · 2 min read · View in browser "
        "From the editor Hello all. "
        "What sleep does to a head November 19, 2026 · Written by Ana Example, MD Sleep is a habit"
    )
    assert seen(rendered.html).startswith(expected)
    assert seen(rendered.html).endswith(
        "Read the full article Continue reading "
        "November 19, 2026 · Triggers What weather does to a head One sentence on weather. Read article "
        "November 19, 2026 · Triggers What pain does to a head One sentence on pain. Read article "
        f"Dear {rendered.marks.name}, you get this because you have been subscribed to The Letter "
        f"since {rendered.marks.confirmed}. "
        "Unsubscribe · Preferences · View in browser · RSS feed "
        "The Letter, 12 Example Street, Exampletown General information, not medical advice."
    )


def test_the_text_twin_holds_the_same_in_the_same_order(make: Make) -> None:
    rendered = make(
        note="Hello *all*.", texts={"sleep": f"See [this](https://e.example/x).\n\n{LONG}\n\nEnd."}
    )
    places = [
        rendered.text.index(piece)
        for piece in (
            "What the pillow knows.\n\nTHE LETTER\nIssue 7 · November 22, 2026 · 2 min read\n"
            "View in browser: https://letter.example.org/issues/7/\n",
            "From the editor\n\nHello",
            "What sleep does to a head\n=========================\nNovember 19, 2026 · Written by Ana Example, MD\n\n",
            "See this [1].",
            "[1] https://e.example/x\n",
            "Read the full article:\nhttps://letter.example.org/posts/sleep/\n",
            "CONTINUE READING\n",
            "What weather does to a head\nOne sentence on weather.\nhttps://letter.example.org/posts/weather/\n",
            f"Dear {rendered.marks.name},\n",
            "RSS feed: https://letter.example.org/feeds/all.rss.xml\n",
        )
    ]
    assert places == sorted(places)
    assert places[0] == 0
    assert rendered.text.endswith(f"\nUnsubscribe: {rendered.marks.unsubscribe}\n")


def test_the_text_twin_is_72_columns_wide(make: Make) -> None:
    words = "many words of a title that go on and on " * 4
    rendered = make(
        [a_post("sleep", title=words, excerpt=words), a_post("pain", title=words, excerpt=words)],
        texts={"sleep": LONG},
        preheader=words,
        newsletter={"postal_address": words, "footer_note": words, "name": words},
    )
    assert max(len(line) for line in rendered.text.split("\n") if "http" not in line) <= 72
    assert not re.search(r"[ \t]$|\n\n\n\n", rendered.text, re.MULTILINE)


def test_each_way_to_show_an_issue(make: Make) -> None:
    texts = {"sleep": LONG, "weather": "The whole of it.", "pain": "And this."}
    whole = make(show="full", texts=texts)
    assert all(text.strip() in seen(whole.html) for text in texts.values())
    assert "Continue reading" not in whole.html
    assert seen(whole.html).count("Read on the web") == 3
    lead = make(show="lead", texts=texts)
    assert (
        90
        < seen(lead.html).count(
            " ", seen(lead.html).index("Sleep is"), seen(lead.html).index("Read the full")
        )
        < 160
    )
    assert "The whole of it." not in lead.html
    cards = make(show="cards", texts=texts)
    assert "Sleep is a habit" not in cards.html
    assert "In this issue" in cards.html
    assert seen(cards.html).count("Read article") == 3


def test_over_seven_posts_the_lead_too_becomes_a_card(make: Make) -> None:
    posts = [a_post(f"p{n}") for n in range(8)]
    texts = {"p0": "The lead's own words."}
    assert "own words" in make(posts[:7], texts).html
    assert "own words" not in make(posts, texts).html
    assert "own words" in make(posts, texts, show="full").html


def test_the_lead_comes_first_wherever_it_stands(make: Make) -> None:
    posts = [a_post("one"), a_post("two")]
    html = seen(make(posts, lead=posts[1], show="full").html)
    assert html.index("What two does") < html.index("What one does")


def test_a_short_lead_is_printed_whole_and_offers_no_more_than_it_has(make: Make) -> None:
    html = seen(make(texts={"sleep": "Short."}).html)
    assert "Short. Read on the web Continue" in html


def test_marks_stand_for_one_reader_and_nothing_can_spell_them(make: Make) -> None:
    first, again, other = make(), make(), make(note="x")
    marks = [getattr(first.marks, name) for name in ("name", "unsubscribe", "preferences", "confirmed")]
    assert len(set(marks)) == 4
    assert all(re.fullmatch(r"nl[a-z]+[0-9a-f]{24}", mark) for mark in marks)
    assert first == again
    assert first.marks.unsubscribe != other.marks.unsubscribe
    page = lxml_html.document_fromstring(first.html)
    assert page.xpath(f"//a[@href='{first.marks.unsubscribe}']/text()") == ["Unsubscribe"]
    assert page.xpath(f"//a[@href='{first.marks.preferences}']/text()") == ["Preferences"]
    for mark in marks:
        assert mark not in first.page
        assert first.text.count(mark) == first.html.count(mark) == 1


def test_what_people_type_is_text_and_never_markup_or_template(make: Make) -> None:
    nasty = '"><script>alert(1)</script> {{ 7 * 7 }} {% raw %} & co'
    post = a_post("x", title=nasty, excerpt=nasty, category=nasty, authors=(nasty,), author_title=nasty)
    rendered = make(
        [post, replace(post, id="y", slug="y")],
        texts={"x": "{{ 7 * 7 }} <script>alert(1)</script>"},
        subject=nasty,
        preheader=nasty,
        newsletter={"name": nasty, "postal_address": nasty, "footer_note": nasty},
    )
    page = lxml_html.document_fromstring(rendered.html)
    assert page.xpath("//script") == []
    assert page.xpath("//title/text()") == [nasty]
    assert page.xpath("//*[@role='article']/@aria-label") == [nasty]
    assert page.xpath("//h3/text()") == [nasty]
    assert "49" not in seen(rendered.html).replace(rendered.marks.name, "").replace(
        rendered.marks.confirmed, ""
    )
    assert nasty in " ".join(rendered.text.split())


def test_the_page_is_built_as_mail_clients_need_it(make: Make) -> None:
    rendered = make(texts={"sleep": f"{LONG}\n\n| a | b |\n|---|---|\n| c | d |\n"}, show="full")
    assert rendered.html.startswith('<!DOCTYPE html>\n<html lang="en" dir="ltr"')
    page = lxml_html.document_fromstring(rendered.html)
    assert page.xpath("//meta[@name='color-scheme']/@content") == ["light dark"]
    assert page.xpath("//meta[@name='supported-color-schemes']/@content") == ["light dark"]
    assert page.xpath("//title/text()") == ["Sleep & the head"]
    assert page.xpath("//*[@role='article']/@aria-label") == ["Sleep & the head"]
    layout = page.xpath("//table[not(ancestor::table[not(@role)]) and @role]")
    assert {table.get("role") for table in layout} == {"presentation"}
    assert [table.xpath("string(.//th)") for table in page.xpath("//table[not(@role)]")] == ["a"]
    assert rendered.html.count('<!--[if mso]><table role="presentation" align="center" width="600"') == 1
    assert rendered.html.count("<!--[if mso]></td></tr></table><![endif]-->") == 1
    assert "var(" not in rendered.html
    assert not re.search(r"#[0-9a-fA-F]{3}\b(?![0-9a-fA-F])", re.sub(r"&#\w+;", "", rendered.html))
    for artefact in ("{{", "}}", "{%", "{#", "<link", "<script", "data-premailer"):
        assert artefact not in rendered.html


def test_styles_are_longhands_so_that_none_undoes_another() -> None:
    sides = "-(top|right|bottom|left|color|style|width|radius)"
    shorthand = rf"(?<![\w-])(margin|padding|border({sides})?|font|background|list-style|outline)\s*:"
    for sheet in ("mail/mail.css", "mail/mail-client.css"):
        assert re.findall(shorthand, Theme().source(sheet)) == []


def test_the_head_stays_under_what_gmail_reads(make: Make) -> None:
    rendered = make(texts={"sleep": "```python\nprint(1)  # one\n```\n"})
    styles = lxml_html.document_fromstring(rendered.html).xpath("//head/style/text()")
    assert sum(map(len, styles)) < 16_000  # Gmail drops a longer <style>
    assert ".tok-" in styles[-1]
    assert ".tok-" not in make().html
    assert len(make(texts={"sleep": LONG}).html.encode()) < 15_000


def test_an_inbox_shows_the_preheader_and_then_nothing_of_the_mail(make: Make) -> None:
    page = lxml_html.document_fromstring(make().html)
    preheader, filler = page.xpath("//body/div[contains(@style, 'display:none')]")
    assert preheader.text_content() == "What the pillow knows."
    assert len(filler.text_content()) > 150
    assert filler.text_content().strip("\u034f\u200c\u00a0") == ""
    assert make(preheader="").text.startswith("THE LETTER\n")


def test_links_name_their_file_and_line_and_the_themes_own_are_there(make: Make) -> None:
    rendered = make(
        texts={"sleep": "One.\n\n[Two](https://e.example/ä?b=%20) ![c](c.png)"},
        note="[note](http://n.example/)",
    )
    by_text = {link.text: link for link in rendered.links}
    assert (by_text["Two"].path, by_text["Two"].line) == ("posts/sleep.md", 3)
    assert by_text["note"].path == "issues/0007.md"
    assert (by_text["RSS feed"].url, by_text["RSS feed"].path) == (
        "https://letter.example.org/feeds/all.rss.xml",
        "",
    )
    assert [link.url for link in rendered.links].count(rendered.marks.unsubscribe) == 1
    assert [(image.path, image.line, image.resolved) for image in rendered.images] == [
        ("posts/sleep.md", 3, False)
    ]


def test_every_read_link_says_what_it_reads(make: Make) -> None:
    page = lxml_html.document_fromstring(make(texts={"sleep": LONG}).html)
    assert page.xpath("//a[contains(., 'Read')]/@aria-label") == [
        "Read the full article: What sleep does to a head",
        "Read article: What weather does to a head",
        "Read article: What pain does to a head",
    ]


def test_a_language_written_from_the_right_turns_the_mail_round(make: Make) -> None:
    arabic = make([a_post("sleep"), a_post("pain", lang="en")], newsletter={"language": "ar"}, show="full")
    page = lxml_html.document_fromstring(arabic.html)
    assert page.get("dir") == page.xpath("//*[@role='article']/@dir")[0] == "rtl"
    assert page.xpath("//td[@lang='en']/@dir") == ["ltr"]
    assert "22 نوفمبر 2026" in arabic.html


def test_one_overridden_piece_changes_that_piece_only(make: Make, tmp_path: Path) -> None:
    before = make()
    (tmp_path / "templates" / "mail").mkdir(parents=True)
    (tmp_path / "templates" / "mail" / "head.html").write_text(
        "<tr><td>{{ newsletter.name|upper }}</td></tr>\n"
    )
    after = make()
    assert seen(after.html).startswith("THE LETTER What sleep does")
    assert (
        seen(after.html).split("What sleep")[1].split("Dear")[0]
        == seen(before.html).split("What sleep")[1].split("Dear")[0]
    )


def test_an_override_may_add_to_a_part_of_the_mail(make: Make, tmp_path: Path) -> None:
    (tmp_path / "templates" / "mail").mkdir(parents=True)
    (tmp_path / "templates" / "mail" / "mail.html").write_text(
        '{% extends "built-in/mail/mail.html" %}\n'
        "{% block foot %}\n<tr><td>Just reply.</td></tr>\n{{ super() }}\n{% endblock %}\n"
    )
    rendered = make()
    assert "Read article Just reply. Dear" in seen(rendered.html)
    assert rendered.marks.unsubscribe in rendered.html


def test_a_mistake_in_an_overridden_mail_names_its_place(make: Make, tmp_path: Path) -> None:
    (tmp_path / "templates" / "mail").mkdir(parents=True)
    (tmp_path / "templates" / "mail" / "foot.html").write_text(
        "<tr><td>\n{{ newsletter.adress }}</td></tr>\n"
    )
    with pytest.raises(
        ThemeError, match=r"^templates/mail/foot.html:2: there is nothing called 'adress' here"
    ):
        make()


def test_an_empty_override_is_named_and_an_empty_twin_is_empty(make: Make, tmp_path: Path) -> None:
    (tmp_path / "templates" / "mail").mkdir(parents=True)
    (tmp_path / "templates" / "mail" / "mail.txt").write_text("")
    assert make().text == "\n"
    (tmp_path / "templates" / "mail" / "mail.html").write_text("{# nothing #}\n")
    with pytest.raises(ThemeError, match=r"^templates/mail/mail.html: makes an empty mail"):
        make()


def test_only_links_have_the_colour_of_links(make: Make) -> None:
    html = make().html
    coloured = re.findall(r"<(\w+)[^>]*[^-]color:#0B5E63", html)
    assert set(coloured) == {"a"}
    assert "Triggers" in html


def test_mail_and_page_take_as_long_to_read_and_name_the_same_writer(make: Make) -> None:
    made = make(note="A word from the editor. " * 200)
    pages = [" ".join(lxml_html.fromstring(html).text_content().split()) for html in (made.html, made.page)]
    assert len({re.findall(r"(\d+) min read", page)[0] for page in pages}) == 1
    assert "6 min read" in pages[0]
    assert all("Written by Ana Example, MD" in page for page in pages)
