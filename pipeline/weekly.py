"""THE PIPELINE: collect, compose, render, check, build, freeze, publish, deliver.

Read from top to bottom it is the walk of one post, from a file in posts/ to
the last reader. Each step takes what the one before it returned.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING
from uuid import uuid4

from pipeline import inspection, papers, publishing
from pipeline.compose import draft as drafts
from pipeline.compose import guards
from pipeline.compose.assemble import assemble, pick
from pipeline.errors import ChecksFailed, MailerUnusable, Refused, StoreError
from pipeline.model import (
    Build,
    CarriedPost,
    Counts,
    FrozenIssue,
    Issue,
    IssueRecord,
    IssueState,
    Post,
    RenderedIssue,
)
from pipeline.week import Week

if TYPE_CHECKING:
    from pipeline.check.run import Report
    from pipeline.project import Project

#: Told before the first message and after every answer, from any thread; what a progress bar draws.
Progress = Callable[[Counts], None]
#: Asked before every message; True ends the run after the one under way.
Stop = Callable[[], bool]


@dataclass(frozen=True)
class Prepared:
    """An issue that could be frozen: rendered, ready to be checked, nothing written."""

    week: Week
    issue: Issue
    rendered: RenderedIssue
    check: Callable[[], Report]

    @cached_property
    def report(self) -> Report:
        """What the checks have to say, found out when somebody asks: a preview shows the issue first."""
        return self.check()


# --- the walk ----------------------------------------------------------------


def collect(project: Project, since: datetime | None = None, latest: int | None = None) -> Week:
    """Read the posts, and decide which are new and why the others are left out."""
    from pipeline.collect.choose import choose
    from pipeline.collect.identity import settle

    files = drafts.read_all(project.root)
    known = {post.id: post for post in drafts.carried(files)}
    known.update((post.id, post) for post in project.store.carried())
    carried = tuple(known.values())
    zone = project.settings.newsletter.zone
    collection = settle(project.source.read(), carried, zone)
    last = project.store.last_issue()
    gone = [number for number, file in files.items() if file.frozen or file.sent]
    number = max([last.number if last else 0, *gone]) + 1
    draft = files.get(number)
    since = since or (draft.since if draft else None)
    latest = latest or (draft.latest if draft and since is None else None)
    choice = choose(collection, carried, project.now, zone, since=since, latest=latest)
    choice = pick(choice, draft, collection.posts)
    return Week(number, last, collection, choice, draft, files, carried, since, latest)


def prepare(project: Project, week: Week, command: str = "send", moment: datetime | None = None) -> Prepared:
    """Compose and render what `collect` chose, ready to be checked. Raises Refused for what a guard will not have.

    `moment` is when it is cut: by default that of its approval, else now.
    """
    from pipeline.render.issue import render_issue

    guards.stops(week.choice)
    guards.too_many(len(week.choice.chosen), project.settings, command)
    issue = compose(project, week, moment)
    rendered = render_issue(
        issue,
        project.source,
        publishing.addresses(project, week),
        project.theme,
        project.settings,
        previous=week.last.number if week.last else None,
        body=project.render_body,
    )
    return Prepared(week, issue, rendered, lambda: inspection.report(project, issue, rendered))


def compose(project: Project, week: Week, moment: datetime | None = None) -> Issue:
    """Put the chosen posts, and the draft if there is one, together."""
    approval = week.draft.approval if week.draft else None
    return assemble(
        week.choice.chosen,
        week.draft,
        week.number,
        moment or (approval.at if approval else project.now),
        project.settings,
        project.theme.render_text_line,
    )


def build(project: Project, prepared: Prepared) -> Build:
    """Make the very bytes that sending would freeze, and name all they depend on; nothing is written.

    Raises Refused for a subject that no message can have.
    """
    from pipeline.approve.parts import parts

    week, rendered = prepared.week, prepared.rendered
    frozen = frozen_bytes(project, rendered)
    shown = {image.file for image in rendered.images} | {link.file for link in rendered.links}
    files = {file: (project.root / file).read_bytes() for file in sorted(shown - {""})}
    named = parts(
        frozen,
        prepared.issue,
        publishing.feeds(project, week, {}),
        files,
        project.theme.digests,
        project.settings,
    )
    return Build(frozen, named)


def frozen_bytes(project: Project, rendered: RenderedIssue) -> FrozenIssue:
    """Return a rendered issue as the bytes that all its copies share. Raises Refused for an impossible subject."""
    from pipeline.deliver.freeze import freeze as freeze_bytes

    issue = rendered.issue
    posts = [carry(post, issue.number) for post in issue.posts]
    return freeze_bytes(rendered, project.settings, posts, nameless=reader_word(project))


def freeze(project: Project, prepared: Prepared, made: Build) -> FrozenIssue:
    """Write the issue's bytes, its posts and its readers down, in one transaction.

    From here on the issue exists, and `resume` is all it needs.
    """
    week, frozen = prepared.week, made.frozen
    project.store.freeze(frozen, [carry(post, None) for post in week.choice.before_first], project.now)
    drafts.record_frozen(project.root, frozen, prepared.issue)
    return frozen


def carry(post: Post, issue: int | None) -> CarriedPost:
    """Remember a post as an issue carried it (None: published before the first)."""
    return CarriedPost(post.id, issue, post.fingerprint, post.path)


def resume(
    project: Project,
    number: int,
    progress: Progress,
    stop: Stop,
    *,
    due: bool = False,
    join: bool = False,
    only_copy: bool = False,
) -> IssueRecord:
    """Finish an issue that was frozen, from its frozen bytes: publish, deliver, close.

    What a relay deferred is tried at once, unless only what is `due` may be.
    `join`: help a run that is at work. `only_copy`: a person says that no other
    copy of this ledger is in use. Safe to call again and again, after a kill
    anywhere.
    """
    from pipeline.deliver.message import Splicer
    from pipeline.deliver.plan import Plan
    from pipeline.deliver.run import deliver

    # The mailer first: whatever is wrong with its settings, nothing has changed.
    store, mailer = project.store, project.mailer
    record, frozen = papers.record_of(project, number), store.frozen(number)
    if frozen is None:
        raise StoreError(f"the ledger has lost the bytes of issue {number}. Put a copy of .newsletter back.")
    guards.cancelled(record)
    guards.ledger_older(record, drafts.read_all(project.root).get(number))
    at_work = store.runs(number)
    if not join:
        guards.at_work(at_work, number)
    if not at_work:
        papers.sweep(project, number)
    drafts.record_frozen(project.root, frozen)
    papers.write_bodies(project, number, frozen.html, frozen.text)
    if not record.published:
        publishing.publish(project, collect(project))
        store.published(number)
    if record.state is IssueState.PAUSED:
        store.set_issue_state(number, IssueState.SENDING)
    if not due and not at_work:
        store.hurry(number)
    progress(store.counts(number))
    try:
        deliver(
            store,
            mailer,
            Splicer(frozen, project.tokens),
            number,
            str(uuid4()),
            plan=Plan.from_settings(project.settings.mail),
            join=join,
            only_copy=only_copy,
            on_progress=progress,
            should_stop=stop,
        )
    except MailerUnusable:
        papers.write_receipt(project, number)
        raise
    return close(project, number)


def close(project: Project, number: int) -> IssueRecord:
    """Note beside the ledger how an issue stands when a run ends."""
    record = papers.record_of(project, number)
    if record.state is IssueState.SENT:
        drafts.record_sent(project.root, number, project.now)
        # Somebody may have settled a doubt meanwhile so that it goes out again; whoever writes last must know.
        record = papers.record_of(project, number)
        if record.state is not IssueState.SENT:
            drafts.record_reopened(project.root, number)
    elif record.state is IssueState.CANCELLED and record.counts.open:
        # What came back while it was called off ("later", after the dot) must not stay open for ever.
        project.store.set_issue_state(number, IssueState.CANCELLED)
        record = papers.record_of(project, number)
    papers.write_receipt(project, number)
    return record


# --- what the commands ask besides -------------------------------------------


def unfinished(project: Project) -> IssueRecord | None:
    """Return the first issue that is not at its end, or whose end was not written down everywhere.

    An earlier one than the last can be, since a person may settle its doubts "again".
    """
    issues = project.store.issues()
    open_ones = (issue for issue in issues if issue.state in (IssueState.SENDING, IssueState.PAUSED))
    unnoted = (
        issue
        for issue in issues[-1:]
        if issue.state is IssueState.SENT and not papers.complete(project, issue.number)
    )
    return next(open_ones, None) or next(unnoted, None)


def take_up(project: Project, record: IssueRecord, *, join: bool) -> None:
    """Let `send` go on with an unfinished issue. Raises Refused if a person paused it, Busy if a run is at work."""
    guards.paused(record)
    if not join:
        guards.at_work(project.store.runs(record.number), record.number)


def prepare_next(
    project: Project, since: datetime | None, latest: int | None, command: str = "send"
) -> Prepared | None:
    """Prepare the next issue; None if nothing is new."""
    week = collect(project, since, latest)
    guards.ledger_lost({issue.number for issue in project.store.issues()}, week.drafts, project.traces())
    if not week.choice.chosen:
        guards.stops(week.choice)
        return None
    return prepare(project, week, command)


def demand_checked(prepared: Prepared, what: str = "sent") -> None:
    """Raise ChecksFailed if the issue has errors."""
    if prepared.report.fails():
        raise ChecksFailed(f"the checks found errors, so nothing was {what}. Mend them, then try again.")


def guard(project: Project, prepared: Prepared, readers: int, *, attended: bool) -> None:
    """Refuse what should not go out, and, where nobody is asked, what a person should look at first."""
    if not readers:
        raise Refused("there are no confirmed readers. Import some: newsletter subscribers import FILE")
    if not attended:
        guards.audience_jumped(readers, prepared.week.last, project.settings)
        guards.too_recent(project.now, prepared.week.last, project.settings)


def reader_word(project: Project) -> str:
    """Return what a reader without a name is called."""
    return str(project.theme.words()["reader"])
