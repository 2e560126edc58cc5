"""THE PIPELINE: collect, compose, render, check, build, freeze, publish, deliver.

Read from top to bottom it is the walk of one post, from a file in posts/ to
the last reader. Each step takes what the one before it returned.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING
from uuid import uuid4

from pipeline import cutting, hearing, inspection, papers, publishing
from pipeline.compose import draft as drafts
from pipeline.compose import guards
from pipeline.compose.assemble import pick
from pipeline.errors import ChecksFailed, MailerUnusable, StoreError, Unrendered
from pipeline.model import (
    Build,
    Circulation,
    Counts,
    FrozenIssue,
    Issue,
    IssueRecord,
    IssueState,
    RenderedIssue,
)
from pipeline.variants import Variants
from pipeline.variants import circulation as circulation_of
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
    #: What of it remains for readers of chosen categories.
    variants: Variants
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


def prepare(
    project: Project,
    week: Week,
    command: str = "send",
    moment: datetime | None = None,
    checked: int | None = None,
) -> Prepared:
    """Compose and render what `collect` chose, ready to be checked. Raises Refused for what a guard will not have.

    `moment` is when it is cut: by default that of its approval, else now.
    `checked`: so many variants at most are looked at with it, by default all.
    """
    guards.stops(week.choice)
    guards.too_many(len(week.choice.chosen), project.settings, command)
    issue = cutting.compose(project, week, moment)
    rendered = cutting.render(project, week, issue)
    variants = Variants(project, week, issue)

    def check() -> Report:
        return inspection.report(project, issue, rendered, variants=variants.told(checked))

    return Prepared(week, issue, rendered, variants, check)


def build(project: Project, prepared: Prepared, *, variants: bool = True) -> Build:
    """Make the very bytes that sending would freeze, and name all they depend on; nothing is written.

    Its variants are those that somebody gets by now; without them it is as
    quick as a look needs it. Raises Refused for a subject that no message can
    have.
    """
    from pipeline.approve.parts import parts

    week, rendered = prepared.week, prepared.rendered
    frozen = cutting.frozen_bytes(project, rendered)
    if variants:
        frozen = replace(frozen, variants=prepared.variants.all_frozen())
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


def freeze(project: Project, prepared: Prepared, made: Build) -> FrozenIssue:
    """Write the issue's bytes, its posts and its readers down, in one transaction.

    From here on the issue exists, and `resume` is all it needs.
    """
    frozen, variants = made.frozen, prepared.variants
    before = [cutting.carry(post, None) for post in prepared.week.choice.before_first]
    while True:
        try:
            project.store.freeze(frozen, before, project.now, variants.of)
            break
        except Unrendered as missing:
            # Somebody has chosen other categories since the build was made.
            more = variants.all_frozen(missing.variants)
            frozen = replace(frozen, variants=(*frozen.variants, *more))
    drafts.record_frozen(project.root, frozen, prepared.issue)
    return frozen


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
    papers.write_bodies(project, frozen)
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
    if record.state is IssueState.CANCELLED and record.counts.open:
        # What came back while it was called off ("later", after the dot) must not stay open for ever.
        project.store.set_issue_state(number, IssueState.CANCELLED)
        record = papers.record_of(project, number)
    hearing.refused(project, record, project.now)
    papers.write_receipt(project, number)
    if record.state is IssueState.SENT:
        # Last, since it says that nothing is left to be done.
        drafts.record_sent(project.root, number, project.now)
        # Somebody may have settled a doubt meanwhile so that it goes out again; whoever writes last must know.
        record = papers.record_of(project, number)
        if record.state is not IssueState.SENT:
            drafts.record_reopened(project.root, number)
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


def circulation(project: Project, week: Week) -> Circulation:
    """Return whom the next issue goes to, as it would be composed now, and why others do not get it."""
    approval = week.draft.approval if week.draft else None
    return circulation_of(project, week.choice.chosen, approval.at if approval else project.now)


def guard(project: Project, prepared: Prepared, *, attended: bool) -> None:
    """Refuse what should not go out, and, where nobody is asked, what a person should look at first."""
    going = prepared.variants.circulation
    guards.no_readers(going)
    if not attended:
        guards.audience_jumped(going, prepared.week.last, project.settings)
        guards.too_recent(project.now, prepared.week.last, project.settings)
