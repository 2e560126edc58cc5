"""What comes back: messages, and what each turns out to say.

An address in here is only what somebody wrote: whom the news is
about is known by evidence that only their own copy holds.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum


class News(StrEnum):
    """What a message says of a reader."""

    #: The address will not take mail again.
    HARD_BOUNCE = "hard-bounce"
    #: It did not take this copy; another may arrive.
    SOFT_BOUNCE = "soft-bounce"
    #: The reader called the copy spam (RFC 5965).
    COMPLAINT = "complaint"
    UNSUBSCRIBE = "unsubscribe"
    #: No news of a reader that counts.
    NOTHING = "nothing"


class Nothing(StrEnum):
    """What a message is that has no news of a reader, or none that counts."""

    DELAYED = "delayed"
    DELIVERED = "delivered"
    #: The refusal is about us, or about this issue, not about the reader.
    ABOUT_US = "refused because of us"
    OUT_OF_OFFICE = "out of office"
    RECEIPT = "read receipt"
    #: A feedback report that is no complaint: "not spam", a failed signature, a virus.
    NO_COMPLAINT = "no complaint"
    NOT_UNDERSTOOD = "not understood"
    TOO_LARGE = "too large"


@dataclass(frozen=True, slots=True)
class Incoming:
    """A message as a mailbox holds it."""

    #: The mailbox's own name for it, good for as long as the mailbox is open.
    id: str
    #: In octets.
    size: int
    #: None: it is larger than anything that is read, so it was not fetched.
    data: bytes | None = field(repr=False)


#: What nobody has read yet: a person must see it.
FOR_A_PERSON = frozenset({Nothing.NOT_UNDERSTOOD, Nothing.TOO_LARGE})


@dataclass(frozen=True, slots=True)
class Evidence:
    """What only somebody who had that very copy can know."""

    #: Left sides of our Message-IDs, 32 hexadecimal digits, the most telling first.
    codes: tuple[str, ...] = ()
    #: Tokens of unsubscribe links, 36 characters.
    tokens: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.codes or self.tokens)


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of one recipient that a report names."""

    news: News
    #: Of NOTHING, what it is instead.
    nothing: Nothing | None = None
    #: Why it is that news, for people: a reason of rules.py.
    why: str = ""
    #: Every address it goes by, as the report writes them: hints, never evidence.
    recipients: tuple[str, ...] = field(default=(), repr=False)
    #: Enhanced status code (RFC 3463), "5.1.1"; "" if there is none.
    status: str = ""
    #: What the server said, for people; holds no address.
    words: str = ""


@dataclass(frozen=True, slots=True)
class Heard:
    """What one message says."""

    news: News
    nothing: Nothing | None = None
    why: str = ""
    evidence: Evidence = Evidence()
    #: Addresses that the message names as its subject: hints, never evidence.
    recipients: tuple[str, ...] = field(default=(), repr=False)
    status: str = ""
    words: str = ""
    #: Each recipient's fate, where a report names several.
    fates: tuple[Fate, ...] = field(default=(), repr=False)

    @property
    def for_a_person(self) -> bool:
        """Whether nobody but a person can say what it is, so that it must not be thrown away."""
        return self.nothing in FOR_A_PERSON

    def about(self, email: str) -> Heard:
        """Return what it says of the reader with this address.

        A report on a copy that was passed on to several names them all, the
        reader too or not; if not, the mildest of their fates counts.
        """
        own = [fate for fate in self.fates if email.casefold() in map(str.casefold, fate.recipients)]
        return self if not own else self.with_fate(mildest(own))

    def with_fate(self, fate: Fate) -> Heard:
        """Return the same message, saying what became of one recipient."""
        return replace(
            self, news=fate.news, nothing=fate.nothing, why=fate.why, status=fate.status, words=fate.words
        )


_MILDNESS = (News.NOTHING, News.SOFT_BOUNCE, News.HARD_BOUNCE)


def mildest(fates: list[Fate] | tuple[Fate, ...]) -> Fate:
    """Return the fate that does the reader least harm: who was reached in one place is no dead address."""
    return min(fates, key=lambda fate: _MILDNESS.index(fate.news))
