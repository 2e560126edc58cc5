"""Deliveries: one issue to one recipient, what a relay says of it, and how an issue stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipeline.model.circulation import Skip
    from pipeline.model.readers import Recipient


class DeliveryState(StrEnum):
    """Where one delivery stands; deliver/states.py says how it may move."""

    QUEUED = "queued"
    LEASED = "leased"
    ARMED = "armed"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    IN_DOUBT = "in_doubt"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Delivery:
    """Our record of one issue x one recipient."""

    id: int
    issue: int
    recipient: Recipient
    state: DeliveryState
    #: Counts how often it was leased; guards every later write against an owner who woke late.
    epoch: int = 0
    #: How often a relay was asked.
    attempts: int = 0
    #: Name of the variant they get; "" is the whole issue.
    variant: str = ""


class Outcome(StrEnum):
    """What became of one submission."""

    #: The relay took it.
    ACCEPTED = "accepted"
    #: Certainly not taken; try again later.
    DEFERRED = "deferred"
    #: Certainly not taken, and never will be.
    REFUSED = "refused"
    #: Handed over, answer lost (RFC 1047).
    IN_DOUBT = "in_doubt"
    #: Never let go, so nothing was handed over: the ledger said no (left, suppressed, paused, owned by
    #: another), or the mailer had to stop before its turn. Counts as no try.
    NOT_ARMED = "not_armed"


@dataclass(frozen=True, slots=True)
class Submission:
    """One message on its way to a mailer."""

    delivery: Delivery
    #: Envelope return path and recipient (RFC 5321, 2.3.1).
    sender: str
    recipient: str
    #: Without angle brackets; the same on every try.
    message_id: str
    #: The complete message, CRLF line ends.
    data: bytes
    #: True if it is known that no line of `data` begins with a dot, so that none has to be doubled (RFC 5321, 4.5.2).
    no_dots: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What a mailer reports of one submission."""

    submission: Submission
    outcome: Outcome
    #: The relay's words, for the report; holds no address.
    reply: str = ""
    #: With DEFERRED: the connection failed, not this message or recipient, so the next try may come at once.
    connection: bool = False
    #: The relay asked for fewer messages at a time.
    slow_down: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """An answer and what the run makes of it, as the ledger writes it down."""

    answer: Answer
    #: How long a deferred delivery rests, by the ledger's clock; None with every other outcome.
    retry_in: timedelta | None = None


class IssueState(StrEnum):
    """Where a frozen issue stands."""

    SENDING = "sending"
    PAUSED = "paused"
    CANCELLED = "cancelled"
    SENT = "sent"


@dataclass(frozen=True, slots=True)
class Counts:
    """Deliveries of one issue by state; the eight always add up to `readers`."""

    readers: int = 0
    #: Not yet handed over, leased and armed ones included.
    queued: int = 0
    accepted: int = 0
    refused: int = 0
    #: Queued again after a relay said "later".
    deferred: int = 0
    in_doubt: int = 0
    withdrawn: int = 0
    expired: int = 0
    cancelled: int = 0

    @property
    def open(self) -> int:
        """Deliveries that another run could still bring to an end."""
        return self.queued + self.deferred


@dataclass(frozen=True, slots=True)
class IssueRecord:
    """What the ledger knows of one issue, without its bytes."""

    number: int
    subject: str
    state: IssueState
    date: datetime
    counts: Counts
    #: SHA-256 of the frozen template.
    hash: str
    #: First lease and last final answer, by the database's clock; None before.
    started: datetime | None = None
    finished: datetime | None = None
    #: True once the site that goes with it is in place.
    published: bool = False
    #: Why it is paused, for people; "" if a person paused it, or it is not.
    why: str = ""
    #: When the first of its deferred deliveries is due again; None if nothing waits.
    due: datetime | None = None
    #: Why confirmed subscribers were not among its readers when it was frozen -> how many.
    skipped: Mapping[Skip, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RunRecord:
    """A run that is at work on an issue."""

    #: New with every start of a process.
    owner: str
    #: Process id, and the machine it is on.
    process: int
    host: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Refusal:
    """One thing a relay said to some of an issue's recipients."""

    #: REFUSED, EXPIRED, QUEUED (deferred) or IN_DOUBT: where those deliveries stand.
    state: DeliveryState
    #: The relay's words; hold no address.
    reply: str
    count: int
    #: Some of their domains, in order.
    domains: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RefusedCopy:
    """One copy that the relay said it would never take."""

    #: Subscriber.uid.
    uid: str
    #: The relay's words, the reply code first; hold no address.
    reply: str
    #: How many it refused one after the other, this one among them, with none accepted between.
    in_a_row: int
