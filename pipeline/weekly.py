"""THE PIPELINE: collect, compose, render, check, freeze, publish, deliver.

Read from top to bottom it is the walk of one post, from a file in posts/ to
the last reader. Each step takes what the one before it returned.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import uuid4

from pipeline.compose import draft as drafts
from pipeline.compose import guards
from pipeline.compose.assemble import assemble, pick
from pipeline.errors import Refused
from pipeline.model import (
    CarriedPost,
    Choice,
    Collection,
    Counts,
    Draft,
    FrozenIssue,
    Issue,
    IssueRecord,
    IssueState,
    Post,
    RenderedIssue,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.check.run import Report
    from pipeline.project import Project
    from pipeline.publish.tree import Published
    from pipeline.render.addresses import Addresses

#: Told after every answer; what a progress bar draws.
Progress = Callable[[Counts], None]
#: Asked before every message; True ends the run after the one under way.
Stop = Callable[[], bool]


@dataclass(frozen=True)
class Week:
    """What the next issue would take now, and everything that stays out."""

    number: int
    #: The issue before it, if there is one.
    last: IssueRecord | None
    collection: Collection
    #: Narrowed to the draft, if there is one.
    choice: Choice
    draft: Draft | None
    drafts: Mapping[int, Draft]
    carried: tuple[CarriedPost, ...]
    since: datetime | None = None
    latest: int | None = None


@dataclass(frozen=True)
class Prepared:
    """An issue that could be frozen: rendered and checked, nothing written."""

    week: Week
    issue: Issue
    rendered: RenderedIssue
    report: Report


def collect(project: Project, since: datetime | None = None, latest: int | None = None) -> Week:
    """Read the posts, and decide which are new and why the others are left out."""
    from pipeline.collect.choose import choose
    from pipeline.collect.identity import settle

    files = drafts.read_all(project.root)
    known = {post.id: post for post in drafts.carried(files)}
    known.update((post.id, post) for post in project.store.carried())
    carried = tuple(known.values())
    collection = settle(project.source.read(), carried)
    last = project.store.last_issue()
    gone = [number for number, file in files.items() if file.frozen or file.sent]
    number = max([last.number if last else 0, *gone]) + 1
    draft = files.get(number)
    since = since or (draft.since if draft else None)
    latest = latest or (draft.latest if draft and since is None else None)
    choice = choose(
        collection, carried, project.now, project.settings.newsletter.zone, since=since, latest=latest
    )
    choice = pick(choice, draft, collection.posts)
    return Week(number, last, collection, choice, draft, files, carried, since, latest)


def prepare(project: Project, week: Week, command: str = "send") -> Prepared:
    """Compose, render and check what `collect` chose. Raises Refused for what a guard will not have."""
    from pipeline.check.rules import Material
    from pipeline.check.run import run
    from pipeline.render.issue import render_issue

    guards.stops(week.choice)
    guards.too_many(len(week.choice.chosen), project.settings, command)
    issue = compose(project, week)
    rendered = render_issue(issue, project.source, addresses(project, week), project.theme, project.settings)
    markdown = {post.id: project.source.body(post) for post in issue.posts}
    reading = [finding for post in issue.posts for finding in post.findings]
    report = run(Material(rendered, project.settings, markdown), project.settings.checks, reading)
    return Prepared(week, issue, rendered, report)


def compose(project: Project, week: Week) -> Issue:
    """Put the chosen posts, and the draft if there is one, together."""
    return assemble(
        week.choice.chosen,
        week.draft,
        week.number,
        project.now,
        project.settings,
        project.theme.render_text_line,
    )


def freeze(project: Project, prepared: Prepared) -> FrozenIssue:
    """Write the issue's bytes, its posts and its readers down, in one transaction.

    From here on the issue exists, and `resume` is all it needs.
    """
    from pipeline.deliver.freeze import freeze as freeze_bytes

    week = prepared.week
    words = project.theme.words(project.settings.newsletter.language)
    frozen = freeze_bytes(
        prepared.rendered,
        project.settings,
        [carry(post, week.number) for post in prepared.issue.posts],
        fallback_name=str(words["reader"]),
    )
    project.store.freeze(frozen, [carry(post, None) for post in week.choice.before_first], project.now)
    drafts.record_frozen(project.root, frozen, prepared.issue)
    return frozen


def carry(post: Post, issue: int | None) -> CarriedPost:
    """Remember a post as an issue carried it (None: published before the first)."""
    return CarriedPost(post.id, issue, post.fingerprint, post.path)


def publish(project: Project, week: Week) -> Published:
    """Bring public/ up to date: pages, issues as they were frozen, feeds."""
    from pipeline.publish.tree import publish as publish_tree
    from pipeline.render.site import site_files

    posts = public_posts(week, project.now)
    files = site_files(
        posts=posts,
        issues=project.store,
        source=project.source,
        addresses=addresses(project, week),
        theme=project.theme,
        settings=project.settings,
        updates=project.store.entry_updates(posts, project.now),
        root=project.root,
    )
    return publish_tree(project.public, files, project.private / "site.json", keep=kept_pages(week))


def public_posts(week: Week, now: datetime) -> list[Post]:
    """Posts with a page: out by now, or carried by an issue; never drafts."""
    carried = {post.id for post in week.carried}
    return [p for p in week.collection.posts if not p.draft and (p.published <= now or p.id in carried)]


def kept_pages(week: Week) -> list[str]:
    """Pages that stay though nothing makes them now: past issues, posts unreadable for the moment."""
    by_path = {post.path: post for post in week.carried}
    unreadable = [by_path[file.path] for file in week.collection.unreadable if file.path in by_path]
    return ["issues/*", *(f"posts/{post.id}/*" for post in unreadable)]


def addresses(project: Project, week: Week) -> Addresses:
    """Where every post, issue, page and feed can be read."""
    from pipeline.render.addresses import Addresses

    return Addresses(project.settings, week.collection.posts, project.root)


def send(project: Project, prepared: Prepared, progress: Progress, stop: Stop) -> IssueRecord:
    """Freeze, publish, deliver. Nothing before this call has changed anything."""
    frozen = freeze(project, prepared)
    return resume(project, frozen.number, progress, stop)


def resume(project: Project, number: int, progress: Progress, stop: Stop) -> IssueRecord:
    """Finish an issue that was frozen, from its frozen bytes: publish, deliver, close.

    Safe to call again and again, after a kill anywhere.
    """
    from pipeline.deliver.message import Splicer
    from pipeline.deliver.run import deliver

    frozen = project.store.frozen(number)
    record = project.store.issue(number)
    if frozen is None or record is None:
        raise Refused(
            f"there is no issue {number} in the ledger. `newsletter status` says which was the last."
        )
    drafts.record_frozen(project.root, frozen)
    write_bodies(project, frozen)
    if not record.published:
        publish(project, collect(project))
        project.store.published(number)
    splicer = Splicer(frozen, project.tokens, project.settings.web_url)
    owner = str(uuid4())
    deliver(project.store, project.mailer, splicer, number, owner, on_progress=progress, should_stop=stop)
    record = project.store.issue(number) or record
    if record.state is IssueState.SENT:
        drafts.record_sent(project.root, number, project.now)
    return record


def write_bodies(project: Project, frozen: FrozenIssue) -> None:
    """Lay the frozen bodies out as files, for a person to look at."""
    from pipeline.atomic import write_atomic

    folder = project.private / "issues" / f"{frozen.number:04d}"
    for name, data in (("email.html", frozen.html), ("email.txt", frozen.text)):
        if not (folder / name).exists() or (folder / name).read_bytes() != data:
            folder.mkdir(parents=True, exist_ok=True)
            write_atomic(folder / name, data)


def unfinished(project: Project) -> IssueRecord | None:
    """Return the last issue if a run was stopped before it was out."""
    last = project.store.last_issue()
    return last if last is not None and last.state is IssueState.SENDING else None
