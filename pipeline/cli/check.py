"""`newsletter check`: look for what readers should not see."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import TYPE_CHECKING, Any

import click

from pipeline.cli.context import Context, Verb, json_option, latest_option, pass_context, since_option
from pipeline.cli.words import counted
from pipeline.model import Severity

if TYPE_CHECKING:
    from pipeline.check.run import Report


@click.command(cls=Verb)
@json_option
@click.option("--strict", is_flag=True, help="Let warnings fail too.")
@since_option
@latest_option
@pass_context
def command(context: Context, as_json: bool, strict: bool, since: str | None, latest: int | None) -> int:
    """Look for what readers should not see, each with file and line, and what to do.

    Ends with 3 if there is an error.
    """
    from pipeline import editing
    from pipeline.project import read_moment

    project = context.project
    report = editing.check(project, read_moment(since, project.settings), latest)
    if as_json:
        context.json(document(report))
    elif report.issue is None:
        context.say("Nothing is new, so there is nothing to check.")
    else:
        show(context, report)
    return 3 if report.fails(strict=strict) else 0


def document(report: Report) -> dict[str, Any]:
    """Return what `--json` prints; scripts rely on its keys."""
    return {
        "issue": report.issue,
        "errors": report.count(Severity.ERROR),
        "warnings": report.count(Severity.WARNING),
        "notes": report.count(Severity.NOTE),
        "passed": report.passed,
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


def lines(report: Report, least: Severity = Severity.NOTE) -> Iterator[str]:
    """Yield findings by file, `path:line severity id message`, each with what to do."""
    order = list(Severity)
    heard = [finding for finding in report.findings if order.index(finding.severity) <= order.index(least)]
    for path, findings in groupby(heard, lambda finding: finding.path):
        for finding in findings:
            place = f"{path}:{finding.line}" if finding.line else path or f"issue {report.issue}"
            yield f"{place} {finding.severity} {finding.id} {finding.message}"
            if finding.fix:
                yield f"    {finding.fix}"
        yield ""


def show(context: Context, report: Report) -> None:
    """Print all findings and their sum."""
    for line in lines(report):
        context.say(line)
    context.say(summary(report))
    context.say("Next: newsletter send" if not report.fails() else "Mend the errors, then: newsletter check")


def summary(report: Report) -> str:
    """Return "1 error, 2 warnings, 21 passed"."""
    return (
        f"{counted(report.count(Severity.ERROR), 'error')}, {counted(report.count(Severity.WARNING), 'warning')}, "
        f"{counted(report.count(Severity.NOTE), 'note')}, {report.passed} passed"
    )
