"""Cuts an issue for readers who chose categories: what of it is for whom, and what that is called.

Pure. A choice is Preferences.choice, a variant's name is Variant.name: both are
slugs with spaces between them. Choices for which the same posts remain share a
variant. A post without a category belongs to none, and goes to readers of
everything only.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from pipeline.model import Draft, Issue, Post
from pipeline.slugs import slugify


def categories(posts: Iterable[Post]) -> dict[str, str]:
    """Return slug -> name of the categories that posts are in, in order of name; under "" if any is in none."""
    names: dict[str, Counter[str]] = {}
    for post in posts:
        names.setdefault(slugify(post.category), Counter())[" ".join(post.category.split())] += 1
    # The spelling used most often; among equals the first in the alphabet.
    found = {slug: min(counts, key=lambda name: (-counts[name], name)) for slug, counts in names.items()}
    return dict(sorted(found.items(), key=lambda item: (item[1].casefold(), item[0])))


def variant_of(slugs: Iterable[str], choice: str) -> str | None:
    """Name what readers of a choice get of an issue with these categories: "" is all of it, None is nothing.

    Of an issue that has no posts yet nothing can be missing.
    """
    chosen, there = frozenset(choice.split()), frozenset(slugs)
    if not chosen or there <= chosen:
        return ""
    return " ".join(sorted(chosen & there)) or None


def posts_of(posts: Sequence[Post], variant: str) -> tuple[Post, ...]:
    """Return the posts of a variant, in the issue's order."""
    slugs = frozenset(variant.split())
    return tuple(post for post in posts if not variant or slugify(post.category) in slugs)


def draft_of(draft: Draft | None, usual: Issue, posts: Sequence[Post]) -> Draft | None:
    """Return what a draft says of a variant with these posts.

    `usual` is the issue with the words that the settings give it: where the
    draft has just these, nobody wrote them, and they are made anew. What a
    person wrote stays. A lead that is not among the posts leads no more.
    """
    if draft is None:
        return None
    return replace(
        draft,
        subject="" if draft.subject == usual.subject else draft.subject,
        preheader="" if draft.preheader == usual.preheader else draft.preheader,
        lead=draft.lead if draft.lead in {post.id for post in posts} else "",
    )


def title(names: Mapping[str, str], variant: str) -> str:
    """Say for people whom a variant is for: "Cluster headaches + Sleep"; "everything" for the whole issue.

    `names` are those of `categories`; a slug that it does not know stands for itself.
    """
    return " + ".join(names.get(slug) or slug for slug in variant.split()) or "everything"
