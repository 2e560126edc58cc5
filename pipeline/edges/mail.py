"""What hands messages over, and what brings back what became of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Protocol, Self

from pipeline.model import (
    Answer,
    Heard,
    Incoming,
    Outcome,
    Submission,
)


class Arm(Protocol):
    """Asked by a mailer just before its irrevocable step; False means: do not let go.

    Returns when the ledger has it durably. Raises StoreError when nothing may
    be let go any more; the mailer lets that pass.
    """

    def __call__(self, submission: Submission) -> bool: ...

    def many(self, submissions: Sequence[Submission]) -> Sequence[bool]:
        """Ask for several in one go, for a mailer that has them under way together."""


class Mailer(Protocol):
    """Hands messages to a relay and says what became of each.

    Pulls from `submissions`; for each it does everything but the last,
    irrevocable step, asks `arm`, and only on True takes that step. Yields one
    Answer for every submission it pulled, in any order. The caller records an
    answer before it asks for the next one, so a mailer must not take another
    irrevocable step between yielding an answer and being asked again.

    A mailer may pull ahead, to send one message's end with the beginning of
    the next, or to serve several connections. A None among `submissions` says
    that nothing more is to be had just now: go on with what is under way, and
    pull again when it is finished or a little later. Whoever has nothing
    under way is never given None.

    Never retries, never sleeps, never raises for what a relay said about one
    recipient: that is the Outcome. Raises MailerUnusable when nothing at all
    can be handed over; whatever it has pulled by then it answers first. One
    call of `submit` is one connection, or several served together: it returns
    before `submissions` are at an end if they are, and the caller decides when
    to call again.
    tests/contracts/mailer.py holds every mailer to this.
    """

    name: str
    #: How many calls of `submit` may be at work beside each other, each in a thread of its own.
    connections: int

    def submit(self, submissions: Iterable[Submission | None], arm: Arm) -> Iterator[Answer]:
        """Hand over each submission; at most one irrevocable step per submission."""

    def abandon(self) -> None:
        """Cut every connection, from another thread; each `submit` answers what it has pulled, and returns."""

    def look_up(self, submission: Submission) -> Outcome | None:
        """Find evidence of an earlier hand-over whose answer was lost.

        ACCEPTED or DEFERRED (certainly not taken) where the relay can tell; None where it cannot.
        """


class Mailbox(Protocol):
    """Holds what comes back, until it is decided what each message means.

    A context manager: entering opens it, leaving closes it, whatever happened
    in between. A message that nobody called `done` for is there the next time,
    also if this process was killed; one that was may be there once more. Reads
    nothing into memory that is larger than hear/mime.py reads, and opens
    nothing that a message or a link in the mailbox's folder names. Raises
    MailboxUnusable, which names no address and no secret.
    tests/contracts/mailbox.py holds every mailbox to this.
    """

    #: What and where it is, for people.
    name: str

    def __enter__(self) -> Self: ...

    def __exit__(self, *fault: object) -> None: ...

    def messages(self) -> Iterator[Incoming]:
        """Yield every message that was there when it was opened, the oldest first; not those left for a person."""

    def done(self, incoming: Incoming) -> None:
        """Take a message out, or move it to where settings say, at the latest when the mailbox is closed."""

    def leave(self, incoming: Incoming) -> None:
        """Leave a message for a person to see, and if the mailbox can remember that, do not yield it again."""


class Hook(Protocol):
    """Understands what a provider reports by `POST /hooks/<name>`.

    Believes nothing before it is proven: by the provider's signature over the
    whole body, its age, and whatever else the provider offers. Opens no
    address that a request names.
    """

    name: str

    def hear(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Sequence[Heard]:
        """Return what a request says; nothing if it is about nothing of ours.

        `headers` are by name in lower case. An event that says which copy it is
        about has its Message-ID's left side as evidence; one that says only who,
        the address as its one recipient. Raises HookRefused.
        """
