"""How far an issue has come on its way to readers, and what an editor does next."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from pipeline.model import IssueRecord, IssueState, Severity, Trial
from pipeline.preview.state import State
from pipeline.preview.templating import count

#: Signs, so that colour is never the only one.
DONE, LOST, OPEN = "✓", "!", ""


@dataclass(frozen=True, slots=True)
class Step:
    """One of the five."""

    words: str
    #: DONE, LOST (it was done, and something changed since) or OPEN.
    sign: str = OPEN
    #: The first that is not done.
    current: bool = False
    #: Who took it, and what to say of that; the name may be cut where there is no room.
    name: str = ""
    more: str = ""

    @property
    def text(self) -> str:
        """Return all that it says."""
        return f"{self.words} {self.name}{self.more}".rstrip()


@dataclass(frozen=True, slots=True)
class NextStep:
    """What to do now, in a sentence, and the command for it."""

    words: str
    command: str = ""


def is_past(state: State) -> bool:
    """Tell whether the issue is frozen, so that nothing about it can be changed any more."""
    return state.record is not None


def errors(state: State) -> int:
    """Count what has to be mended before the issue may go out."""
    report = state.look.report if state.look else None
    return report.count(Severity.ERROR) if report else 0


def steps(state: State) -> list[Step]:
    """Return the five steps, each as far as it has come."""
    made: list[Step] = []
    for step in _of_past(state, state.record) if state.record else _of_next(state):
        first = step.sign is not DONE and not any(before.current for before in made)
        made.append(replace(step, current=first and not _over(state)))
    return made


def trial(state: State) -> Trial | None:
    """Return the newest test copy of just what is looked at; of a past issue, of what was approved."""
    look, standing = state.look, state.standing
    if not is_past(state):
        return standing.tested(look.hash) if look else None
    if standing.approval is None:
        # Its build is written nowhere, so any will do.
        return next(iter(standing.trials), None)
    return standing.tested(standing.approval.build)


def _of_next(state: State) -> Iterator[Step]:
    look, standing = state.look, state.standing
    good = look is not None and look.build is not None and not state.faults
    yield Step("Collected", DONE) if good else Step("Collect")
    report = look.report if look and good else None
    wrong = errors(state)
    if report is None:
        yield Step("Check")
    elif wrong:
        yield Step(f"Checks: {wrong} to fix")
    else:
        warnings = report.count(Severity.WARNING)
        yield Step(f"Checked{': ' + count(warnings, 'warning') if warnings else ''}", DONE)
    if good and trial(state):
        yield Step("Tested", DONE)
    else:
        yield Step("Test: changed since", LOST) if standing.trials else Step("Test")
    approval = standing.approval
    if approval is None:
        yield Step("Approve")
    elif standing.changes or not good:
        yield Step("Approved by", LOST, name=approval.by, more=": changed since")
    else:
        later = f" for {_moment(state, approval.at, year=False)}" if approval.at > state.now else ""
        yield Step("Approved by", DONE, name=approval.by, more=later)
    yield Step("Send")


def _of_past(state: State, record: IssueRecord) -> Iterator[Step]:
    yield Step("Collected", DONE)
    yield Step("Checked", DONE)
    if trial(state):
        yield Step("Tested", DONE)
    else:
        yield Step("Tested, then changed", LOST) if state.standing.trials else Step("Not tested")
    approval = state.standing.approval
    yield Step("Approved by", DONE, name=approval.by) if approval else Step("Not approved")
    counts = record.counts
    words = {
        IssueState.SENT: f"Sent: {counts.accepted:,} of {counts.readers:,}",
        IssueState.SENDING: f"Sending: {counts.accepted:,} of {counts.readers:,}",
        IssueState.PAUSED: f"Paused: {counts.accepted:,} of {counts.readers:,}",
        IssueState.CANCELLED: f"Cancelled: {counts.accepted:,} of {counts.readers:,} have it",
    }
    yield Step(words[record.state], DONE if record.state is IssueState.SENT else LOST)


def _over(state: State) -> bool:
    """Tell whether no step is left to take: what a past issue skipped stays skipped."""
    return state.record is not None and state.record.state in (IssueState.SENT, IssueState.CANCELLED)


def next_step(state: State, live: bool = True) -> NextStep:
    """Say what to do now; one sentence, one command. `live`: the page follows what is saved."""
    if state.record is not None:
        return _after(state.record)
    saved = " This page shows it as soon as you save." if live else ""
    look = state.look
    test = "newsletter test" if state.settings.mail.test_to else "newsletter test --to you@example.org"
    if state.faults:
        fault = state.faults[0]
        where = f"{fault.path}:{fault.line}" if fault.line else fault.path
        return NextStep(f"Mend {where or 'what the banner says'}.{saved}")
    if look is None or look.build is None:
        return NextStep(f"Write a post into {state.settings.posts.folder}/.{saved}")
    wrong, approval = errors(state), state.standing.approval
    if wrong:
        what = "the error" if wrong == 1 else f"the {wrong} errors"
        return NextStep(f"Fix {what}.{saved} Then see what is still wrong:", "newsletter check")
    if approval is not None and not state.standing.changes:
        if approval.at > state.now:
            return NextStep(
                f"Everything is sealed, for {_moment(state, approval.at)}. From then on, send exactly this to all "
                "readers:",
                "newsletter send",
            )
        return NextStep("Everything is sealed. Send exactly this to all readers:", "newsletter send")
    if not trial(state):
        again = "It has changed since the last test. " if state.standing.trials else ""
        return NextStep(f"{again}Read it in a real inbox, as your readers will:", test)
    if approval is not None:
        return NextStep(
            "It has changed since it was approved. If this is what you want:", "newsletter approve"
        )
    if state.settings.guards.approval == "optional":
        return NextStep("Looked at and tested. Seal it, so that exactly this is sent:", "newsletter approve")
    return NextStep("Looked at and tested. It goes out once it is approved:", "newsletter approve")


def _moment(state: State, at: datetime, *, year: bool = True) -> str:
    """Return "Sun 29 Nov 2026 08:00", in the newsletter's zone."""
    here = at.astimezone(state.settings.newsletter.zone)
    return f"{here:%a} {here.day} {here:%b}{f' {here.year}' if year else ''} {here:%H:%M}"


def _after(record: IssueRecord) -> NextStep:
    number = record.number
    if record.state is IssueState.PAUSED:
        return NextStep(
            f"It is paused. {record.why or ''} Go on with:".replace("  ", " "), f"newsletter resume {number}"
        )
    if record.state is IssueState.SENDING:
        return NextStep("It is on its way. How it stands:", "newsletter status")
    if record.counts.in_doubt:
        doubts = count(record.counts.in_doubt, "copy is", "copies are")
        return NextStep(f"{doubts} in doubt. What the relay said:", f"newsletter report {number}")
    return NextStep("How it went, and what the relay said:", f"newsletter report {number}")
