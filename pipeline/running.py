"""What a person decides about an issue on its way: hold it, call it off, settle its doubts."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from uuid import uuid4

from pipeline import papers
from pipeline.compose import draft as drafts
from pipeline.compose import guards
from pipeline.errors import AudienceError, Busy, Refused
from pipeline.model import Delivery, IssueRecord, IssueState, RunRecord, address_key

if TYPE_CHECKING:
    from pipeline.project import Project


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an issue stands after what was asked, and before."""

    record: IssueRecord
    before: IssueRecord
    #: Runs at work on it; they end by themselves, before their next message.
    runs: Sequence[RunRecord]
    #: What the command ends with.
    code: int = 0


def pause(project: Project, number: int) -> Standing:
    """Hold an issue until a person says `resume`; what is under way is still finished.

    Raises Refused if it is at its end.
    """
    before = papers.record_of(project, number)
    if before.state is IssueState.SENT:
        raise Refused(
            f"issue {number} is out, so there is nothing to hold back. Next: newsletter report {number}"
        )
    guards.cancelled(before)
    project.store.set_issue_state(number, IssueState.PAUSED)
    return _look_again(project, before)


def callable_off(project: Project, number: int) -> IssueRecord:
    """Return the issue if it can be called off, or was. Raises Refused if it is out."""
    record = papers.record_of(project, number)
    if record.state is IssueState.SENT:
        raise Refused(
            f"issue {number} is out, so nothing is left to call off. Next: newsletter report {number}"
        )
    return record


def cancel(project: Project, number: int) -> Standing:
    """Call an issue off: what was not handed over never will be. Doubts stay, for `settle`."""
    from pipeline.deliver.receipt import exit_code

    before = callable_off(project, number)
    project.store.set_issue_state(number, IssueState.CANCELLED)
    drafts.record_cancelled(project.root, number, project.now)
    standing = _look_again(project, before)
    # What a run at work has under way is its own to report.
    return standing if standing.runs else replace(standing, code=exit_code(standing.record))


def _look_again(project: Project, before: IssueRecord) -> Standing:
    """Have what a run left that died counted as what it is, unless one is at work; write the receipt anew."""
    number = before.number
    runs = project.store.runs(number)
    if not runs:
        owner = str(uuid4())
        # Busy: one has begun this moment. Refused: not ours to deliver, but ours to hold or to call off.
        with suppress(Busy, Refused):
            project.store.claim(number, owner)
            project.store.release(number, owner)
    papers.write_receipt(project, number)
    return Standing(papers.record_of(project, number), before, runs)


def doubts(project: Project, number: int, addresses: Sequence[str], *, accepted: bool) -> Sequence[Delivery]:
    """Return the doubts of an issue at these addresses, by default all that can be settled so.

    Where a copy went whose reader was forgotten nobody can say any more: it
    can be called `accepted`, but not go once more. Raises Refused, naming each
    address that is in no doubt.
    """
    from pipeline.audience.addresses import normalise

    papers.record_of(project, number)
    if not addresses:
        return project.store.doubts(number, forgotten=accepted)
    known = {address_key(doubt.recipient.email): doubt for doubt in project.store.doubts(number)}
    chosen, wrong = {}, []
    for address in addresses:
        try:
            key = address_key(normalise(address)[0])
        except AudienceError:
            key = ""
        if key in known:
            chosen[key] = known[key]
        else:
            wrong.append(address)
    if wrong:
        raise Refused(
            f"not in doubt in issue {number}: {', '.join(wrong)}. Nothing was settled. "
            f"Who is: newsletter report {number}"
        )
    return list(chosen.values())


def settle(project: Project, number: int, chosen: Sequence[Delivery], *, accepted: bool) -> IssueRecord:
    """End doubts by a person's word: the reader has the copy, or gets it once more.

    Raises Refused for a second copy of an issue that was called off.
    """
    record = papers.record_of(project, number)
    if not accepted:
        guards.cancelled(record)
        if chosen:
            # Before the ledger, so that a file that says `sent:` never stands beside copies still to go.
            drafts.record_reopened(project.root, number)
    for doubt in chosen:
        project.store.settle(doubt, accepted)
    if chosen and not accepted:
        # Once more: a run that was just ending may have written it in between.
        drafts.record_reopened(project.root, number)
    papers.write_receipt(project, number)
    return papers.record_of(project, number)
