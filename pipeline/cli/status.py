"""`newsletter status`: what the next issue takes, what is left out and why, how the last one went."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from pipeline.cli.context import Context, Verb, json_option, latest_option, pass_context, since_option
from pipeline.cli.words import at_work, counted, moment, sentence
from pipeline.model import IssueState, every_skip, skipped

if TYPE_CHECKING:
    from pipeline.model import Circulation, IssueRecord, LeftOut
    from pipeline.project import Project
    from pipeline.week import Week

#: So many posts or files are named a list; the rest is counted, unless -v.
SHOWN = 12


@click.command(cls=Verb)
@json_option
@since_option
@latest_option
@click.option("--exit-code", is_flag=True, help="End with 4 if nothing is new.")
@pass_context
def command(context: Context, as_json: bool, since: str | None, latest: int | None, exit_code: bool) -> int:
    """Show what the next issue takes, what is left out and why, and how the last one went."""
    from pipeline import weekly
    from pipeline.project import read_moment

    project = context.project
    week = weekly.collect(project, read_moment(since, project.settings), latest)
    if as_json:
        context.json(document(project, week, weekly.unfinished(project)))
    else:
        show(context, project, week, weekly.unfinished(project))
    return 4 if exit_code and not week.choice.chosen else 0


def document(project: Project, week: Week, unfinished: IssueRecord | None) -> dict[str, Any]:
    """Return what `--json` prints; scripts rely on its keys."""
    from pipeline import weekly

    zone = project.settings.newsletter.zone
    last = week.last
    word = week.draft.approval if week.draft else None
    circulation = weekly.circulation(project, week)
    return {
        "issue": week.number,
        "since": _iso(last.date if last else None, zone),
        "readers": circulation.readers,
        "skipped": every_skip(circulation.skipped),
        "approved": None if word is None else {"by": word.by, "at": _iso(word.at, zone), "build": word.build},
        "posts": [
            {
                "id": post.id,
                "title": post.title,
                "date": _iso(post.published, zone),
                "category": post.category,
                "path": post.path,
            }
            for post in week.choice.chosen
        ],
        "left_out": [
            {"path": item.path, "id": item.id, "reason": str(item.reason), "why": item.why}
            | ({"line": item.line} if item.line else {})
            for item in week.choice.left_out
        ],
        "last": None
        if last is None
        else {
            "issue": last.number,
            "sent": _iso(last.finished, zone),
            "state": str(last.state),
            "accepted": last.counts.accepted,
            "refused": last.counts.refused,
            "deferred": last.counts.deferred,
            "in_doubt": last.counts.in_doubt,
            "withdrawn": last.counts.withdrawn,
        },
        "unfinished": None
        if unfinished is None
        else {
            "issue": unfinished.number,
            "state": str(unfinished.state),
            "why": unfinished.why,
            "due": _iso(unfinished.due, zone),
            "at_work": [
                {"process": run.process, "host": run.host, "since": _iso(run.since, zone)}
                for run in project.store.runs(unfinished.number)
            ],
        },
    }


def _iso(value: datetime | None, zone: Any) -> str | None:
    return value.astimezone(zone).isoformat() if value else None


def show(context: Context, project: Project, week: Week, unfinished: IssueRecord | None) -> None:
    """Print the status for a person."""
    from pipeline import weekly

    zone = project.settings.newsletter.zone
    choice, circulation = week.choice, weekly.circulation(project, week)
    readers = circulation.readers
    since = (
        f"since issue {week.last.number} ({moment(week.last.date, zone)})" if week.last else "the first issue"
    )
    context.say(
        f"Issue {week.number} · {since} · {len(choice.chosen):,} in · {len(choice.left_out):,} left out · "
        f"{counted(readers, 'reader')}"
    )
    if any(circulation.skipped.values()):
        context.say(f"confirmed, and not among them: {skipped(circulation.skipped)}")
    if week.draft:
        word = week.draft.approval
        approved = f", approved by {word.by}, {moment(word.at, zone)}" if word else ""
        context.say(f"as {week.draft.path} lists them{approved}")
    shown = choice.chosen if context.verbose else choice.chosen[:SHOWN]
    if shown:
        context.say("\nIn this issue")
    for post in shown:
        category = f"  ({post.category})" if post.category else ""
        context.say(f"  {post.published.astimezone(zone):%Y-%m-%d}  {post.title}{category}")
    _more(context, len(choice.chosen) - len(shown), "post")
    if choice.left_out:
        context.say("\nLeft out, and why")
    for item in _telling(choice.left_out) if context.verbose else _telling(choice.left_out)[:SHOWN]:
        place = f"{item.path}:{item.line}" if item.line else item.path
        context.say(f"  {place}  {item.reason}: {item.why}")
    _more(context, 0 if context.verbose else len(choice.left_out) - SHOWN, "file")
    _last(context, week, zone)
    context.say(
        "\n" + (_unfinished(project, unfinished) if unfinished else _next(project, week, circulation))
    )


def _telling(items: tuple[LeftOut, ...]) -> list[LeftOut]:
    """What needs a person first, what was to be expected last."""
    order = [
        "unreadable",
        "not-chosen",
        "draft",
        "future",
        "expired",
        "web-only",
        "before-first",
        "carried",
    ]
    return sorted(items, key=lambda item: (not item.stops, order.index(item.reason), item.path))


def _more(context: Context, count: int, noun: str) -> None:
    if count > 0:
        context.say(f"  … and {counted(count, f'more {noun}')} (-v shows all)")


def _last(context: Context, week: Week, zone: Any) -> None:
    if week.last:
        counts = week.last.counts
        context.say(
            f"\nIssue {week.last.number} ({moment(week.last.date, zone)}, {week.last.state}): "
            f"{counts.accepted:,} accepted, {counts.refused:,} refused, {counts.deferred + counts.queued:,} to go, "
            f"{counts.in_doubt:,} in doubt, {counts.withdrawn:,} withdrawn"
        )


def _unfinished(project: Project, record: IssueRecord) -> str:
    """Say where an issue stands that is not out yet, who is at work on it, and what to type."""
    number = record.number
    if record.state is IssueState.SENT:
        return f"Issue {number} is out, but its receipt is missing. Next: newsletter resume {number}"
    runs = project.store.runs(number)
    lines = [sentence(record), *(f"{at_work(run)}." for run in runs)]
    if record.state is IssueState.PAUSED:
        lines.append(f"Next: newsletter resume {number}, or newsletter cancel {number}")
    elif runs:
        lines.append(f"To help it: newsletter resume {number} --join. To stop it: newsletter pause {number}")
    else:
        lines.append(f"Next: newsletter resume {number}")
    return "\n".join(lines)


def _next(project: Project, week: Week, circulation: Circulation) -> str:
    """Name the one command that helps now."""
    stopping = [item for item in week.choice.left_out if item.stops]
    if stopping:
        return f"{stopping[0].path} stops the issue until it is mended or excluded."
    if not week.choice.chosen:
        return "Nothing is new. Write a post in " + project.settings.posts.folder + "/."
    if len(week.choice.chosen) > project.settings.issue.max_posts:
        return (
            f"More than {project.settings.issue.max_posts} posts are new. If most were published before: "
            "newsletter send --since DATE, or --latest N"
        )
    if not circulation.readers and any(circulation.skipped.values()):
        return f"Nobody would get it: {skipped(circulation.skipped)}."
    if not circulation.readers:
        return "There are no readers yet. Next: newsletter subscribers import FILE"
    return "Next: newsletter preview, then newsletter send"
