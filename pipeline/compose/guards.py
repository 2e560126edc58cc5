"""What a send refuses to do without a second thought: each guard a question with its remedy.

Pure; settings say how strict.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from pipeline.errors import Busy, Refused
from pipeline.model import Choice, Circulation, Draft, IssueRecord, IssueState, RunRecord, Skip, skipped

if TYPE_CHECKING:
    from pipeline.settings import Settings

#: Growth below this many readers is never an alarm, whatever the factor: young lists multiply.
GROWTH_THAT_MATTERS = 1000


def stops(choice: Choice) -> None:
    """Refuse while a file cannot be read that no issue carried: it might belong in this one."""
    unreadable = [item for item in choice.left_out if item.stops]
    if unreadable:
        first, *others = unreadable
        place = f"{first.path}:{first.line}" if first.line else first.path
        more = "".join(f"\n{item.path}{f':{item.line}' if item.line else ''}: {item.why}" for item in others)
        raise Refused(
            f"{place}: {first.why}{more}\n"
            "Mend the file, or leave it out with `exclude` under [posts] in newsletter.toml."
        )


def ledger_lost(known: Container[int], drafts: Mapping[int, Draft], traces: Mapping[int, str]) -> None:
    """Refuse while something shows an issue that the ledger does not know: nobody could say who has it.

    `known` are the ledger's issues, `traces` what lies about of issues, by number.
    """
    for number, draft in sorted(drafts.items()):
        if draft.frozen and not (draft.sent or draft.cancelled) and number not in known:
            raise Refused(
                f"{draft.path} was frozen {draft.frozen:%d %b %Y %H:%M}, but the ledger does not know the issue, so "
                "nobody can say who has it. Put the .newsletter folder back that it was frozen with, then: "
                f"newsletter resume {number}. If that is lost for good, write `sent: {draft.frozen.isoformat()}` into "
                f"{draft.path}: its posts then count as sent, and the next issue goes on."
            )
    for number, place in sorted(traces.items()):
        if number not in known and not (
            number in drafts and (drafts[number].sent or drafts[number].cancelled)
        ):
            raise Refused(
                f"{place} is there, but neither the ledger nor issues/ knows an issue {number}: the same posts "
                "would go out twice. Put .newsletter and issues/ back as they were, or, to begin again, move "
                f"{place} away."
            )


def ledger_older(record: IssueRecord, draft: Draft | None) -> None:
    """Refuse to go on with an issue that is known to have gone out: the ledger is an older one, put back."""
    if draft is not None and draft.sent and record.counts.open:
        raise Refused(
            f"{draft.path} says that the issue was sent {draft.sent:%d %b %Y %H:%M}, but the ledger has "
            f"{record.counts.open:,} copies still to go: an older .newsletter was put back. Put the newer one "
            f"back. If these readers certainly have no copy, delete the line `sent:` and then: "
            f"newsletter resume {record.number}"
        )


def paused(record: IssueRecord) -> None:
    """Refuse to go on by itself with what a person has paused; what a relay's refusal paused is tried again."""
    if record.state is IssueState.PAUSED and not record.why:
        raise Refused(
            f"issue {record.number} is paused: {record.counts.accepted:,} have it, {record.counts.open:,} do not. "
            f"Nothing else is sent before it is at its end. To go on with it: newsletter resume {record.number}. "
            f"To call it off: newsletter cancel {record.number}"
        )


def cancelled(record: IssueRecord) -> None:
    """Refuse to go on with an issue that was called off."""
    if record.state is IssueState.CANCELLED:
        raise Refused(
            f"issue {record.number} was called off and stays so. What became of its copies: "
            f"newsletter report {record.number}"
        )


def at_work(runs: Sequence[RunRecord], number: int) -> None:
    """Raise Busy while somebody else is at work on an issue."""
    if runs:
        first = runs[0]
        raise Busy(
            f"a run is at work on issue {number} since {first.since:%H:%M:%S} (process {first.process} on "
            f"{first.host}). To help it: newsletter resume {number} --join. To stop it: newsletter pause {number}"
        )


def too_many(posts: int, settings: Settings, command: str) -> None:
    """Refuse to mail an archive: more new posts than `max_posts`."""
    limit = settings.issue.max_posts
    if posts > limit:
        raise Refused(
            f"{posts:,} posts are new, and an issue takes at most {limit} ([issue] max_posts).\n"
            "If most of them were published before, say which are new:\n"
            f"  newsletter {command} --since DATE     posts older than that count as published before\n"
            f"  newsletter {command} --latest N       only the newest N; the others count as published before"
        )


def no_readers(circulation: Circulation) -> None:
    """Refuse an issue that nobody would get: with nobody to send it to, its posts would count as sent."""
    if circulation.readers:
        return
    why = skipped(circulation.skipped)
    if why:
        raise Refused(f"nobody would get it, of those who are confirmed: {why}.")
    raise Refused("there are no confirmed readers. Import some: newsletter subscribers import FILE")


def audience_jumped(circulation: Circulation, last: IssueRecord | None, settings: Settings) -> None:
    """Refuse an unattended send to far more readers than last time.

    Who chose nothing that is in an issue counts here: an issue for few is no sign of growth in the next.
    """
    factor = settings.guards.audience_growth
    if not factor or last is None:
        return
    now = circulation.readers + circulation.skipped.get(Skip.NOTHING_CHOSEN, 0)
    before = last.counts.readers + last.skipped.get(Skip.NOTHING_CHOSEN, 0)
    if now > before * factor and now - before > GROWTH_THAT_MATTERS:
        raise Refused(
            f"{now:,} readers, where issue {last.number} had {before:,}. If that is right, send with "
            f"`--confirm {circulation.readers}`, or raise [guards] audience_growth."
        )


def too_recent(now: datetime, last: IssueRecord | None, settings: Settings) -> None:
    """Refuse an unattended send soon after the last one."""
    pause = timedelta(hours=settings.guards.hours_between)
    if last is not None and pause and now - last.date < pause:
        raise Refused(
            f"issue {last.number} went out {last.date:%d %b %Y %H:%M}, less than "
            f"{settings.guards.hours_between:g} hours ago ([guards] hours_between). Wait, or lower the setting."
        )
