"""Decides which posts the next issue takes, and why it leaves the others."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from pipeline.collect.dates import spoken
from pipeline.collect.identity import likeness, passages
from pipeline.model import CarriedPost, Choice, Collection, LeftOut, Post, Reason, Unreadable

#: A passage in more old posts than this is boilerplate, and no clue to which of them a post was.
_COMMON = 50


@dataclass(frozen=True, slots=True)
class _Match:
    """A carried post found again in the folder, and what gave it away."""

    record: CarriedPost
    #: "" if nothing but its id was needed.
    how: str = ""


def choose(
    collection: Collection,
    carried: Iterable[CarriedPost],
    now: datetime,
    zone: tzinfo,
    since: datetime | None = None,
    latest: int | None = None,
) -> Choice:
    """Split posts into those the next issue takes and those it leaves, each with its reason.

    `since` and `latest` draw a first issue's line: posts older than the one,
    or beyond the newest so many, count as published before. Decides only: no
    files, clock or store. `zone` is for the days that reasons name.
    """
    records = list(carried)
    known = recognise(collection.posts, records)
    left_out = [_unreadable(file, records) for file in collection.unreadable]
    fresh: list[Post] = []
    for post in collection.posts:
        reason = _reason(post, known.get(post.path), now, zone)
        if reason is None:
            fresh.append(post)
        else:
            left_out.append(LeftOut(post.path, post.id, *reason))
    fresh.sort(key=_newest_first)
    before = [post for place, post in enumerate(fresh) if _is_before(post, place, since, latest)]
    why = f"older than {spoken(since, zone)}" if since else f"not among the newest {latest}"
    left_out += [
        LeftOut(post.path, post.id, Reason.BEFORE_FIRST, f"{why}, so it counts as published before")
        for post in before
    ]
    baseline = {post.path for post in before}
    return Choice(
        chosen=tuple(_in_order([post for post in fresh if post.path not in baseline])),
        left_out=tuple(sorted(left_out, key=lambda item: item.path)),
        before_first=tuple(sorted(before, key=lambda post: post.path)),
    )


def recognise(posts: Sequence[Post], records: Sequence[CarriedPost]) -> dict[str, _Match]:
    """Return path -> match for each post that was carried: by id, by its exact text, or by most of its text.

    The last is asked only of carried posts that are found in no other way, and
    each answers for one post: the most similar.
    """
    by_id = {record.id: record for record in reversed(records)}
    by_text = {record.fingerprint.exact: record for record in reversed(records) if record.fingerprint}
    known: dict[str, _Match] = {}
    for post in posts:
        if record := by_id.get(post.id):
            known[post.path] = _Match(record)
        elif record := by_text.get(post.fingerprint.exact):
            known[post.path] = _Match(record, "under another name")
    found = {match.record.id for match in known.values()}
    gone = [record for name, record in by_id.items() if name not in found and record.fingerprint]
    if gone:
        new = [post for post in posts if post.path not in known]
        for _, path, record in sorted(_alike(new, gone), key=lambda pair: (pair[0], pair[1], pair[2].id)):
            if path not in known and record.id not in found:
                known[path] = _Match(record, "renamed and edited since")
                found.add(record.id)
    return known


def _alike(posts: Iterable[Post], records: Iterable[CarriedPost]) -> Iterator[tuple[float, str, CarriedPost]]:
    """Yield (minus similarity, path, record) for each pair that is one post, edited."""
    index: dict[str, list[CarriedPost]] = defaultdict(list)
    for record in records:
        for digest in passages(record.fingerprint) if record.fingerprint else ():
            index[digest].append(record)
    for post in posts:
        candidates: dict[str, CarriedPost] = {}
        for digest in passages(post.fingerprint):
            if 0 < len(index.get(digest, ())) <= _COMMON:
                candidates |= {record.id: record for record in index[digest]}
        for record in candidates.values():
            if alike := likeness(post, record):
                yield -alike, post.path, record


def _reason(post: Post, match: _Match | None, now: datetime, zone: tzinfo) -> tuple[Reason, str] | None:
    """Return why a post stays out, or None if the next issue may take it."""
    if match:
        if match.record.issue is None:
            return Reason.BEFORE_FIRST, "counts as published before the first issue"
        name = f" as `{match.record.id}`" if match.how else ""
        how = f", {match.how}" if match.how else ""
        return Reason.CARRIED, f"issue {match.record.issue} carried it{name}{how}"
    if post.draft:
        return (
            Reason.DRAFT,
            f"marked as a draft in line {post.lines['draft']}" if "draft" in post.lines else "a draft",
        )
    if post.expires and post.expires < now:
        return Reason.EXPIRED, f"was to be sent until {spoken(post.expires, zone)}"
    if post.published > now:
        return Reason.FUTURE, f"dated {spoken(post.published, zone)}"
    if not post.in_newsletter:
        return Reason.WEB_ONLY, "`newsletter: false`, so only for the pages and feeds"
    return None


def _unreadable(file: Unreadable, records: Iterable[CarriedPost]) -> LeftOut:
    before = next((record for record in records if record.path == file.path), None)
    why = file.why
    if before:
        issue = (
            f"issue {before.issue} carried it"
            if before.issue is not None
            else "it counts as published before"
        )
        why = f"{why} ({issue}, so nothing waits for it.)"
    return LeftOut(file.path, None, Reason.UNREADABLE, why, stops=before is None, line=file.line)


def _is_before(post: Post, place: int, since: datetime | None, latest: int | None) -> bool:
    return (since is not None and post.published < since) or (latest is not None and place >= latest)


def _newest_first(post: Post) -> tuple[float, str]:
    return -post.published.timestamp(), post.path


def _in_order(fresh: Sequence[Post]) -> Iterator[Post]:
    """Yield the newest featured post, then the others as they stand."""
    lead = next((post for post in fresh if post.featured), None)
    if lead:
        yield lead
    yield from (post for post in fresh if post is not lead)
