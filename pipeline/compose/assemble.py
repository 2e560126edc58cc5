"""Puts the next issue together: chosen posts and, if there is one, the editor's draft.

Pure: no files, clock or store. How a subject or preheader template becomes a
line is the renderer's business, so it comes in as a function.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from pipeline.errors import DraftError
from pipeline.model import Choice, Draft, Issue, LeftOut, Post, Reason

if TYPE_CHECKING:
    from pipeline.settings import Settings

#: Left out for these, a post may still be listed in a draft: the editor has seen it and wants it.
LISTABLE = frozenset({Reason.BEFORE_FIRST, Reason.NOT_CHOSEN})


class Line(Protocol):
    """Renders a one-line template from settings; `where` names the setting in an error."""

    def __call__(self, template: str, where: str, **context: object) -> str: ...


def pick(choice: Choice, draft: Draft | None, posts: Iterable[Post]) -> Choice:
    """Narrow a choice to what the draft lists, in the draft's order.

    Chosen posts that the draft does not list are left out as `not-chosen` and
    come back next time. Raises DraftError for a listed id that no post has, or
    whose post cannot go out.
    """
    if draft is None:
        return choice
    by_id = {post.id: post for post in posts}
    reasons = {item.id: item for item in choice.left_out if item.id is not None}
    listed = [_listed(draft, position, by_id, reasons) for position in range(len(draft.posts))]
    ids = set(draft.posts)
    dropped = [
        LeftOut(post.path, post.id, Reason.NOT_CHOSEN, f"not listed in {draft.path}; comes back next time")
        for post in choice.chosen
        if post.id not in ids
    ]
    kept = [item for item in choice.left_out if item.id not in ids]
    return Choice(
        chosen=tuple(listed),
        left_out=tuple(sorted([*kept, *dropped], key=lambda item: item.path)),
        before_first=tuple(post for post in choice.before_first if post.id not in ids),
    )


def _listed(draft: Draft, position: int, by_id: dict[str, Post], reasons: dict[str, LeftOut]) -> Post:
    """Find the post a draft lists at one position, or say why it cannot be there."""
    name = draft.posts[position]
    line = draft.lines.get(f"posts.{position}") or draft.lines.get("posts")
    post = by_id.get(name)
    if post is None:
        raise DraftError(
            f"there is no post `{name}`. Remove the line, or correct the id: it is `id` or `slug` in the post's "
            "head, else its file's name.",
            path=draft.path,
            line=line,
        )
    if name in draft.posts[:position]:
        raise DraftError(f"`{name}` is listed twice; remove one of the lines.", path=draft.path, line=line)
    out = reasons.get(name)
    if out is not None and out.reason not in LISTABLE:
        raise DraftError(
            f"`{name}` cannot go out: {out.reason} ({out.why}). Remove the line, or change {post.path}.",
            path=draft.path,
            line=line,
        )
    return post


def assemble(
    posts: Sequence[Post], draft: Draft | None, number: int, now: datetime, settings: Settings, line: Line
) -> Issue:
    """Return the issue that these posts make, in their order.

    `posts` is not empty. `now` is the moment of cutting. Words that the draft
    holds are taken as they stand; what it leaves empty comes from settings.
    """
    lead = posts[0]
    if draft is not None and draft.lead:
        named = [post for post in posts if post.id == draft.lead]
        if not named:
            raise DraftError(
                f"lead names `{draft.lead}`, which is not among its posts.",
                path=draft.path,
                line=draft.lines.get("lead"),
            )
        lead = named[0]
    date = now.astimezone(settings.newsletter.zone).replace(microsecond=0)
    context = {"lead": lead, "posts": tuple(posts), "number": number, "date": date}
    subject = (draft.subject if draft else "") or line(settings.issue.subject, "issue.subject", **context)
    preheader = (draft.preheader if draft else "") or line(
        settings.issue.preheader, "issue.preheader", **context
    )
    return Issue(
        number=number,
        subject=subject.strip(),
        preheader=preheader.strip(),
        posts=tuple(posts),
        lead=lead,
        note=draft.note if draft else "",
        date=date,
        path=draft.path if draft else "",
        note_line=draft.note_line if draft else 1,
    )
