"""How far an issue has come on its way to readers, and what an editor does next."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.model import IssueRecord, IssueState, Severity
from pipeline.preview.state import State
from pipeline.preview.templating import count

#: Signs, so that colour is never the only one.
DONE, LOST, OPEN = "✓", "!", ""


@dataclass(frozen=True, slots=True)
class Step:
    """One of the five."""

    number: int
    text: str
    #: DONE, LOST (it was done, and something changed since) or OPEN.
    sign: str = OPEN
    #: The first that is not done.
    current: bool = False


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
    for number, (text, sign) in enumerate(
        _of_past(state, state.record) if state.record else _of_next(state), 1
    ):
        first = sign is not DONE and not any(step.current for step in made)
        made.append(Step(number, text, sign, first and not _over(state)))
    return made


def _of_next(state: State) -> Iterator[tuple[str, str]]:
    look, standing = state.look, state.standing
    good = look is not None and look.build is not None and not state.faults
    yield ("Collected", DONE) if good else ("Collect", OPEN)
    report = look.report if look and good else None
    wrong = errors(state)
    if report is None:
        yield "Check", OPEN
    elif wrong:
        yield f"Checks: {wrong} to fix", OPEN
    else:
        warnings = report.count(Severity.WARNING)
        yield f"Checked{': ' + count(warnings, 'warning') if warnings else ''}", DONE
    if look and good and standing.tested(look.hash):
        yield "Tested", DONE
    else:
        yield ("Test: changed since", LOST) if standing.trials else ("Test", OPEN)
    if standing.approval is None:
        yield "Approve", OPEN
    elif standing.changes or not good:
        yield f"Approved by {standing.approval.by}: changed since", LOST
    else:
        yield f"Approved by {standing.approval.by}", DONE
    yield "Send", OPEN


def _of_past(state: State, record: IssueRecord) -> Iterator[tuple[str, str]]:
    yield "Collected", DONE
    yield "Checked", DONE
    yield ("Tested", DONE) if state.standing.trials else ("Not tested", OPEN)
    approval = state.standing.approval
    yield (f"Approved by {approval.by}", DONE) if approval else ("Not approved", OPEN)
    counts = record.counts
    words = {
        IssueState.SENT: f"Sent: {counts.accepted:,} of {counts.readers:,}",
        IssueState.SENDING: f"Sending: {counts.accepted:,} of {counts.readers:,}",
        IssueState.PAUSED: f"Paused: {counts.accepted:,} of {counts.readers:,}",
        IssueState.CANCELLED: f"Cancelled: {counts.accepted:,} of {counts.readers:,} have it",
    }
    yield words[record.state], DONE if record.state is IssueState.SENT else LOST


def _over(state: State) -> bool:
    """Tell whether no step is left to take: what a past issue skipped stays skipped."""
    return state.record is not None and state.record.state in (IssueState.SENT, IssueState.CANCELLED)


def next_step(state: State, live: bool = True) -> NextStep:
    """Say what to do now; one sentence, one command. `live`: the page follows what is saved."""
    if state.record is not None:
        return _after(state.record)
    saved = " This page shows it as soon as you save." if live else ""
    look, test = state.look, f"newsletter test --to {state.settings.mail.test_to or 'me@example.org'}"
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
        return NextStep("Everything is sealed. Send exactly this to all readers:", "newsletter send")
    if not state.standing.tested(look.hash):
        again = "It has changed since the last test. " if state.standing.trials else ""
        return NextStep(f"{again}Read it in a real inbox, as your readers will:", test)
    if approval is not None:
        return NextStep(
            "It has changed since it was approved. If this is what you want:", "newsletter approve"
        )
    if state.settings.guards.approval == "optional":
        return NextStep("Looked at and tested. Seal it, so that exactly this is sent:", "newsletter approve")
    return NextStep("Looked at and tested. It goes out once it is approved:", "newsletter approve")


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
