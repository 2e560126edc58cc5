"""What a stage may ask of the store: the ledger and the audience."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from pipeline.model import (
    Audience,
    CarriedPost,
    Counts,
    Cut,
    Decision,
    Delivery,
    Event,
    EventKind,
    Everything,
    Forgotten,
    FrozenIssue,
    IssueRecord,
    IssueState,
    Letter,
    Person,
    Post,
    Refusal,
    RefusedCopy,
    Request,
    RunRecord,
    Subscriber,
    SubscriberState,
    Verdict,
    uncut,
)


class Store(Protocol):
    """The ledger and the audience. Every method is one transaction, durable when it returns.

    Raises StoreError for anything the database says; after that the run must
    stop (a connection that saw an I/O error cannot be trusted with the next
    commit).
    """

    # what is known of posts and issues
    def carried(self) -> Sequence[CarriedPost]:
        """Every post an issue carried, or that counts as published before."""

    def last_issue(self) -> IssueRecord | None:
        """The issue with the highest number."""

    def issue(self, number: int) -> IssueRecord | None: ...

    def issues(self) -> Sequence[IssueRecord]:
        """All issues, by number."""

    def frozen(self, number: int) -> FrozenIssue | None:
        """An issue's bytes as they were frozen."""

    def pages(self) -> Iterator[tuple[int, str, datetime, str]]:
        """Number, subject, date and page hash of every frozen issue, by number."""

    def entry_updates(
        self, seen: Sequence[Post], now: datetime, *, remember: bool = True
    ) -> dict[str, datetime]:
        """Return when each post's text last really changed, remembering texts not seen before.

        A post seen first counts as unchanged since `published`; a later call
        with another exact fingerprint makes it `now`. Without `remember` it is
        only asked what it would be.
        """

    # audience
    def readers(self) -> int:
        """How many take the issues of this moment, whatever is in them."""

    def subscribers(self, state: SubscriberState | None = None) -> Iterator[Subscriber]:
        """In order of address."""

    def subscriber(self, email: str) -> Subscriber | None: ...

    def put_subscribers(self, people: Iterable[Subscriber], *, rehearse: bool = False) -> dict[str, int]:
        """Add or update people by address; count `added`, `updated`, `unchanged`, `suppressed`.

        Someone who unsubscribed, is suppressed or was forgotten stays so
        whatever the row says; they count as `suppressed`. An empty name never
        replaces one. With `rehearse` the counts are what they would be, and
        nothing is written.
        """

    def unsubscribe(self, email: str, now: datetime) -> bool:
        """True if they were there and had not left; effective before the next arm."""

    def audience(self, date: datetime | None) -> Audience:
        """Count everybody who is confirmed by what an issue of that date (None: of this moment) has for them."""

    # one person
    def decide(self, email: str, decision: Callable[[Person], Decision]) -> Decision:
        """Show a decision what is known of an address, and write down what it decides, in one transaction."""

    def decide_by_uid(self, uid: str, decision: Callable[[Person], Decision]) -> Decision | None:
        """The same for a subscriber by their id; None if there is nobody (any more)."""

    def decide_together(self, decisions: Iterable[tuple[str, Callable[[Person], Decision]]]) -> None:
        """Decide about some subscribers by their ids, all in one transaction; about who is there no more, nothing."""

    def person(self, uid: str) -> Person | None:
        """Return what is known of a subscriber by their id; None if there is nobody (any more)."""

    def everything(self, email: str) -> Everything:
        """Return all that is kept about an address."""

    def forget(self, email: str, now: datetime) -> Forgotten:
        """Erase an address wherever it stands, but for a mark that says: do not import.

        Their deliveries stay, without saying whose they are; what was not armed is withdrawn.
        """

    def erase_unconfirmed(self, before: datetime, limit: int) -> int:
        """Erase up to `limit` people who asked by the form, the last time before that moment, and never confirmed.

        Returns how many. Nothing of them stays, but a suppression if there is one.
        """

    # single mails
    def ask(self, email: str, name: str, at: datetime) -> None:
        """Note that somebody typed an address into the form. Costs the same whoever that is."""

    def requests(self, limit: int) -> Sequence[Request]:
        """Return requests that nobody has answered yet, the oldest first."""

    def answer(self, request: Request, decision: Callable[[Person], Decision]) -> Decision | None:
        """Decide about a request, which is done with then; None if another process has answered it meanwhile."""

    def letters(self, limit: int) -> Sequence[Letter]:
        """Return letters that are due, the one that has waited longest first."""

    def next_letter(self) -> timedelta | None:
        """How long until the next letter is due, 0 if one is; None if none waits."""

    def arm_letter(self, letter: Letter) -> bool:
        """Write down that a letter may be on the wire.

        False if it is gone, another process has it, or its reader left
        meanwhile; a confirmation asks those who are not in.
        """

    def withdraw_letter(self, letter: Letter) -> bool:
        """Drop a letter that need not or cannot be sent; False if it is gone, or another process has it."""

    def settle_letter(
        self, letter: Letter, retry_in: timedelta | None, give_up: timedelta, event: Event | None = None
    ) -> None:
        """Write down what became of a letter: done with, or it rests and is tried again until `give_up`.

        Once it is done with, `event` is its reader's.
        """

    def sweep_letters(self, older: timedelta) -> int:
        """Drop letters that a process armed and died over; they never go again."""

    # freeze
    def freeze(
        self, issue: FrozenIssue, before: Sequence[CarriedPost], now: datetime, cut: Cut = uncut
    ) -> int:
        """Write the issue's bytes, its posts, `before` and one queued delivery per reader, in one transaction.

        `cut` is asked for every choice that readers have made by then: each is
        enrolled with the variant of theirs, or counted with the reason why
        not. Returns how many were enrolled. Raises StoreError if the number
        exists, Unrendered, having written nothing, if a variant is missing.
        """

    def published(self, number: int) -> None:
        """Note that the site that goes with the issue is in place."""

    # deliver
    def claim(self, number: int, owner: str, *, join: bool = False, only_copy: bool = False) -> None:
        """Make `owner` a run at work on this issue, and clear up after dead ones.

        Their leased deliveries go back to queued, their armed ones become in
        doubt. Raises Busy, naming since when, if another run still lives,
        unless this one joins it; Refused if the ledger is older than what was
        sent from it, or a copy of one that began to send the issue, unless a
        person said that it is the only copy left to send from.
        """

    def release(self, number: int, owner: str) -> None: ...

    def runs(self, number: int) -> Sequence[RunRecord]:
        """Runs at work on an issue, the first one first."""

    def lease(self, number: int, owner: str, limit: int) -> Sequence[Delivery]:
        """Take up to `limit` queued deliveries that are due; withdraw those who left since the freeze."""

    def commit(
        self, owner: str, verdicts: Sequence[Verdict], arms: Sequence[Delivery], give_up: timedelta
    ) -> Sequence[bool]:
        """Write verdicts down, then move `arms` from leased to armed, all in one transaction.

        For each of `arms`: True if it is armed; False if its lease is lost, the
        reader left, or the issue is paused or cancelled. A verdict of DEFERRED
        expires a delivery that was first tried longer than `give_up` ago.
        """

    def hurry(self, number: int) -> int:
        """Make every deferred delivery due now; how many there are."""

    def waits(self, number: int) -> timedelta | None:
        """How long until the next deferred delivery is due, 0 if it is; None if nothing is queued."""

    def handed_over(self, within: timedelta) -> Sequence[timedelta]:
        """How long ago each delivery of any issue was answered, for those within that time; the oldest first."""

    def doubts(self, number: int, *, forgotten: bool = False) -> Sequence[Delivery]:
        """The deliveries in doubt; those of people who were forgotten, who have no address, only if asked for."""

    def settle(self, delivery: Delivery, accepted: bool) -> None:
        """in_doubt -> accepted, or back to queued, by evidence or by a person."""

    def counts(self, number: int) -> Counts: ...

    def enrolled(self, number: int) -> Iterator[str]:
        """Yield the ids of an issue's recipients, in flat memory."""

    def by_domain(self, number: int) -> dict[str, dict[str, int]]:
        """Recipient domain -> state -> count."""

    def by_variant(self, number: int) -> dict[str, int]:
        """Name of the variant -> how many readers it was frozen for; "" is the whole issue."""

    def refusals(self, number: int) -> Sequence[Refusal]:
        """What the relay said where it did not accept, the most frequent first."""

    def refused(self, number: int) -> Iterator[RefusedCopy]:
        """Yield the copies of an issue that were refused for good, in the order of the answers."""

    def heard(self, number: int) -> Mapping[EventKind, int]:
        """Count what was heard of an issue since: bounces and complaints."""

    def over_time(self, number: int) -> Sequence[tuple[datetime, int]]:
        """Start of each stretch of time and how many were accepted in it; at most sixty stretches, equally long."""

    def close(self, number: int) -> bool:
        """Mark the issue sent if every delivery is final; True if it now is."""

    def set_issue_state(self, number: int, state: IssueState, why: str = "") -> None: ...
