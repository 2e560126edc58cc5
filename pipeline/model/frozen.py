"""An issue as bytes: frozen, looked at, approved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipeline.model.posts import CarriedPost


@dataclass(frozen=True, slots=True)
class Variant:
    """An issue as it goes to readers who chose categories: the same build, with just their posts."""

    #: The slugs of those of the issue's categories that are in it, sorted, spaces between them.
    name: str
    #: As in FrozenIssue.
    template: bytes
    html: bytes
    text: bytes
    #: Ids of the posts it holds, in order.
    posts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FrozenIssue:
    """An issue as it was written down to be sent: bytes, not posts."""

    number: int
    subject: str
    #: The message's Date, and the clock of everything published with it; newsletter's zone.
    date: datetime
    #: The whole message as encoded bytes; recipient fields stand between NUL bytes (deliver/message.py).
    template: bytes
    #: The bodies as files, with sample values for marks: email.html, email.txt.
    html: bytes
    text: bytes
    #: public/issues/N/index.html.
    page: bytes
    #: Return path (RFC 5321, 2.3.1). A NUL in it stands for what tells deliveries apart (VERP, deliver/message.py).
    sender: str
    #: Posts it carries, in order.
    posts: tuple[CarriedPost, ...] = ()
    language: str = "en"
    #: For readers who chose categories; everybody else gets `template`.
    variants: tuple[Variant, ...] = ()

    @property
    def hash(self) -> str:
        """SHA-256 of the template, hexadecimal: names what was looked at."""
        return sha256(self.template).hexdigest()


@dataclass(frozen=True, slots=True)
class Build:
    """Everything that sending an issue now would put into the world, and the hash that names it."""

    frozen: FrozenIssue
    #: What it is made of -> SHA-256, hexadecimal: "mail", "page", each feed, post, picture, template and
    #: setting by name. The same all day: the second in the Date header does not count.
    parts: Mapping[str, str]

    @property
    def hash(self) -> str:
        """SHA-256 over all that it is made from, hexadecimal: the same whatever the day.

        Mail and page are left out: they follow from the rest and the issue's date, byte for byte.
        """
        causes = {name: value for name, value in self.parts.items() if name not in ("mail", "page")}
        return sha256(repr(sorted(causes.items())).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Trial:
    """A test copy that a relay took."""

    #: Hash of the build it was cut from.
    build: str
    at: datetime
    #: Who sent it.
    by: str


@dataclass(frozen=True, slots=True)
class Approval:
    """Somebody's word that an issue may go out, as its file in issues/ holds it."""

    by: str
    #: The moment of approving, which becomes the issue's own: its Date (RFC 5322, 3.6.1: complete and ready).
    at: datetime
    #: Hash of the build that was approved.
    build: str
    #: SHA-256 of the mail's very bytes, its Date included: FrozenIssue.hash.
    mail: str


@dataclass(frozen=True, slots=True)
class Seal:
    """What was approved, so that a difference can be named and shown."""

    approval: Approval
    parts: Mapping[str, str]
    #: "mail", "page" and each feed -> SHA-256 of the very bytes.
    exact: Mapping[str, str]
    subject: str
    #: Id and title, in order.
    posts: tuple[tuple[str, str], ...]
    #: The text twin, with sample values for a reader's fields.
    text: str


@dataclass(frozen=True, slots=True)
class Standing:
    """How far an issue has come: tested, approved, and whether that still holds."""

    #: Newest first, of whatever build.
    trials: tuple[Trial, ...] = ()
    approval: Approval | None = None
    #: What is not as it was approved, in sentences; empty if nothing, or nothing is approved.
    changes: tuple[str, ...] = ()

    def tested(self, build: str) -> Trial | None:
        """Return the newest test copy of just this build."""
        return next((trial for trial in self.trials if trial.build == build), None)
