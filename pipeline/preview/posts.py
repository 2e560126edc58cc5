"""The posts that an issue takes, and those it leaves, as the page lists them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from pipeline.model import Reason
from pipeline.preview.choices import posts_in
from pipeline.preview.steps import is_past
from pipeline.preview.templating import count

if TYPE_CHECKING:
    from datetime import date

    from pipeline.preview.places import Places
    from pipeline.preview.state import State

#: Reasons that concern whole archives and that nobody has to look into every week.
_USUAL = frozenset({Reason.CARRIED, Reason.BEFORE_FIRST})
#: So many left-out posts are shown at once; the others wait in a disclosure, and of a large archive not all.
SHOWN, MOST = 6, 200


@dataclass(frozen=True, slots=True)
class Row:
    """One post of the issue."""

    id: str
    title: str
    #: "20 Nov · Sleep · 640 words".
    meta: tuple[str, ...]
    lead: bool
    href: str
    lang: str = ""
    #: False for the first and the last.
    up: bool = False
    down: bool = False
    #: False if it is not for the readers whose copy is looked at.
    theirs: bool = True


@dataclass(frozen=True, slots=True)
class Left:
    """One file that stays out."""

    title: str
    why: str
    href: str
    stops: bool


def rows(state: State, places: Places) -> list[Row]:
    """List the issue's posts in its order."""
    look, shown = state.look, state.shown
    if look is None:
        return []
    theirs = posts_in(shown)
    if look.issue is None:
        return [
            Row(
                entry.id,
                entry.title,
                _meta(entry.published.date(), entry.category, None, state),
                post == next((each for each in look.entry_posts if each in theirs), ""),
                "",
                theirs=post in theirs,
            )
            for post, entry in zip(look.entry_posts, look.entries, strict=True)
        ]
    lead = (shown or look).issue or look.issue
    posts, zone = look.issue.posts, state.settings.newsletter.zone
    movable = not is_past(state) and not state.faults
    return [
        Row(
            post.id,
            post.title,
            _meta(post.published.astimezone(zone).date(), post.category, post.words, state),
            post.id == lead.lead.id and post.id in theirs,
            places.source(post.path, None),
            post.lang,
            up=movable and place > 0,
            down=movable and place < len(posts) - 1,
            theirs=post.id in theirs,
        )
        for place, post in enumerate(posts)
    ]


def left_out(state: State, places: Places) -> tuple[list[Left], list[Left], int]:
    """List what stays out, and why: what a person should see at once, the rest of it, and how much it is in all."""
    week = state.week
    if week is None or is_past(state):
        return [], [], 0
    titles = {post.path: post.title for post in week.collection.posts}
    items = sorted(week.choice.left_out, key=lambda item: (not item.stops, item.reason in _USUAL))
    first = sum(item.reason not in _USUAL for item in items)
    cut = len(items) if len(items) <= SHOWN else min(max(first, 1), SHOWN)
    made = [
        Left(
            titles.get(item.path) or PurePosixPath(item.path).name,
            item.why,
            places.source(item.path, item.line),
            item.stops,
        )
        for item in items[:MOST]
    ]
    return made[:cut], made[cut:], len(items)


def _meta(day: date, category: str, words: int | None, state: State) -> tuple[str, ...]:
    year = "" if day.year == state.now.year else f" {day.year}"
    parts = [f"{day.day} {day:%b}{year}", category, "" if words is None else count(words, "word")]
    return tuple(filter(None, parts))
