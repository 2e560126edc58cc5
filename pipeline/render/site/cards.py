"""A post's head as pages show it: plain texts, dates in words, addresses that fit the page."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from pipeline.dates import long_date

if TYPE_CHECKING:
    from collections.abc import Container, Mapping

    from pipeline.model import Issue, Post
    from pipeline.render.addresses import Addresses
    from pipeline.render.site.local import Local
    from pipeline.settings import Settings

#: Words an adult reads in a minute, silently, in English non-fiction: Brysbaert 2019,
#: "How many words do we read per minute?", rounded.
WORDS_A_MINUTE = 240
#: The shape of a language tag (RFC 5646, 2.1); anything else in front matter is not shown.
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")


@dataclass(frozen=True, slots=True)
class Card:
    """What stands for a post: in a card, in a list, and above its own text."""

    title: str
    #: Relative to the page where the post lies on this site, else absolute.
    url: str
    #: YYYY-MM-DD, in the newsletter's zone.
    day: str
    #: The same day in words, in the newsletter's language.
    date: str
    category: str
    #: Relative; "" without a category.
    category_url: str
    excerpt: str
    #: Authors, joined; "" if nobody is named.
    author: str
    credentials: str
    #: Minutes to read, at least 1.
    minutes: int
    #: "" where it is the newsletter's own, else a BCP 47 tag and its direction.
    lang: str = ""
    direction: str = ""
    #: Front matter that only a newsletter's own templates know.
    extra: Mapping[str, object] = field(default_factory=dict)


def make_card(post: Post, root: str, settings: Settings, addresses: Addresses, local: Local) -> Card:
    """Make a post's card for pages whose way to public/ is `root`."""
    newsletter = settings.newsletter
    day = post.published.astimezone(newsletter.zone).date()
    url = addresses.post(post)
    lang = post.lang if _LANGUAGE.fullmatch(post.lang) and post.lang != newsletter.language else ""
    return Card(
        title=post.title,
        # Posts that live elsewhere have no file here, whatever their address looks like.
        url=url if addresses.elsewhere else local.relative(url, root),
        day=day.isoformat(),
        date=long_date(day, newsletter.language),
        category=post.category,
        category_url=local.relative(addresses.category(post.category), root) if post.category else "",
        excerpt=post.excerpt,
        author=", ".join(post.authors),
        credentials=post.author_title,
        minutes=minutes(post.words),
        lang=lang,
        direction=direction(lang) if lang else "",
        extra=post.extra,
    )


def issue_minutes(issue: Issue, whole: Container[str]) -> int:
    """Return the minutes it takes to read an issue: its note, the posts in `whole` (ids), the others' excerpts."""
    words = (
        post.words if post.id in whole else len(f"{post.title} {post.excerpt}".split())
        for post in issue.posts
    )
    return minutes(len(issue.note.split()) + sum(words))


def minutes(words: int) -> int:
    """Return how long a text takes to read, in whole minutes, at least one."""
    return max(1, round(words / WORDS_A_MINUTE))


@lru_cache(maxsize=256)
def direction(language: str) -> str:
    """Return how a language is written: "ltr" or "rtl"."""
    from babel.core import Locale, UnknownLocaleError

    try:
        return str(Locale.parse(language, sep="-").text_direction)
    except (UnknownLocaleError, ValueError):
        return "ltr"
