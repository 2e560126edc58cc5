"""The receipt of an issue: what the ledger knows when a run ends, in numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pipeline.edges import Store
from pipeline.errors import MailerUnusable
from pipeline.model import DeliveryState, EventKind, IssueRecord, IssueState, Refusal, every_skip

#: Exit code of MailerUnusable: the relay or the settings cannot be used.
UNUSABLE = MailerUnusable.exit_code
#: Later news of an issue, by the name that `hear --json` has for it.
HEARD = {
    EventKind.HARD_BOUNCE: "hard_bounces",
    EventKind.SOFT_BOUNCE: "soft_bounces",
    EventKind.COMPLAINED: "complaints",
}


@dataclass(frozen=True, slots=True)
class Receipt:
    """One issue's outcome."""

    record: IssueRecord
    #: Recipient domain -> state -> count, the busiest domain first.
    by_domain: Mapping[str, Mapping[str, int]]
    #: Size of one copy on the wire, without the recipient's few fields.
    bytes: int
    #: Messages a second between the first lease and the last answer; None before both.
    rate: float | None
    #: Start of each stretch of time, and how many were accepted in it; equally long.
    over_time: Sequence[tuple[datetime, int]]
    #: What the relay said where it did not accept, the most frequent first.
    refusals: Sequence[Refusal]
    #: Addresses whose hand-over has no answer; for the terminal only, never for a file.
    doubts: tuple[str, ...]
    #: Name of the variant -> how many readers it was frozen for; "" is the whole issue.
    variants: Mapping[str, int]
    #: What was heard of it since.
    heard: Mapping[EventKind, int]


def make_receipt(store: Store, record: IssueRecord) -> Receipt:
    """Gather an issue's receipt."""
    number, frozen = record.number, store.frozen(record.number)
    domains = store.by_domain(number)
    busiest = sorted(domains, key=lambda domain: (-sum(domains[domain].values()), domain))
    order = list(DeliveryState)
    by_domain = {
        domain: dict(sorted(domains[domain].items(), key=lambda item: order.index(DeliveryState(item[0]))))
        for domain in busiest
    }
    doubts = tuple(delivery.recipient.email for delivery in store.doubts(number))
    return Receipt(
        record,
        by_domain,
        len(frozen.template) if frozen else 0,
        _rate(record),
        store.over_time(number),
        store.refusals(number),
        doubts,
        store.by_variant(number),
        store.heard(number),
    )


def _rate(record: IssueRecord) -> float | None:
    if record.started is None or record.finished is None or not record.counts.accepted:
        return None
    seconds = (record.finished - record.started).total_seconds()
    return round(record.counts.accepted / seconds, 1) if seconds > 0 else None


def exit_code(record: IssueRecord, *, stopped: bool = False) -> int:
    """0 all is final; 5 something is left to do or to settle; 7 the relay refuses us; 130 stopped by a person."""
    if record.state is IssueState.PAUSED and record.why:
        return UNUSABLE
    if record.counts.open or record.counts.in_doubt:
        return 130 if stopped else 5
    return 0


def outcome(record: IssueRecord, code: int) -> dict[str, Any]:
    """Return what `send --json`, `resume --json` and `report --json` have in common; scripts rely on its keys.

    `code` is what the command ends with.
    """
    counts = record.counts
    return {
        "issue": record.number,
        "state": str(record.state),
        "readers": counts.readers,
        "queued": counts.queued,
        "accepted": counts.accepted,
        "refused": counts.refused,
        "deferred": counts.deferred,
        "in_doubt": counts.in_doubt,
        "withdrawn": counts.withdrawn,
        "expired": counts.expired,
        "cancelled": counts.cancelled,
        "skipped": every_skip(record.skipped),
        "exit": code,
    }


def summary(receipt: Receipt) -> dict[str, Any]:
    """Return the whole receipt as `report --json` prints it; holds no address."""
    record = receipt.record
    return outcome(record, exit_code(record)) | {
        "subject": record.subject,
        "date": record.date.isoformat(),
        "by_domain": {domain: dict(states) for domain, states in receipt.by_domain.items()},
        "started": record.started.isoformat() if record.started else None,
        "finished": record.finished.isoformat() if record.finished else None,
        "rate": receipt.rate,
        "over_time": [{"from": start.isoformat(), "accepted": count} for start, count in receipt.over_time],
        "refusals": [
            {
                "state": "deferred" if refusal.state is DeliveryState.QUEUED else str(refusal.state),
                "reply": refusal.reply,
                "count": refusal.count,
                "domains": list(refusal.domains),
            }
            for refusal in receipt.refusals
        ],
        "why": record.why,
        "due": record.due.isoformat() if record.due else None,
        "hash": record.hash,
        "bytes": receipt.bytes,
        "variants": dict(receipt.variants),
        "heard": {name: receipt.heard.get(kind, 0) for kind, name in HEARD.items()},
    }
