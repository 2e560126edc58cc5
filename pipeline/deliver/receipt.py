"""The receipt of an issue: what the ledger knows when a run ends, in numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.edges import Store
from pipeline.model import DeliveryState, IssueRecord


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
    #: Addresses whose hand-over has no answer; for the terminal only, never for a file.
    doubts: tuple[str, ...]


def make_receipt(store: Store, number: int) -> Receipt | None:
    """Gather an issue's receipt; None if there is no such issue."""
    record, frozen = store.issue(number), store.frozen(number)
    if record is None or frozen is None:
        return None
    domains = store.by_domain(number)
    busiest = sorted(domains, key=lambda domain: (-sum(domains[domain].values()), domain))
    order = list(DeliveryState)
    by_domain = {
        domain: dict(sorted(domains[domain].items(), key=lambda item: order.index(DeliveryState(item[0]))))
        for domain in busiest
    }
    doubts = tuple(delivery.recipient.email for delivery in store.doubts(number))
    return Receipt(record, by_domain, len(frozen.template), _rate(record), doubts)


def _rate(record: IssueRecord) -> float | None:
    if record.started is None or record.finished is None or not record.counts.accepted:
        return None
    seconds = (record.finished - record.started).total_seconds()
    return round(record.counts.accepted / seconds, 1) if seconds > 0 else None


def exit_code(record: IssueRecord, *, stopped: bool = False) -> int:
    """0 all is final; 5 something is left to do or to settle; 130 stopped by a person before the end."""
    if record.counts.open or record.counts.in_doubt:
        return 130 if stopped else 5
    return 0


def outcome(record: IssueRecord, *, stopped: bool = False) -> dict[str, Any]:
    """Return what `send --json`, `resume --json` and `report --json` have in common; scripts rely on its keys."""
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
        "exit": exit_code(record, stopped=stopped),
    }


def summary(receipt: Receipt) -> dict[str, Any]:
    """Return the whole receipt as `report --json` prints it; holds no address."""
    record = receipt.record
    return outcome(record) | {
        "subject": record.subject,
        "date": record.date.isoformat(),
        "by_domain": {domain: dict(states) for domain, states in receipt.by_domain.items()},
        "started": record.started.isoformat() if record.started else None,
        "finished": record.finished.isoformat() if record.finished else None,
        "rate": receipt.rate,
        "hash": record.hash,
        "bytes": receipt.bytes,
    }
