"""Knows a post again under another name, and keeps every id and address to one post.

An exact fingerprint survives renaming, re-dating, moving and re-encoding; a
sketch of its sentences survives editing too.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, tzinfo
from hashlib import sha256
from pathlib import PurePosixPath

from pipeline.collect import names
from pipeline.model import CarriedPost, Collection, Fingerprint, Post, Unreadable

#: Two texts that share this much of the larger are one post, edited.
SAME = 0.5
#: The same where the file names carry different dates: issues of one weekly letter share up to half, word for word.
SAME_REDATED = 0.6
#: Passages a sketch keeps: the longest, which say most.
MAX_PASSAGES = 256

# Ends of sentences, paragraphs and list items; begins with one set of characters, which the engine can skip to.
_PASSAGE = re.compile(r"[.!?\n](?:(?<!\n)\s+|(?<=\n)\s*\n|(?<=\n)(?=\s*(?:[-*+]|\d{1,9}[.)])\s))")


def fingerprint(title: str, body: str) -> Fingerprint:
    """Return what a text looks like, with Unicode form, letter case, white space and line ends levelled."""
    text = unicodedata.normalize("NFC", body).casefold()
    whole = " ".join(f"{unicodedata.normalize('NFC', title).casefold()}\n{text}".split())
    found: dict[str, int] = {}
    for passage in _PASSAGE.split(text):
        if words := passage.split():
            found[sha256(" ".join(words).encode()).hexdigest()[:16]] = len(words)
    longest = (
        sorted(found, key=lambda digest: (-found[digest], digest)) if len(found) > MAX_PASSAGES else found
    )
    sketch = " ".join([f"{digest}:{found[digest]}" for digest in sorted([*longest][:MAX_PASSAGES])])
    return Fingerprint(sha256(whole.encode()).hexdigest()[:32], sketch)


def passages(mark: Fingerprint) -> dict[str, int]:
    """Return a sketch's passages: digest -> words."""
    pairs = (passage.split(":") for passage in mark.sketch.split())
    return {digest: int(count) for digest, count in pairs}


def similarity(a: Fingerprint, b: Fingerprint) -> float:
    """Return how many of the larger text's words both share, 0 to 1."""
    if a.exact == b.exact:
        return 1.0
    ours, theirs = passages(a), passages(b)
    shared = sum(min(count, ours[digest]) for digest, count in theirs.items() if digest in ours)
    return shared / max(sum(ours.values()), sum(theirs.values()), 1)


def likeness(post: Post, record: CarriedPost) -> float:
    """Return the similarity of a post to a carried one if it is enough for them to be the same, else 0."""
    if not record.fingerprint:
        return 0.0
    alike = similarity(post.fingerprint, record.fingerprint)
    return alike if alike >= (SAME_REDATED if _redated(post, record) else SAME) else 0.0


def _redated(post: Post, record: CarriedPost) -> bool:
    """Return whether both file names carry a date, and not the same one."""
    then, now = names.file_date(PurePosixPath(record.path)), names.file_date(PurePosixPath(post.path))
    return bool(then and now) and then != now


def settle(collection: Collection, carried: Iterable[CarriedPost], zone: tzinfo = UTC) -> Collection:
    """Return the collection with every id and slug given to one post only.

    Names that came from a file or title step aside: the post that was carried
    under the plain name keeps it, else the earliest, and the others add their
    date (`links-2026-11-22`; days are `zone`'s), so that a weekly "links" goes
    out each week and last week's address stays. Where the author chose the
    name, or a date does not help, the later path becomes unreadable.
    """
    records = {record.id: record for record in reversed(list(carried))}
    posts = {post.path: _aside(post, records, zone) if records else post for post in collection.posts}
    unreadable = list(collection.unreadable)
    for key in ("id", "slug"):
        for _, *others in _sharing(posts.values(), key, records):
            posts |= {post.path: _dated(post, zone) for post in others if _derived(post, key)}
    for key in ("id", "slug"):
        for first, *others in _sharing(posts.values(), key, records):
            for post in others:
                del posts[post.path]
                unreadable.append(_doubled(post, first, key))
    return Collection(tuple(posts.values()), tuple(sorted(unreadable, key=lambda file: file.path)))


def _aside(post: Post, records: Mapping[str, CarriedPost], zone: tzinfo) -> Post:
    """Date a post that was carried under its dated name, or whose plain name another carried that has gone.

    The latter only where both file names carry a date, the dates differ and so do the
    texts: anything less may be the same post, and nobody gets a post twice.
    """
    record = records.get(post.id)
    if not _derived(post, "id") or (record and _unchanged(post, record)):
        return post
    if _dated(post, zone).id in records:
        return _dated(post, zone)
    if record is None or not record.fingerprint or not record.fingerprint.sketch:
        return post
    if not _redated(post, record) or likeness(post, record):
        return post
    return _dated(post, zone)


def _unchanged(post: Post, record: CarriedPost) -> bool:
    """Return whether a file stands as it did when it was carried, as nearly every one of an archive does."""
    same_text = record.fingerprint is not None and record.fingerprint.exact == post.fingerprint.exact
    return same_text and record.path == post.path


def _sharing(posts: Iterable[Post], key: str, records: Mapping[str, CarriedPost]) -> list[list[Post]]:
    """Return each group of posts that share a name, in order of their right to it."""
    groups: dict[str, list[Post]] = defaultdict(list)
    for post in posts:
        groups[getattr(post, key)].append(post)
    return [
        sorted(group, key=lambda post: _claim(post, key, records))
        for group in groups.values()
        if len(group) > 1
    ]


def _claim(post: Post, key: str, records: Mapping[str, CarriedPost]) -> tuple[float, bool, float, str]:
    """Order posts by their right to a name: who was carried under it, who chose it, who came first."""
    record = records.get(post.id)
    known = 0.0
    if record:
        alike = likeness(post, record)
        known = 3.0 if alike == 1 else 2.0 if record.path == post.path else alike
    chosen = not _derived(post, key)
    # Of those who chose it, the first path keeps it, so that the message names the other.
    return -known, not chosen, 0.0 if chosen else post.published.timestamp(), post.path


def _derived(post: Post, key: str) -> bool:
    """Return whether a name came from the file or title, so that nobody has promised it."""
    return not post.slug_given and not (key == "id" and "id" in post.lines)


def _dated(post: Post, zone: tzinfo) -> Post:
    day = names.file_date(PurePosixPath(post.path)) or post.published.astimezone(zone).date().isoformat()
    slug = post.slug if post.slug.endswith(day) else f"{post.slug}-{day}"
    return replace(post, slug=slug, id=post.id if "id" in post.lines else slug)


def _doubled(post: Post, first: Post, key: str) -> Unreadable:
    place = f"{first.path}:{first.lines[key]}" if key in first.lines else first.path
    mend = key if key in post.lines else "slug"
    why = f"same {key} as {place} (`{getattr(post, key)}`); give one of them another `{mend}`"
    return Unreadable(post.path, post.lines.get(key, post.lines.get("slug", 1)), f"{why}.")
