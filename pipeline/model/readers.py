"""The people who read: where they stand, what they want to get, what happened with them."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipeline.model.deliveries import DeliveryState

#: Names the variant that readers of a choice (Preferences.choice) get of an issue: "" is the whole of it, None nothing.
Cut = Callable[[str], str | None]


def uncut(_choice: str) -> str:
    """Cut nothing: everybody gets the whole issue."""
    return ""


class SubscriberState(StrEnum):
    """Where a person stands."""

    UNCONFIRMED = "unconfirmed"
    CONFIRMED = "confirmed"
    UNSUBSCRIBED = "unsubscribed"


def address_key(email: str) -> str:
    """Return what every spelling of one address has in common; two people never share it.

    Takes an address that audience.addresses has put in order: its domain is in
    lower case and punycode already.
    """
    return unicodedata.normalize("NFKC", email).strip().casefold()


@dataclass(frozen=True, slots=True)
class Preferences:
    """What somebody wants to get; by default every issue, whole."""

    #: Slugs of the chosen categories, sorted; none means all of them.
    categories: tuple[str, ...] = ()
    #: Reads by feed and gets no mail.
    feed_only: bool = False
    #: Gets no issue that is dated before.
    paused_until: datetime | None = None

    @property
    def choice(self) -> str:
        """The chosen categories as one word for each, spaces between them; "" for all."""
        return " ".join(self.categories)


@dataclass(frozen=True, slots=True)
class Subscriber:
    """A person in the store."""

    #: 32 hexadecimal digits, from the installation secret and the address; never changes.
    uid: str
    #: As they wrote it, in NFC; the domain in lower case.
    email: str
    name: str
    state: SubscriberState
    #: When they entered that state.
    since: datetime
    #: Why mail to them is suppressed; None if it is not.
    suppressed: str | None = None
    preferences: Preferences = Preferences()


@dataclass(frozen=True, slots=True)
class Recipient:
    """A subscriber's address frozen into one issue."""

    uid: str
    email: str
    name: str
    #: Day they confirmed, in the newsletter's zone.
    confirmed: date


#: A suppression that begins so is about the mailbox. Any other is the word of its owner, or of an editor.
BOUNCED = "bounced"


class Skip(StrEnum):
    """Why an issue does not go to somebody who is confirmed."""

    SUPPRESSED = "suppressed"
    FEED_ONLY = "feed-only"
    PAUSED = "paused"
    #: None of their categories is in it.
    NOTHING_CHOSEN = "nothing-chosen"

    def said(self, count: int) -> str:
        """Say it of so many: "1 has chosen nothing that is in it", "1,204 paused"."""
        one, many = _SKIPPED[self]
        return f"{count:,} {one if count == 1 else many}"


_SKIPPED = {
    Skip.SUPPRESSED: ("suppressed", "suppressed"),
    Skip.FEED_ONLY: ("reads by feed", "read by feed"),
    Skip.PAUSED: ("paused", "paused"),
    Skip.NOTHING_CHOSEN: ("has chosen nothing that is in it", "have chosen nothing that is in it"),
}


def every_skip(counts: Mapping[Skip, int]) -> dict[str, int]:
    """Return the count of every reason, as scripts rely on it: nobody is 0."""
    return {str(skip): counts.get(skip, 0) for skip in Skip}


def skipped(counts: Mapping[Skip, int]) -> str:
    """Say how many are not among an issue's readers, and why: "2 paused, 6 suppressed"; "" if nobody is missing."""
    return ", ".join(skip.said(counts[skip]) for skip in reversed(Skip) if counts.get(skip))


@dataclass(frozen=True, slots=True)
class Audience:
    """Everybody who is confirmed, by what an issue of a certain date has for them."""

    #: Preferences.choice -> how many take an issue under it; "" are those who get everything.
    choices: Mapping[str, int] = field(default_factory=dict)
    #: How many take none, whatever is in it.
    skipped: Mapping[Skip, int] = field(default_factory=dict)

    def circulation(self, cut: Cut) -> Circulation:
        """Return whom an issue goes to that is cut in this way."""
        variants, skipped = Counter[str](), Counter(self.skipped)
        for choice, count in self.choices.items():
            variant = cut(choice)
            if variant is None:
                skipped[Skip.NOTHING_CHOSEN] += count
            else:
                variants[variant] += count
        return Circulation(dict(variants), dict(skipped))


