"""`newsletter send`: the whole walk, with a person's word or under the guards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from pipeline.cli.asking import ask_for
from pipeline.cli.check import lines, summary
from pipeline.cli.context import (
    Context,
    Verb,
    join_option,
    json_option,
    latest_option,
    pass_context,
    since_option,
)
from pipeline.cli.run import carry_through
from pipeline.cli.words import counted, moment, short_hash, size
from pipeline.errors import Refused, UsageError
from pipeline.model import IssueState, Severity, every_skip, skipped

if TYPE_CHECKING:
    from pipeline.check.run import Report
    from pipeline.model import Approval, Build, Circulation
    from pipeline.project import Project
    from pipeline.variants import Variants
    from pipeline.weekly import Prepared

#: So many variants take a while, and are said to.
MANY = 20
#: So many are named; the rest is counted, unless -v.
SHOWN = 8


@click.command(cls=Verb)
@click.option("--yes", is_flag=True, help="Ask nothing; the guards in newsletter.toml still hold.")
@click.option(
    "--confirm", type=click.IntRange(min=0), metavar="READERS", help="Send only to exactly so many readers."
)
@click.option("-n", "--dry-run", is_flag=True, help="Do everything up to the freeze, change nothing.")
@since_option
@latest_option
@join_option
@json_option
@click.option("--exit-code", is_flag=True, help="End with 4 if nothing is new.")
@pass_context
def command(
    context: Context,
    yes: bool,
    confirm: int | None,
    dry_run: bool,
    since: str | None,
    latest: int | None,
    join: bool,
    as_json: bool,
    exit_code: bool,
) -> int:
    """Compose, render, check, freeze, publish and deliver the next issue.

    Asks for the number of readers before anything happens; --yes is for a
    schedule, --confirm for a script that knows how many they are. If an issue
    was interrupted, it is finished first and nothing new is begun.
    """
    from pipeline import approving, weekly
    from pipeline.project import read_moment

    project = context.project
    before = None if dry_run else weekly.unfinished(project)
    if before is not None and before.state is IssueState.SENT:
        # Everybody has it; only its papers are missing, and that must not cost a week.
        weekly.resume(project, before.number, lambda _counts: None, lambda: False)
    elif before is not None:
        weekly.take_up(project, before, join=join)
        context.hint(f"Issue {before.number} is not out yet; going on with it from its frozen bytes.")
        return carry_through(context, before.number, as_json=as_json, join=join)
    prepared = weekly.prepare_next(project, read_moment(since, project.settings), latest)
    if prepared is None:
        return nothing_new(context, as_json, exit_code)
    announce(context, prepared)
    show_findings(context, prepared.report)
    weekly.demand_checked(prepared)
    build = weekly.build(project, prepared)
    approval = approving.demand(project, prepared, build)
    describe(context, project, prepared, build, approval)
    weekly.guard(project, prepared, attended=not yes)
    circulation = prepared.variants.circulation
    if dry_run:
        return rehearsed(context, prepared, circulation, as_json)
    agree(context, circulation, yes=yes, confirm=confirm)
    number = weekly.freeze(project, prepared, build).number
    return carry_through(context, number, as_json=as_json)


def announce(context: Context, prepared: Prepared) -> None:
    """Say what takes its time."""
    many = len(prepared.variants.names)
    if many >= MANY:
        context.hint(f"Rendering {many:,} variants for the categories that readers have chosen …")


def show_findings(context: Context, report: Report) -> None:
    """Print errors and warnings before the question; notes are for `newsletter check`."""
    for line in lines(report, least=Severity.WARNING):
        context.hint(line)


def nothing_new(context: Context, as_json: bool, exit_code: bool) -> int:
    """Say so; nothing was written."""
    code = 4 if exit_code else 0
    if as_json:
        context.json({"issue": None, "state": "nothing-new", "exit": code})
    else:
        context.say("There is nothing new to send. `newsletter status` says why each post is left out.")
    return code


def describe(
    context: Context,
    project: Project,
    prepared: Prepared,
    build: Build,
    approval: Approval | None,
) -> None:
    """Print what is about to happen."""
    issue, html = prepared.issue, prepared.rendered.html.encode()
    last, circulation = prepared.week.last, prepared.variants.circulation
    more = circulation.readers - last.counts.readers if last else 0
    notes = [f"{more:+,} since issue {last.number}"] if last and more else []
    notes += [skipped(circulation.skipped)] if any(circulation.skipped.values()) else []
    beside = f"   ({'; '.join(notes)})" if notes else ""
    word = "not approved"
    if approval is not None:
        at = moment(approval.at, project.settings.newsletter.zone)
        word = f"approved by {approval.by}, {at}, unchanged since"
    # Made here, so that whatever is wrong with its settings is said before anything is frozen.
    mailer = project.mailer.name
    relay = f" ({project.settings.mail.smtp.host})" if mailer == "smtp" else ""
    rows = [
        (f"Issue {issue.number}", issue.subject),
        ("From", f"{project.settings.newsletter.sender}   Mailer  {mailer}{relay}"),
        (
            "Posts",
            issue.lead.title
            + (f", and {counted(len(issue.posts) - 1, 'other')}" if len(issue.posts) > 1 else ""),
        ),
        ("Readers", f"{circulation.readers:,} confirmed{beside}"),
        *(
            [("Variants", parts(prepared.variants, all_of_them=context.verbose))]
            if prepared.variants.names
            else ()
        ),
        ("Build", f"{short_hash(build.hash)}, {word}"),
        ("Weight", f"{size(len(html))} of 102 kB   Checks  {summary(prepared.report)}"),
    ]
    for name, value in rows:
        context.hint(f"{name:<9} {value}")


def parts(variants: Variants, *, all_of_them: bool) -> str:
    """Return how many get the whole issue, and how many which part: "everything 1,190 · Cluster headaches 3"."""
    counts = variants.circulation.variants
    names = [*([""] if "" in counts else []), *variants.names]
    shown = names if all_of_them else names[:SHOWN]
    more = [f"{len(names) - len(shown):,} more (-v shows all)"] if len(names) > len(shown) else []
    return " · ".join([*(f"{variants.title(name)} {counts[name]:,}" for name in shown), *more])


def agree(context: Context, circulation: Circulation, *, yes: bool, confirm: int | None) -> None:
    """Have somebody's word before the first step that cannot be undone."""
    readers, others = circulation.readers, skipped(circulation.skipped)
    if confirm is not None:
        if confirm != readers:
            raise Refused(
                f"--confirm says {counted(confirm, 'reader')}, but there are {readers:,}"
                f"{f' (confirmed, and not among them: {others})' if others else ''}. "
                "Nothing was sent. Look at them: newsletter subscribers list"
            )
        return
    if yes:
        return
    if not context.interactive():
        raise UsageError("nobody is here to ask: add --yes, or --confirm with the number of readers.")
    ask_for(
        readers,
        "Type the number of readers to send",
        stopped="Stopped. Nothing was sent, and nothing has changed.",
        otherwise="stopped. Nothing was sent, and nothing has changed. To look once more: newsletter check",
    )


def rehearsed(context: Context, prepared: Prepared, circulation: Circulation, as_json: bool) -> int:
    """End a dry run."""
    if as_json:
        document: dict[str, Any] = {
            "issue": prepared.issue.number,
            "state": "dry-run",
            "readers": circulation.readers,
            "skipped": every_skip(circulation.skipped),
            "variants": dict(circulation.variants),
            "exit": 0,
        }
        context.json(document)
    else:
        context.say(
            f"Issue {prepared.issue.number} would go to {counted(circulation.readers, 'reader')}. "
            "Nothing has changed."
        )
    return 0
