"""Readers of chosen categories: each is enrolled with what is for them, or counted with the reason why not."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings
from support.ledger import NOW, TOKENS, arm, frozen, subscriber

from pipeline.compose.cut import categories, posts_of, variant_of
from pipeline.errors import Unrendered
from pipeline.model import (
    Circulation,
    Decision,
    Fingerprint,
    Post,
    Preferences,
    Skip,
    Variant,
)
from pipeline.store import open_store
from pipeline.store.driver import DRIVER

FILE = ".newsletter/newsletter.db"
DAY = timedelta(days=1)


def variant(name: str) -> Variant:
    data = name.encode()
    return Variant(
        name, b"Subject: " + data, b"<p>" + data, data, tuple(f"post {part}" for part in name.split())
    )


ISSUE = frozen(variants=(variant("bread"), variant("bread weather")))


def cut(choice):
    """Of an issue about bread and weather, with a post about nothing in particular."""
    return variant_of(["", "bread", "weather"], choice)


def wants(store, email, *chosen, **others):
    preferences = Preferences(tuple(sorted(chosen)), **others)
    store.decide(email, lambda _: Decision(subscriber=subscriber(email, preferences=preferences)))


@pytest.fixture
def choosy(store):
    """Somebody of every kind."""
    store.put_subscribers(subscriber(f"{name}@example.com") for name in "abcdefghi")
    wants(store, "b@example.com", "bread")
    wants(store, "c@example.com", "bread", "recipes")
    wants(store, "d@example.com", "bread", "weather")
    wants(store, "e@example.com", "recipes")
    wants(store, "f@example.com", "bread", feed_only=True)
    wants(store, "g@example.com", "bread", paused_until=NOW + DAY)
    wants(store, "h@example.com", "recipes")
    store.decide("h@example.com", lambda _: Decision(suppress="bounced"))
    wants(store, "i@example.com", paused_until=NOW)
    return store


def enrolled(store):
    store.claim(1, "run")
    return {each.recipient.email[0]: each.variant for each in store.lease(1, "run", 100)}


def test_everybody_gets_what_is_for_them_and_who_is_missing_has_a_reason(choosy, opened):
    assert choosy.freeze(ISSUE, [], NOW, cut) == 5
    after = opened()
    assert enrolled(after) == {"a": "", "b": "bread", "c": "bread", "d": "bread weather", "i": ""}
    assert after.issue(1).skipped == {
        Skip.SUPPRESSED: 1,
        Skip.FEED_ONLY: 1,
        Skip.PAUSED: 1,
        Skip.NOTHING_CHOSEN: 1,
    }
    assert after.by_variant(1) == {"": 2, "bread": 2, "bread weather": 1}


def test_variants_come_back_to_the_byte_and_those_that_nobody_gets_are_not_kept(choosy, opened):
    issue = replace(ISSUE, variants=(*ISSUE.variants, variant("weather")))
    choosy.freeze(issue, [], NOW, cut)
    assert opened().frozen(1) == ISSUE


def test_readers_are_still_enrolled_in_order_of_address(choosy, tmp_path):
    choosy.freeze(ISSUE, [], NOW, cut)
    with closing(DRIVER.connect(tmp_path / FILE)) as ledger:
        rows = ledger.execute("SELECT substr(email, 1, 1) FROM deliveries ORDER BY id").fetchall()
    assert "".join(letter for (letter,) in rows) == "abcdi"


def test_a_choice_that_came_after_the_build_undoes_the_freeze_until_its_variant_is_there(choosy, opened):
    wants(choosy, "a@example.com", "weather")
    wants(choosy, "i@example.com", "weather", "recipes")
    with pytest.raises(Unrendered) as missing:
        choosy.freeze(ISSUE, [], NOW, cut)
    assert missing.value.variants == ("weather",)
    assert (opened().issue(1), list(opened().carried()), opened().counts(1).readers) == (None, [], 0)
    assert choosy.freeze(replace(ISSUE, variants=(*ISSUE.variants, variant("weather"))), [], NOW, cut) == 5
    got = enrolled(choosy)
    assert (got["a"], got["i"], got["b"]) == ("weather", "weather", "bread")


def test_who_chooses_otherwise_after_the_freeze_gets_what_was_frozen_for_them(choosy):
    choosy.freeze(ISSUE, [], NOW, cut)
    wants(choosy, "b@example.com", "recipes")
    wants(choosy, "a@example.com", "bread")
    choosy.claim(1, "run")
    copies = {each.recipient.email[0]: each for each in choosy.lease(1, "run", 100)}
    assert (copies["b"].variant, copies["a"].variant) == ("bread", "")
    assert arm(choosy, copies["b"], "run")


def test_where_nobody_has_chosen_nothing_is_looked_up_for_a_million_readers(store):
    store.put_subscribers(subscriber(f"{name}@example.com") for name in "ab")
    wants(store, "a@example.com", paused_until=NOW)
    said = []
    with store._database.read() as connection:
        connection.connection.driver_connection.set_trace_callback(said.append)
    assert store.freeze(frozen(), [], NOW, cut) == 2
    (enrolling,) = [statement for statement in said if statement.startswith("INSERT INTO deliveries")]
    assert "cuts" not in enrolling
    assert store.by_variant(1) == {"": 2}


def test_what_was_frozen_stays_readable_for_a_script(choosy, tmp_path):
    choosy.freeze(ISSUE, [], NOW, cut)
    with closing(DRIVER.connect(tmp_path / FILE)) as ledger:
        (text,) = ledger.execute("SELECT skipped FROM issues").fetchone()
    assert json.loads(text) == {"suppressed": 1, "feed-only": 1, "paused": 1, "nothing-chosen": 1}


SLUGS = ["bread", "weather", "sleep", "zurek", "nowhere"]
PEOPLE = st.lists(
    st.tuples(
        st.sets(st.sampled_from(SLUGS)),
        st.sampled_from([None, "feed", "paused", "was paused", "suppressed", "left", "unconfirmed"]),
    ),
    max_size=12,
)
POSTS = st.lists(st.sampled_from(["", *SLUGS[:-1]]), min_size=1, max_size=5)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(PEOPLE, POSTS)
def test_every_confirmed_reader_gets_exactly_their_posts_or_is_counted(people, names):
    posts = [
        Post(f"p{n}", f"p{n}", "T", NOW, f"p{n}.md", "d", Fingerprint("f"), category=name)
        for n, name in enumerate(names)
    ]
    slugs = categories(posts)
    store = open_store("sqlite://", Path(), TOKENS)
    for n, (chosen, state) in enumerate(people):
        email = f"r{n:02}@example.com"
        until = {"paused": NOW + DAY, "was paused": NOW - DAY}.get(state)
        preferences = Preferences(tuple(sorted(chosen)), state == "feed", until)
        stands = {"left": "unsubscribed", "unconfirmed": "unconfirmed"}.get(state, "confirmed")
        one = subscriber(email, preferences=preferences, state=stands)
        suppress = "bounced" if state == "suppressed" else ""
        store.decide(email, lambda _, one=one, why=suppress: Decision(one, suppress=why))
    going = store.audience(NOW).circulation(lambda choice: variant_of(slugs, choice))
    issue = frozen(posts=(), variants=tuple(variant(name) for name in going.variants if name))
    assert store.freeze(issue, [], NOW, lambda choice: variant_of(slugs, choice)) == going.readers
    assert (going.variants, store.issue(1).skipped) == (store.by_variant(1), going.skipped)

    store.claim(1, "run")
    got = {each.recipient.email: each.variant for each in store.lease(1, "run", 100)}
    theirs, counted = {}, dict.fromkeys(Skip, 0)
    for n, (chosen, state) in enumerate(people):
        mine = [each.id for each in posts if not chosen or each.category in chosen]
        if state in (None, "was paused") and mine:
            theirs[f"r{n:02}@example.com"] = mine
        elif state in (None, "was paused"):
            counted[Skip.NOTHING_CHOSEN] += 1
        elif state in ("feed", "paused", "suppressed"):
            counted[{"feed": Skip.FEED_ONLY, "paused": Skip.PAUSED}.get(state, Skip.SUPPRESSED)] += 1
    assert {email: [each.id for each in posts_of(posts, name)] for email, name in got.items()} == theirs
    assert going.skipped == {reason: count for reason, count in counted.items() if count}
    confirmed = sum(state not in ("left", "unconfirmed") for _, state in people)
    assert confirmed == len(got) + sum(going.skipped.values())
    store.close_database()


def test_the_law_holds_for_an_empty_newsletter(store):
    assert store.audience(NOW).circulation(cut) == Circulation({}, {})
