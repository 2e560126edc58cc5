"""Cuts the next issue: its posts and its draft composed, rendered, and turned into the bytes that copies share."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pipeline import publishing
from pipeline.compose import cut
from pipeline.compose.assemble import assemble
from pipeline.model import CarriedPost, FrozenIssue, Issue, Post, RenderedIssue

if TYPE_CHECKING:
    from datetime import datetime

    from pipeline.project import Project
    from pipeline.week import Week


def compose(project: Project, week: Week, moment: datetime | None = None) -> Issue:
    """Put the chosen posts, and the draft if there is one, together.

    `moment` is when it is cut: by default that of its approval, else now.
    """
    approval = week.draft.approval if week.draft else None
    return assemble(
        week.choice.chosen,
        week.draft,
        week.number,
        moment or (approval.at if approval else project.now),
        project.settings,
        project.theme.render_text_line,
    )


def usual(project: Project, week: Week, moment: datetime | None = None) -> Issue:
    """Compose it with the subject and preheader that the settings give it, whatever its draft says."""
    blank = replace(week.draft, subject="", preheader="") if week.draft else None
    return compose(project, replace(week, draft=blank), moment)


def compose_variant(project: Project, week: Week, issue: Issue, variant: str, usual: Issue) -> Issue:
    """Put what remains of an issue for a variant together, as the whole of it was; `usual` is as above."""
    posts = cut.posts_of(issue.posts, variant)
    draft = cut.draft_of(week.draft, usual, posts)
    return assemble(posts, draft, issue.number, issue.date, project.settings, project.theme.render_text_line)


def render(project: Project, week: Week, issue: Issue, *, with_page: bool = True) -> RenderedIssue:
    """Render an issue, or a variant of one, which has no page of its own."""
    from pipeline.render.issue import render_issue

    return render_issue(
        issue,
        project.source,
        publishing.addresses(project, week),
        project.theme,
        project.settings,
        previous=week.last.number if week.last else None,
        body=project.render_body,
        with_page=with_page,
    )


def frozen_bytes(project: Project, rendered: RenderedIssue) -> FrozenIssue:
    """Return a rendered issue as the bytes that all its copies share. Raises Refused for an impossible subject."""
    from pipeline.deliver.freeze import freeze as freeze_bytes

    issue = rendered.issue
    posts = [carry(post, issue.number) for post in issue.posts]
    return freeze_bytes(rendered, project.settings, posts, nameless=reader_word(project))


def carry(post: Post, issue: int | None) -> CarriedPost:
    """Remember a post as an issue carried it (None: published before the first)."""
    return CarriedPost(post.id, issue, post.fingerprint, post.path)


def reader_word(project: Project) -> str:
    """Return what a reader without a name is called."""
    return str(project.theme.words()["reader"])
