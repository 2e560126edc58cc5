"""Checks of the words themselves: what an author left behind, and what a post's head lacks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

from pipeline.check.findings import error, warning
from pipeline.check.material import Material, where
from pipeline.check.texts import short
from pipeline.model import Finding

#: Jinja, Liquid, Handlebars and provider merge tags: `{{ name }}`, `{% if %}`.
TEMPLATE_SYNTAX = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{\{|\{%")

#: Where a link or picture in Markdown leads.
_TARGET = re.compile(r"(?<=\])\([^)]*\)|^\s*\[[^\]]*\]:.*")

#: What authors write where something is still to come: TK of journalists, in capitals; filler text.
PLACEHOLDER = re.compile(
    r"(?<![\w-])(?:TK(?:TK)*|TODO|FIXME|TBD|XXX)(?![\w-])|\blorem\s+ipsum\b|\bdolor\s+sit\s+amet\b"
)
_ANY_CASE = re.compile(r"\blorem\s+ipsum\b", re.IGNORECASE)

#: A post of more days is no news any more.
STALE = timedelta(days=30)
#: So many words of the interface are named that are missing; the rest is counted.
NAMED = 3
#: What a card shows of an excerpt without a fourth line on a phone; search engines cut at about as much.
EXCERPT = 160


def template_left(m: Material) -> Iterator[Finding]:
    """No template variable is left for readers to see, except in code."""
    issue = m.rendered.issue
    heads = set()
    for key, value in (("subject", issue.subject), ("preheader", issue.preheader)):
        if found := TEMPLATE_SYNTAX.search(value):
            path, line = m.head(key)
            heads.add((path, line))
            yield error(
                "template-left",
                f"{key} holds `{short(found[0])}`",
                path=path,
                line=line,
                fix="write the words themselves",
            )
    # Also what only a post's own page shows, under a card; a target in such syntax is a reference that was followed.
    written = {
        (path, line, found[0])
        for path, line, text in m.lines()
        for found in TEMPLATE_SYNTAX.finditer(_TARGET.sub("", text))
    }
    told = {text for _, _, text in written}
    seen = [found[0] for found in TEMPLATE_SYNTAX.finditer(m.prose) if found[0] not in told]
    elsewhere = {(*place, text) for text in seen for place in where(m, text) if place not in heads}
    for path, line, text in sorted(
        written | elsewhere, key=lambda place: (place[0], place[1] or 0, place[2])
    ):
        yield error(
            "template-left",
            f"readers would see `{short(text)}`",
            path=path,
            line=line,
            fix="write the words themselves, or put it between backticks as code",
        )


def placeholder(m: Material) -> Iterator[Finding]:
    """Nothing stands in the text for what was still to be written: TK, TODO, lorem ipsum."""
    for lines in (m.heads(), m.lines()):
        for path, line, text in lines:
            for found in [*PLACEHOLDER.finditer(text), *_ANY_CASE.finditer(text)][:1]:
                yield warning(
                    "placeholder",
                    f"“{found[0]}” still stands in the text",
                    path=path,
                    line=line,
                    fix="write what was meant to stand there, or take it out",
                )


def post_age(m: Material) -> Iterator[Finding]:
    """No post is older than 30 days. The first issue may begin with what is there."""
    issue = m.rendered.issue
    for post in m.posts if issue.number > 1 else ():
        age = issue.date - post.published
        if age > STALE:
            yield warning(
                "post-age",
                f"“{short(post.title)}” is {age.days:,} days old",
                path=post.path,
                line=post.lines.get("date", 1),
                fix="leave it out by a draft (newsletter draft), or correct its date",
            )


def author(m: Material) -> Iterator[Finding]:
    """Every post names who wrote it."""
    for post in m.posts:
        if not post.authors:
            yield warning(
                "author",
                f"“{short(post.title)}” does not say who wrote it",
                path=post.path,
                line=post.lines.get("author", post.lines.get("title", 1)),
                fix="add a line `author: ...`",
            )


def excerpt_length(m: Material) -> Iterator[Finding]:
    """An excerpt has at most 160 characters: one sentence that a card shows whole."""
    for post in m.posts:
        if len(post.excerpt) > EXCERPT:
            yield warning(
                "excerpt-length",
                f"the excerpt has {len(post.excerpt)} characters; a card has room for {EXCERPT}",
                path=post.path,
                line=post.lines.get("excerpt", post.body_line),
                fix="say it in one short sentence"
                if post.excerpt_given
                else "add a line `excerpt: ...` that is shorter than the first sentence",
            )


def words_missing(m: Material) -> Iterator[Finding]:
    """Every word of the interface is there in the newsletter's language."""
    if m.untranslated:
        path, line = m.setting("newsletter.language")
        language, first = m.settings.newsletter.language, ", ".join(m.untranslated[:NAMED])
        more = f" and {len(m.untranslated) - NAMED:,} more" if len(m.untranslated) > NAMED else ""
        yield warning(
            "words-missing",
            f"for want of words in {language}, readers see English ones: {first}{more}",
            path=path,
            line=line,
            fix=f"write them into templates/words/{language}.toml; the built-in words/en.toml has them all",
        )
