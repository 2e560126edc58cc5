"""What of an issue is for whom: a reader of categories gets just their posts, and all who get the same share it."""

from __future__ import annotations

from datetime import UTC, datetime

import hypothesis.strategies as st
import pytest
from hypothesis import given

from pipeline.compose.cut import categories, draft_of, posts_of, title, variant_of
from pipeline.model import Audience, Circulation, Draft, Fingerprint, Issue, Post, Skip, every_skip, skipped

DAY = datetime(2026, 11, 20, tzinfo=UTC)


def post(name: str, category: str = "") -> Post:
    return Post(name, name, name.title(), DAY, f"posts/{name}.md", "d", Fingerprint("f"), category=category)


POSTS = (post("rain", "Weather"), post("nap", "Sleep & rest"), post("news"), post("snow", "weather"))
CATEGORISED = tuple(each for each in POSTS if each.category)


@pytest.mark.parametrize(
    ("choice", "variant", "left"),
    [
        ("", "", ["rain", "nap", "news", "snow"]),
        ("weather", "weather", ["rain", "snow"]),
        ("sleep-rest", "sleep-rest", ["nap"]),
        ("weather sleep-rest", "sleep-rest weather", ["rain", "nap", "snow"]),
        ("recipes sleep-rest", "sleep-rest", ["nap"]),
        ("recipes", None, None),
    ],
)
def test_of_an_issue_those_posts_remain_whose_category_was_chosen(
    choice: str, variant: str | None, left: list[str] | None
) -> None:
    assert variant_of(categories(POSTS), choice) == variant
    if variant is not None:
        assert [each.id for each in posts_of(POSTS, variant)] == left


def test_who_chose_all_there_is_gets_the_whole_issue_unless_a_post_is_in_no_category() -> None:
    everything = "recipes sleep-rest weather"
    assert variant_of(categories(CATEGORISED), everything) == ""
    assert variant_of(categories(POSTS), everything) == "sleep-rest weather"


def test_of_an_issue_without_posts_nothing_is_missing() -> None:
    assert variant_of(categories([]), "weather") == ""


def test_a_variant_is_called_as_most_posts_call_its_categories() -> None:
    names = categories([*POSTS, post("hail", "weather")])
    assert names == {"": "", "sleep-rest": "Sleep & rest", "weather": "weather"}
    assert title(names, "sleep-rest weather") == "Sleep & rest + weather"
    assert title(names, "") == "everything"
    assert title({}, "sleep-rest") == "sleep-rest"


def test_choices_that_leave_the_same_share_a_variant_and_who_gets_nothing_is_counted() -> None:
    choices = {"": 5, "sleep-rest": 1, "recipes sleep-rest": 2, "recipes": 3, "weather": 1}
    audience = Audience(choices, {Skip.PAUSED: 4})
    going = audience.circulation(lambda choice: variant_of(categories(POSTS), choice))
    assert going == Circulation(
        {"": 5, "sleep-rest": 3, "weather": 1}, {Skip.PAUSED: 4, Skip.NOTHING_CHOSEN: 3}
    )
    assert going.readers == 9


def test_why_somebody_is_missing_is_said_in_words_and_counted_for_scripts() -> None:
    counts = {Skip.SUPPRESSED: 6, Skip.NOTHING_CHOSEN: 1, Skip.FEED_ONLY: 1204, Skip.PAUSED: 0}
    assert skipped(counts) == "1 has chosen nothing that is in it, 1,204 read by feed, 6 suppressed"
    assert skipped({Skip.FEED_ONLY: 1, Skip.NOTHING_CHOSEN: 2}) == (
        "2 have chosen nothing that is in it, 1 reads by feed"
    )
    assert skipped({}) == ""
    assert every_skip({Skip.PAUSED: 2}) == {"suppressed": 0, "feed-only": 0, "paused": 2, "nothing-chosen": 0}


def issue(subject: str, preheader: str) -> Issue:
    return Issue(1, subject, preheader, POSTS, POSTS[0], "", DAY)


def test_words_that_settings_gave_are_made_anew_and_those_of_a_person_stay() -> None:
    usual = issue("Rain", "It rained.")
    draft = Draft(1, "issues/0001.md", "Rain", "Mine.", ("rain", "nap"), lead="rain", note="Hello.\n")
    cut = draft_of(draft, usual, POSTS[1:2])
    assert cut is not None
    assert (cut.subject, cut.preheader, cut.lead, cut.note) == ("", "Mine.", "", "Hello.\n")
    stays = draft_of(draft, issue("Snow", "Mine."), POSTS[:1])
    assert stays is not None
    assert (stays.subject, stays.preheader, stays.lead) == ("Rain", "", "rain")
    assert draft_of(None, usual, POSTS) is None


NAMES = st.sampled_from(["", "Sleep", "sleep!", "Weather", "Cluster headaches", "Żółw", "天气", "---"])
SLUGS = st.sampled_from(["sleep", "weather", "cluster-headaches", "zołw", "天气", "recipes"])


@given(st.lists(NAMES, min_size=1, max_size=6), st.sets(SLUGS))
def test_whatever_is_chosen_a_reader_gets_exactly_their_posts(names: list[str], chosen: set[str]) -> None:
    posts = [post(f"p{n}", name) for n, name in enumerate(names)]
    slugs = {
        "Sleep": "sleep",
        "sleep!": "sleep",
        "Weather": "weather",
        "Cluster headaches": "cluster-headaches",
    }
    slugs |= {"Żółw": "zołw", "天气": "天气"}
    theirs = [each for each in posts if not chosen or slugs.get(each.category) in chosen]
    variant = variant_of(categories(posts), " ".join(sorted(chosen)))
    assert (variant is None) == (not theirs)
    if variant is not None:
        assert list(posts_of(posts, variant)) == theirs
        assert (variant == "") == (theirs == posts)
