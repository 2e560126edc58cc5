"""What an editor asks besides sending: a draft, the checks, a build to look at."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from pipeline import cutting, inspection, papers, publishing, weekly
from pipeline.compose import draft as drafts
from pipeline.compose import guards
from pipeline.errors import DraftError, Refused

if TYPE_CHECKING:
    from pipeline.check.run import Report
    from pipeline.inspection import Asked
    from pipeline.model import Issue
    from pipeline.project import Project
    from pipeline.publish.tree import Published


@dataclass(frozen=True)
class Built:
    """What `build` wrote."""

    site: Published
    #: The issue whose mail lies in `folder`; None if nothing is new.
    number: int | None
    #: Relative to the newsletter's folder; "" if nothing is new.
    folder: str
    #: How many variants of it lie there.
    variants: int = 0


def draft(project: Project, since: datetime | None, latest: int | None) -> str | None:
    """Write the next issue's draft; return its path, or None if nothing is new."""
    week = weekly.collect(project, since, latest)
    if week.draft is not None:
        raise DraftError("is there already; edit it, or delete it to begin again.", path=week.draft.path)
    if not week.choice.chosen:
        return None
    guards.too_many(len(week.choice.chosen), project.settings, "draft")
    return drafts.write_new(
        project.root, cutting.compose(project, week), since=week.since, latest=week.latest
    )


def reorder(
    project: Project, post: str, step: int, since: datetime | None = None, latest: int | None = None
) -> str:
    """Move a post of the next issue one place up (-1) or down (1), in its draft, written if there is none.

    A subject that nobody wrote follows the lead post. Returns the draft's path.
    """
    week = weekly.collect(project, since, latest)
    posts = [each.id for each in week.choice.chosen]
    if post not in posts:
        raise Refused(f"`{post}` is not in issue {week.number}, so it cannot be moved.")
    if not 0 <= posts.index(post) + step < len(posts):
        raise Refused(f"`{post}` is the {'first' if step < 0 else 'last'} post already.")
    if week.draft is None:
        draft(project, since, latest)
    before = _words(project)
    drafts.reorder(project.root, week.number, post, step)
    after = _words(project)
    # Words that came from the settings, not from a person, follow the lead post.
    written = weekly.collect(project).draft
    if written is not None and (before.subject, before.preheader) != (after.subject, after.preheader):
        subject = after.subject if written.subject == before.subject else written.subject
        preheader = after.preheader if written.preheader == before.preheader else written.preheader
        drafts.record_words(project.root, week.number, subject, preheader)
    return drafts.path_of(week.number)


def _words(project: Project) -> Issue:
    """Compose the next issue with the words that the settings give it."""
    return cutting.usual(project, weekly.collect(project))


def check(
    project: Project,
    since: datetime | None,
    latest: int | None,
    number: int | None = None,
    online: Asked | None = None,
) -> Report:
    """Check the next issue; files that cannot be read are findings too.

    `number` may say which one is meant. With `online`, which is told how far
    it has come, the sites that links lead to are asked. Raises Refused if
    `number` is another issue's.
    """
    from pipeline.check.run import Report, unreadable

    week = weekly.collect(project, since, latest)
    if number not in (None, week.number):
        past = any(issue.number == number for issue in project.store.issues())
        why = f"issue {number} is out as it is" if past else f"there is no issue {number}"
        raise Refused(f"{why}; the next one is {week.number}: newsletter check {week.number}")
    stopping = unreadable(week.choice.left_out)
    if not week.choice.chosen:
        return Report(week.number if stopping else None, stopping, 0)
    # What can be read is looked at all the same, so that an editor sees every fault at once.
    left_out = tuple(item for item in week.choice.left_out if not item.stops)
    prepared = weekly.prepare(project, replace(week, choice=replace(week.choice, left_out=left_out)), "check")
    answers = inspection.ask(project, prepared.rendered, online) if online else None
    if not stopping and answers is None:
        return prepared.report
    return inspection.report(
        project, prepared.issue, prepared.rendered, stopping, answers, prepared.variants.told()
    )


def build(project: Project, number: int | None, since: datetime | None, latest: int | None) -> Built:
    """Write the site, and the mail of one issue as files: a frozen one, or the next as it would be now."""
    frozen = project.store.frozen(number) if number is not None else None
    week = weekly.collect(project, since, latest)
    if frozen is not None:
        folder = papers.write_bodies(project, frozen)
        return Built(publishing.publish(project, week), frozen.number, folder, len(frozen.variants))
    if number is not None and number != week.number:
        raise Refused(
            f"there is no issue {number}; the next one is {week.number}: newsletter build {week.number}"
        )
    guards.stops(week.choice)
    if not week.choice.chosen:
        return Built(publishing.publish(project, week), None, "")
    prepared = weekly.prepare(project, week, "build")
    variants = prepared.variants.all_frozen()
    now = replace(cutting.frozen_bytes(project, prepared.rendered), variants=variants)
    folder = papers.write_bodies(project, now)
    return Built(publishing.publish(project, week), week.number, folder, len(variants))
