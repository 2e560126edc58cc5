"""One person: what happened with them, what is decided about them, letters to them, all that is kept of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from pipeline.model.readers import Subscriber, SubscriberState

if TYPE_CHECKING:
    from pipeline.model.deliveries import DeliveryState


#: The words of ASKED where nobody knew the address before: they came by the form, and by nothing else.
CAME_BY_FORM = "by the form"


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
    #: A single mail to them was refused, given up, or got no answer; the words say why. Nothing follows from it.
    LETTER = "letter"


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened with one person; `subscribers show` prints them all."""

    at: datetime
    kind: EventKind
    #: For people: by which way, in which words, with which consequence. Holds no address.
    words: str = ""
    #: The issue it is about; None if it is about none.
    issue: int | None = None
    #: Since when somebody had stood confirmed whom this took out (LEFT, or ALLOWED after a complaint); None if they
    #: were not in. It is the day of a consent that was given elsewhere, and what undoing goes back to.
    stood_since: datetime | None = None


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

    @property
    def stood_since(self) -> datetime | None:
        """Since when they stand confirmed, or did when they were last in; None if they never were, or none knows."""
        if self.subscriber and self.subscriber.state is SubscriberState.CONFIRMED:
            return self.subscriber.since
        return next((event.stood_since for event in self.events if event.stood_since), None)


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
