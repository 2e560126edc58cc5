"""`newsletter check`: look for what readers should not see."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from itertools import groupby
from typing import TYPE_CHECKING, Any

import click

from pipeline.cli.context import (
    NUMBER,
    Context,
    Verb,
    json_option,
    latest_option,
    pass_context,
    since_option,
)
from pipeline.cli.words import counted
from pipeline.errors import UsageError
from pipeline.model import Severity

if TYPE_CHECKING:
    from pipeline.check.run import Report
    from pipeline.model import Change

#: Colour beside the word, never instead of it.
COLOURS = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.NOTE: "cyan"}


@click.command(cls=Verb)
@click.argument("number", required=False, type=NUMBER)
@json_option
@click.option("--sarif", "as_sarif", is_flag=True, help="Print one SARIF 2.1.0 document, for a pull request.")
@click.option("--strict", is_flag=True, help="Let warnings fail too.")
@click.option("--online", is_flag=True, help="Ask the sites that links lead to whether they are there.")
@click.option("--fix", is_flag=True, help="Mend what can be mended without guessing, then check again.")
@since_option
@latest_option
@pass_context
def command(
    context: Context,
    number: int | None,
    as_json: bool,
    as_sarif: bool,
    strict: bool,
    online: bool,
    fix: bool,
    since: str | None,
    latest: int | None,
) -> int:
    """Look for what readers should not see, each with file and line, and what to do.

    Of the next issue, whose NUMBER may be said. Ends with 3 if there is an
    error.
    """
    from pipeline import editing, inspection
    from pipeline.project import read_moment

    if as_json and as_sarif:
        raise UsageError("--json and --sarif are two documents; ask for one")
    project = context.project
    start = read_moment(since, project.settings)
    asked = progress(context) if online else None
    report = editing.check(project, start, latest, number, asked)
    changes = inspection.mend(project, report.findings) if fix else []
    if changes:
        report = editing.check(project, start, latest, number, asked)
    if as_sarif:
        context.json(inspection.sarif(project, report))
    elif as_json:
        context.json(document(report) | ({"fixed": [asdict(change) for change in changes]} if fix else {}))
    else:
        show(context, report, changes if fix else None, inspection.mendable(project, report.findings))
    return 3 if report.fails(strict=strict) else 0


def progress(context: Context) -> Callable[[int, int], None]:
    """Return what says how many links are answered, on one line where a person looks at it."""

    def tell(done: int, of: int) -> None:
        if sys.stderr.isatty() and not context.quiet:
            click.echo(f"\r{done}/{of} links" + ("\n" if done == of else ""), nl=False, err=True)

    return tell


def document(report: Report) -> dict[str, Any]:
    """Return what `--json` prints; scripts rely on its keys."""
    return {
        "issue": report.issue,
        "errors": report.count(Severity.ERROR),
        "warnings": report.count(Severity.WARNING),
        "notes": report.count(Severity.NOTE),
        "passed": report.passed,
        "passed_ids": list(report.passed_ids),
        "ignored": report.ignored,
        "findings": [
            {
                "id": finding.id,
                "severity": str(finding.severity),
                "message": finding.message,
                "path": finding.path,
                "line": finding.line,
                "fix": finding.fix,
            }
            for finding in report.findings
        ],
    }


def lines(report: Report, least: Severity = Severity.NOTE, *, colour: bool = False) -> Iterator[str]:
    """Yield findings by file, `path:line severity id message`, each with what to do."""
    order = list(Severity)
    heard = [finding for finding in report.findings if order.index(finding.severity) <= order.index(least)]
    for path, findings in groupby(heard, lambda finding: finding.path):
        for finding in findings:
            place = f"{path}:{finding.line}" if finding.line else path or f"issue {report.issue}"
            severity = str(finding.severity)
            if colour:
                severity = click.style(severity, fg=COLOURS[finding.severity], bold=True)
            yield f"{place} {severity} {finding.id} {finding.message}"
            if finding.fix:
                yield f"    {finding.fix}"
        yield ""


def show(context: Context, report: Report, changes: Sequence[Change] | None, mendable: int) -> None:
    """Print what was mended (None: nobody asked for it), all findings, their sum, and what to do next."""
    for change in changes or ():
        context.say(f"{change.path}:{change.line} {change.id} {change.what}")
    if changes is not None:
        context.say(
            f"{counted(len(changes), 'fault')} mended.\n" if changes else "Nothing here mends itself.\n"
        )
    if report.issue is None:
        context.say("Nothing is new, so there is nothing to check. Next: newsletter status")
        return
    # What is printed elsewhere than on a terminal loses its colours on the way.
    for line in lines(report, colour=not context.no_color):
        context.say(line)
    context.say(summary(report))
    if mendable:
        context.say(f"What mends itself ({mendable}): newsletter check --fix")
    context.say(
        "Mend the errors, then: newsletter check"
        if report.fails()
        else "Next: newsletter test --to you@example.org"
    )


def summary(report: Report) -> str:
    """Return "1 error, 2 warnings, 1 note, 2 ignored, 21 passed"; what there is none of is left out."""
    parts = []
    for severity in (Severity.ERROR, Severity.WARNING, Severity.NOTE):
        if count := report.count(severity):
            parts.append(counted(count, str(severity)))
    if report.ignored:
        parts.append(f"{report.ignored} ignored")
    return ", ".join([*parts, f"{report.passed} passed"])