@dataclass(frozen=True, slots=True)
class Circulation:
    """Whom one issue goes to, as what, and why other confirmed subscribers do not get it."""

    #: Name of the variant -> how many readers get it; "" is the whole issue.
    variants: Mapping[str, int] = field(default_factory=dict)
    skipped: Mapping[Skip, int] = field(default_factory=dict)

    @property
    def readers(self) -> int:
        """How many get it, in whatever variant."""
        return sum(self.variants.values())


# --- what happened with one person ------------------------------------------------


class EventKind(StrEnum):
    """What happened."""

    #: Somebody asked for the newsletter with this address, and a confirmation was sent there.
    ASKED = "asked"
    #: They confirmed; the words are what they agreed to.
    CONFIRMED = "confirmed"
    #: An editor added them.
    ADDED = "added"
    LEFT = "left"
    #: Within ten minutes of leaving they took it back.
    RETURNED = "returned"
    #: Other preferences.
    CHOSE = "chose"
    HARD_BOUNCE = "hard-bounce"
    SOFT_BOUNCE = "soft-bounce"
    COMPLAINED = "complained"
    #: A suppression was lifted.
    ALLOWED = "allowed"


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened with one person; `subscribers show` prints them all."""

    at: datetime
    kind: EventKind
    #: For people: by which way, in which words, with which consequence. Holds no address.
    words: str = ""
    #: The issue it is about; None if it is about none.
    issue: int | None = None


@dataclass(frozen=True, slots=True)
class Person:
    """All that a decision about one address may depend on."""

    uid: str
    #: None if they are not among the subscribers.
    subscriber: Subscriber | None = None
    #: Why mail to the address is suppressed, also where nobody subscribed with it.
    suppressed: str | None = None
    #: Newest first.
    events: tuple[Event, ...] = ()

    def last(self, *kinds: EventKind) -> Event | None:
        """Return the newest event of these kinds."""
        return next((event for event in self.events if event.kind in kinds), None)


class LetterKind(StrEnum):
    """A single mail to one person, besides the issues."""

    #: Please confirm that it was you.
    CONFIRMATION = "confirmation"
    #: You asked, and you are subscribed already.
    ALREADY = "already"
    #: You are in; with the latest issue.
    WELCOME = "welcome"


@dataclass(frozen=True, slots=True)
class Decision:
    """What is to be written down about one person, all of it at once."""

    #: As they stand from now on, preferences included; None: as before. `suppressed` in it does not count.
    subscriber: Subscriber | None = None
    #: Suppress their address for this reason.
    suppress: str = ""
    #: Lift the suppression of their address, and forget that it was to be forgotten.
    allow: bool = False
    events: tuple[Event, ...] = ()
    #: Mails to send them, by the moment their links are dated with.
    letters: tuple[tuple[LetterKind, datetime], ...] = ()


@dataclass(frozen=True, slots=True)
class Letter:
    """A single mail that waits to be submitted."""

    id: int
    kind: LetterKind
    uid: str
    email: str
    name: str
    #: Dates its links.
    at: datetime
    #: How often a relay was asked.
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class Request:
    """Somebody typed an address into the form; nothing about it was looked up yet."""

    id: int
    email: str
    name: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Copy:
    """What the ledger knows of one person's copy of one issue."""

    issue: int
    state: DeliveryState
    #: The relay's words; hold no address.
    reply: str
    #: When the ledger last wrote about it.
    updated: datetime


@dataclass(frozen=True, slots=True)
class Everything:
    """All that is kept about one person (GDPR, article 15)."""

    person: Person
    #: By issue.
    copies: tuple[Copy, ...] = ()
    letters: tuple[Letter, ...] = ()
    #: Times they asked by the form that were not looked at yet.
    requests: tuple[Request, ...] = ()
    #: When they were erased, so that no import brings them back; None if they were not.
    forgotten: datetime | None = None

    @property
    def anything(self) -> bool:
        """Tell whether anything is kept but the mark of somebody forgotten."""
        known = self.person.subscriber or self.person.suppressed or self.person.events
        return bool(known or self.copies or self.letters or self.requests)


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What was found of an address that was erased."""

    #: Whether anything was.
    known: bool
    #: Copies that were not handed over, and never will be.
    withdrawn: int = 0
    #: Copies that may be leaving this very moment.
    under_way: int = 0
    #: Copies of which the ledger does not say any more whose they are; those above are among them.
    copies: int = 0
