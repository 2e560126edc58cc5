"""The people who read: where they stand, and what they want to get."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

#: A suppression that begins so is about the mailbox. Any other is the word of its owner, or of an editor.
BOUNCED = "bounced"
#: Why mail is suppressed to whom a list says not to mail, without a reason; any other reason says more.
NO_REASON = "a list says so"


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
