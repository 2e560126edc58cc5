"""A post is carried once: known again whatever became of its file, and never mistaken for another."""

from __future__ import annotations

import time
import unicodedata
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from pipeline.collect.choose import choose
from pipeline.collect.identity import fingerprint, settle, similarity
from pipeline.model import CarriedPost, Collection, Fingerprint, Post, Unreadable

ZONE = ZoneInfo("America/New_York")
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
TEXT = (
    "Snow fell on Monday. The head hurt all week.\n\n"
    "A doctor came on Friday. She brought caf\u00e9 au lait and no news."
)


def carry(posts, issue: int | None = 3) -> list[CarriedPost]:
    return [CarriedPost(post.id, issue, post.fingerprint, post.path) for post in posts]


def decide(desk, carried=(), **line):
    collection = settle(desk.read(), carried, ZONE)
    return choose(collection, carried, NOW, ZONE, **line)


def reasons(choice) -> dict[str, str]:
    return {item.path.removeprefix("posts/"): f"{item.reason}: {item.why}" for item in choice.left_out}


def chosen(choice) -> list[str]:
    return [post.path.removeprefix("posts/") for post in choice.chosen]


CHANGES = {
    "renamed": ("other-name.md", {}, TEXT, "carried: issue 3 carried it as `weather`, under another name"),
    "re-dated": ("2026-11-20-weather.md", {"date": "2026-11-20"}, TEXT, "carried: issue 3 carried it"),
    "edited": ("weather.md", {}, TEXT.replace("Snow", "Rain"), "carried: issue 3 carried it"),
    "written anew": ("weather.md", {}, "Nothing is left of it.", "carried: issue 3 carried it"),
    "moved": ("old/deep/weather.md", {}, TEXT, "carried: issue 3 carried it"),
    "re-encoded": ("weather.md", {}, unicodedata.normalize("NFD", TEXT).replace("\n", "\r\n"),
                   "carried: issue 3 carried it"),
    "renamed and edited": ("other.md", {"title": "Snow"}, TEXT.replace("Friday", "Sunday"),
                           "carried: issue 3 carried it as `weather`, renamed and edited since"),
    "set back to draft": ("weather.md", {"draft": "true"}, TEXT, "carried: issue 3 carried it"),
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_a_carried_post_is_known_again_when(change, desk) -> None:
    file = desk.post("weather.md", body=TEXT)
    carried = carry(desk.read().posts)
    file.unlink()
    name, head, body, why = CHANGES[change]
    desk.post(name, body=body, **head)
    choice = decide(desk, carried)
    assert choice.chosen == ()
    assert reasons(choice) == {name: why}


def test_an_nfd_file_name_is_the_same_address(desk) -> None:
    desk.post(unicodedata.normalize("NFD", "schn\u00e9e-\u0439.md"))
    (post,) = desk.read().posts
    assert post.slug == unicodedata.normalize("NFC", "schnee-\u0439")


def test_a_back_dated_new_post_is_taken(desk) -> None:
    desk.post("weather.md", body=TEXT)
    carried = carry(desk.read().posts)
    desk.post("old.md", title="Old", date="2001-01-01", body="Something else entirely.")
    assert chosen(decide(desk, carried)) == ["old.md"]


def test_a_new_post_that_shares_little_with_a_vanished_one_is_taken(desk) -> None:
    file = desk.post("weather.md", body=TEXT)
    carried = carry(desk.read().posts)
    file.unlink()
    desk.post(
        "new.md",
        body="Snow fell on Monday. " + "This is a long and quite different story about something else. " * 2,
    )
    assert chosen(decide(desk, carried)) == ["new.md"]


def test_one_vanished_post_answers_for_one_file_only(desk) -> None:
    file = desk.post("weather.md", body=TEXT)
    carried = carry(desk.read().posts)
    file.unlink()
    desk.post("near.md", body=TEXT + " More.")
    desk.post("far.md", body=TEXT + " And a whole lot more of words that were not there.")
    choice = decide(desk, carried)
    assert chosen(choice) == ["far.md"]
    assert "renamed and edited" in reasons(choice)["near.md"]


def test_a_weekly_name_goes_out_each_week_and_keeps_last_week_s_address(desk) -> None:
    files = {}
    carried: list[CarriedPost] = []
    ids = ["links", "links-2026-11-15", "links-2026-11-22"]
    for week, day in enumerate((8, 15, 22)):
        files[day] = desk.post(
            f"2026-11-{day:02}-links.md",
            title="Links",
            date=f"2026-11-{day:02}",
            body=f"Links number {week}. " * 3,
        )
        choice = decide(desk, carried)
        assert [post.id for post in choice.chosen] == [post.slug for post in choice.chosen] == [ids[week]]
        carried += carry(choice.chosen, issue=week)
    # Last weeks' files may go, and be edited: nobody's address moves and the next one is still new.
    files[8].unlink()
    desk.post(
        "2026-11-15-links.md",
        title="Links",
        date="2026-11-15",
        body="Rewritten from the first word to the last.",
    )
    assert [post.id for post in settle(desk.read(), carried, ZONE).posts] == ids[1:]
    files[15].unlink()
    files[22].unlink()
    desk.post("2026-11-21-links.md", title="Links", date="2026-11-21", body="Fresh ones.")
    assert [post.id for post in decide(desk, carried).chosen] == ["links-2026-11-21"]


def test_an_address_stays_also_where_each_week_s_text_is_much_the_same(desk) -> None:
    same = "This week's letter begins as always. It goes on as always. It ends as always too."
    first = desk.post("2026-11-08-links.md", date="2026-11-08", body=f"{same} One.")
    desk.post("2026-11-15-links.md", date="2026-11-15", body=f"{same} Two.")
    carried = carry(settle(desk.read(), (), ZONE).posts)
    first.unlink()
    (post,) = settle(desk.read(), carried, ZONE).posts
    assert post.slug == "links-2026-11-15"


def test_a_carried_post_keeps_its_plain_name_before_an_earlier_one(desk) -> None:
    desk.post("b/links.md", date="2026-11-15", body="Old words in here.")
    carried = carry(desk.read().posts)
    desk.post("a/links.md", date="2026-11-01", body="Found in a drawer.")
    assert [post.id for post in settle(desk.read(), carried, ZONE).posts] == ["links-2026-11-01", "links"]
    assert chosen(decide(desk, carried)) == ["a/links.md"]
    desk.post("b/links.md", date="2026-11-15", body="All of it is new.")
    assert chosen(decide(desk, carried)) == ["a/links.md"]


def test_before_any_issue_the_earliest_keeps_the_plain_name(desk) -> None:
    desk.post("b/links.md", date="2026-11-15", body="b")
    desk.post("a/links.md", date="2026-11-16", body="a")
    assert {post.path: post.id for post in settle(desk.read(), (), ZONE).posts} == {
        "posts/a/links.md": "links-2026-11-16",
        "posts/b/links.md": "links",
    }


@pytest.mark.parametrize("key", ["id", "slug"])
def test_two_posts_that_were_given_one_name_are_told_of_each_other(key, desk) -> None:
    desk.write("a.md", f"---\ntitle: A\n{key}: same\ndate: 2026-01-02\n---\na")
    desk.write("b.md", f"---\ntitle: B\ndate: 2026-01-01\n{key}: same\n---\nb")
    found = settle(desk.read(), (), ZONE)
    assert [post.path for post in found.posts] == ["posts/a.md"]
    assert [(file.path, file.line, file.why) for file in found.unreadable] == [
        ("posts/b.md", 4, f"same id as posts/a.md:3 (`same`); give one of them another `{key}`.")
        if key == "id"
        else ("posts/b.md", 4, "same id as posts/a.md (`same`); give one of them another `slug`.")
    ]


def test_a_given_name_beats_a_file_s_name(desk) -> None:
    desk.post("same.md", date="2026-01-01", body="a")
    desk.post("z.md", slug="same", body="z")
    assert {post.path: post.slug for post in settle(desk.read(), (), ZONE).posts} == {
        "posts/same.md": "same-2026-01-01",
        "posts/z.md": "same",
    }


def test_every_post_that_stays_out_has_a_reason_for_people(desk) -> None:
    desk.post("in.md", body="In.")
    desk.post("draft.md", draft="true", body="Draft.")
    desk.post("drafts/idea.md", body="Idea.")
    desk.post("future.md", date="2026-12-01", body="Future.")
    desk.post("later.md", date="2026-11-22 18:00", body="Later.")
    desk.post("gone.md", expiryDate="2026-11-21", body="Gone.")
    desk.post("today.md", expiryDate="2026-11-22", body="Today.")
    desk.post("web.md", newsletter="false", body="Web.")
    desk.post("old.md", body="Old.")
    desk.post("broken.md", date="never")
    desk.post("was.md", date="never")
    carried = [CarriedPost("old", None), CarriedPost("was", 2, None, "posts/was.md")]
    choice = decide(desk, carried)
    assert chosen(choice) == ["in.md", "today.md"]
    assert reasons(choice) == {
        "broken.md": 'unreadable: date is "never". Write a date like 2026-01-31 or 2026-01-31 08:00.',
        "draft.md": "draft: marked as a draft in line 4",
        "drafts/idea.md": "draft: a draft",
        "future.md": "future: dated 1 December 2026",
        "gone.md": "expired: was to be sent until 21 November 2026, 23:59",
        "later.md": "future: dated 22 November 2026, 18:00",
        "old.md": "before-first: counts as published before the first issue",
        "was.md": 'unreadable: date is "never". Write a date like 2026-01-31 or 2026-01-31 08:00. '
        "(issue 2 carried it, so nothing waits for it.)",
        "web.md": "web-only: `newsletter: false`, so only for the pages and feeds",
    }
    assert {item.path for item in choice.left_out if item.stops} == {"posts/broken.md"}
    assert choice.before_first == ()


def test_a_first_issue_draws_its_line(desk) -> None:
    for day in range(1, 6):
        desk.post(f"p{day}.md", date=f"2026-01-0{day}", body=f"Day {day}.")
    desk.post("q.md", date="2026-01-04", body="Same day.", draft="true")
    desk.post("p4b.md", date="2026-01-04", body="Same moment.")
    latest = decide(desk, latest=2)
    assert chosen(latest) == ["p5.md", "p4.md"]
    assert [post.path for post in latest.before_first] == [f"posts/p{n}.md" for n in ("1", "2", "3", "4b")]
    assert (
        reasons(latest)["p1.md"] == "before-first: not among the newest 2, so it counts as published before"
    )
    since = decide(desk, since=datetime(2026, 1, 3, 5, tzinfo=UTC))
    assert chosen(since) == ["p5.md", "p4.md", "p4b.md", "p3.md"]
    assert (
        reasons(since)["p1.md"] == "before-first: older than 3 January 2026, so it counts as published before"
    )
    assert reasons(since)["q.md"].startswith("draft")


def test_the_newest_featured_post_leads_and_the_rest_is_newest_first(desk) -> None:
    desk.post("a.md", date="2026-01-05", body="a")
    desk.post("b.md", date="2026-01-01", body="b", featured="true")
    desk.post("c.md", date="2026-01-03", body="c", featured="true")
    desk.post("d.md", date="2026-01-03", body="d")
    assert chosen(decide(desk)) == ["c.md", "a.md", "d.md", "b.md"]


def test_similarity_is_what_two_texts_share_of_the_larger() -> None:
    one, two = (
        fingerprint("T", "One two three. Four five."),
        fingerprint("U", "One  TWO three!\n\nSix seven eight."),
    )
    assert similarity(one, two) == pytest.approx(3 / 6)
    assert similarity(one, one) == 1
    assert similarity(Fingerprint("a"), Fingerprint("b")) == 0


def test_an_archive_of_thousands_is_decided_at_once() -> None:
    def post(number: int, text: str) -> Post:
        body = fingerprint(f"T{number}", f"The same opening in every one of them. {text}")
        return Post(
            f"p{number}",
            f"p{number}",
            f"T{number}",
            NOW - timedelta(days=number),
            f"posts/{number:05}.md",
            "",
            body,
        )

    posts = [post(number, f"Words {number} of it.") for number in range(10_000)]
    carried = carry(posts[:4_000]) + [
        CarriedPost(
            f"gone{number}", 1, fingerprint("G", f"The same opening in every one of them. Gone {number}."), ""
        )
        for number in range(2_000)
    ]
    start = time.process_time()
    collection = settle(Collection(tuple(posts), (Unreadable("posts/x.md", 1, "x"),)), carried, ZONE)
    choice = choose(collection, carried, NOW, ZONE)
    assert time.process_time() - start < 2
    assert len(choice.chosen) == 6_000
    assert replace(choice, chosen=()).before_first == ()
