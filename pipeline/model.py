"""Every noun of the pipeline, in the order data passes through it.

Nothing here reads a file, a clock or a network. Moments are aware datetimes;
a post's moments are in UTC, everything shown to people is turned to the
newsletter's own zone by the stage that shows it.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from hashlib import sha256

# --- posts -------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What a post's text looks like, so that it is known again under another name."""

    #: Digest of the title and body with Unicode form, white space and line ends levelled.
    exact: str
    #: One `digest:words` for each sentence or list item, in order of digest, spaces between them; tells how
    #: much two texts share. Packed, because an archive's are read every week and hardly ever looked into.
    sketch: str = ""


@dataclass(frozen=True, slots=True)
class Post:
    """One article's head: all that is known of it without keeping its body."""

    #: Permanent; front matter `id`, else the slug. Never the path (RFC 4287, 4.2.6).
    id: str
    #: Last part of its address; unique among posts.
    slug: str
    title: str
    #: Aware, in UTC.
    published: datetime
    #: The file, relative to the newsletter's folder, with forward slashes.
    path: str
    #: SHA-256 of the file's bytes, hexadecimal.
    digest: str
    fingerprint: Fingerprint
    #: 1-based line of the file on which the body begins.
    body_line: int = 1
    #: When the author says it was last changed (`lastmod`); None if they do not.
    updated: datetime | None = None
    #: Last moment to send it.
    expires: datetime | None = None
    authors: tuple[str, ...] = ()
    author_title: str = ""
    category: str = ""
    #: One sentence for a card, plain text.
    excerpt: str = ""
    #: False if the excerpt was taken from the body's first sentence.
    excerpt_given: bool = False
    tags: tuple[str, ...] = ()
    #: BCP 47; "" means the newsletter's language.
    lang: str = ""
    image: str = ""
    image_alt: str = ""
    draft: bool = False
    #: False for `newsletter: false`: pages and feeds only.
    in_newsletter: bool = True
    featured: bool = False
    #: Body length in words.
    words: int = 0
    #: Front matter keys we do not know, as written; templates see them.
    extra: Mapping[str, object] = field(default_factory=dict)
    #: Link and image targets without a scheme found in the body, as written.
    references: tuple[str, ...] = ()
    #: Front matter key (ours, not the alias) -> its 1-based line.
    lines: Mapping[str, int] = field(default_factory=dict)
    #: What reading it had to say (near-miss keys, an excerpt that was derived).
    findings: tuple[Finding, ...] = ()
    #: False where the slug came from the file name or title, so a clash may be settled by adding the date.
    slug_given: bool = False


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A file in the posts folder that cannot be used, and why."""

    path: str
    line: int | None
    #: What is wrong and what to do, without the place.
    why: str


@dataclass(frozen=True, slots=True)
class Collection:
    """All that the posts folder holds."""

    #: In order of path.
    posts: tuple[Post, ...]
    unreadable: tuple[Unreadable, ...] = ()


@dataclass(frozen=True, slots=True)
class CarriedPost:
    """A post some issue carried, or that counts as published before the first."""

    id: str
    #: None: it counts as published before (`--since`, `--latest`).
    issue: int | None
    fingerprint: Fingerprint | None = None
    #: Where it was then.
    path: str = ""


class Reason(StrEnum):
    """Why a post is not in the issue."""

    CARRIED = "carried"
    DRAFT = "draft"
    FUTURE = "future"
    EXPIRED = "expired"
    WEB_ONLY = "web-only"
    BEFORE_FIRST = "before-first"
    UNREADABLE = "unreadable"
    NOT_CHOSEN = "not-chosen"


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A file that the next issue does not take, with its reason for people."""

    path: str
    #: None where the file cannot be read.
    id: str | None
    reason: Reason
    why: str
    #: An unreadable file that no issue carried stops build and send.
    stops: bool = False
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """Posts split into those the next issue takes and those it leaves."""

    #: In the issue's order: lead first, then newest first.
    chosen: tuple[Post, ...]
    #: In order of path.
    left_out: tuple[LeftOut, ...]
    #: Those of `left_out` that `--since` or `--latest` declare published before.
    before_first: tuple[Post, ...] = ()


# --- the issue ---------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Draft:
    """issues/NNNN.md as the editor left it."""

    number: int
    path: str
    subject: str
    preheader: str
    #: Post ids in order.
    posts: tuple[str, ...]
    #: Id of the lead post; "" means the first.
    lead: str = ""
    #: Markdown.
    note: str = ""
    #: 1-based line on which the note begins.
    note_line: int = 1
    #: The first issue's baseline, as `newsletter draft --since` was given it.
    since: datetime | None = None
    #: The first issue's baseline, as `newsletter draft --latest` was given it.
    latest: int | None = None
    #: Set when the issue was frozen; a frozen file is a record, no longer a draft.
    frozen: datetime | None = None
    #: Set when the last delivery became final.
    sent: datetime | None = None
    #: Set when the issue was called off.
    cancelled: datetime | None = None
    #: Set when somebody approved it.
    approval: Approval | None = None
    #: Post id -> exact fingerprint, written when the issue is frozen.
    fingerprints: Mapping[str, str] = field(default_factory=dict)
    #: Front matter key, or `posts.0` for the first listed post -> its 1-based line.
    lines: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Issue:
    """One numbered instalment, ready to be rendered."""

    number: int
    subject: str
    preheader: str
    #: In order; the lead is among them.
    posts: tuple[Post, ...]
    lead: Post
    #: The editor's note, Markdown; "" if there is none.
    note: str
    #: The moment of cutting, in the newsletter's zone.
    date: datetime
    #: The draft it came from; "" if it was composed by itself.
    path: str = ""
    note_line: int = 1


# --- rendered ----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Link:
    """One address that rendered content points to."""

    #: Absolute where it could be resolved, else as written.
    url: str
    text: str
    #: The file and 1-based line that wrote it; "" and None for the theme's own.
    path: str = ""
    line: int | None = None
    #: False if it named a post or file that is not there.
    resolved: bool = True
    #: A file of the newsletter's that it points to (a PDF beside the post), and where that goes, as for Image.
    file: str = ""
    target: str = ""


@dataclass(frozen=True, slots=True)
class Image:
    """One picture that rendered content shows."""

    url: str
    #: None: no alternative text was written at all. "" is a decorative picture.
    alt: str | None
    path: str = ""
    line: int | None = None
    #: The file to publish, relative to the newsletter's folder; "" if it is elsewhere on the web.
    file: str = ""
    #: Where the file goes, relative to public/.
    target: str = ""
    #: False if the file is missing or outside the newsletter's folders.
    resolved: bool = True
    #: In pixels, as the mail says it; None where it does not.
    width: int | None = None
    height: int | None = None


@dataclass(frozen=True, slots=True)
class Picture:
    """What a picture's file says of itself."""

    #: In pixels, as it is shown (turned as its EXIF says); None where the file does not say.
    width: int | None
    height: int | None
    bytes: int
    #: "png", "jpeg", "gif", "webp", "avif", "svg", ...; "" if unknown.
    format: str


@dataclass(frozen=True, slots=True)
class Heading:
    """One heading of rendered content, as those hear it who jump from one to the next."""

    #: 1 to 6.
    level: int
    text: str
    #: The file and 1-based line that wrote it; "" and None for the theme's own, and for titles it puts in.
    path: str = ""
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Body:
    """A post's body in every form that is made from its Markdown."""

    #: Sanitised fragments with absolute addresses.
    web: str
    mail: str
    #: Plain text, 72 columns, links numbered `[1]` and listed at the end.
    text: str
    links: tuple[Link, ...] = ()
    images: tuple[Image, ...] = ()
    #: True if `mail` and `text` stop before the body's end.
    cut: bool = False
    #: In order; the whole body's, below the title, which is of level 1 on the post's own page.
    headings: tuple[Heading, ...] = ()


@dataclass(frozen=True, slots=True)
class Marks:
    """Strings that stand for a recipient's fields in the rendered bodies.

    Each is plain ASCII letters and digits, unguessable by any text in the
    issue, and is replaced when a message is spliced.
    """

    name: str
    unsubscribe: str
    preferences: str
    confirmed: str


@dataclass(frozen=True, slots=True)
class RenderedIssue:
    """The bodies all readers share, before a recipient is put in."""

    issue: Issue
    #: The mail, CSS inlined, with marks.
    html: str
    #: Its plain-text twin, with marks.
    text: str
    #: The issue's web page, complete; holds no mark and no personal data.
    page: str
    marks: Marks
    #: What the mail points to and shows, the theme's own included.
    links: tuple[Link, ...] = ()
    images: tuple[Image, ...] = ()
    #: The mail's headings in order, the theme's own included.
    headings: tuple[Heading, ...] = ()
    #: The note's headings and each post's, whole, also where the mail shows only a part or a card.
    outlines: tuple[tuple[Heading, ...], ...] = ()


class Severity(StrEnum):
    """How much a finding matters."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing a check has to say."""

    #: The check's id, as settings and ignore comments name it.
    id: str
    severity: Severity
    message: str
    path: str = ""
    line: int | None = None
    #: What to do about it.
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that a machine mended."""

    path: str
    #: Where it was before.
    line: int | None
    #: The check's id.
    id: str
    #: For people: "`catgory` is `category` now".
    what: str


class LinkState(StrEnum):
    """What became of a link when its site was asked."""

    ALIVE = "alive"
    #: It leads on to another address, for good (301, 308), and that one is alive.
    MOVED = "moved"
    #: There is no such page (404, 410) or no such host.
    DEAD = "dead"
    #: It did not answer, or with a fault: a reader may fare no better, or it may be over in an hour.
    FAILING = "failing"
    #: The site's certificate is not one that a browser would take.
    CERTIFICATE = "certificate"
    #: The site lets no programs in: by its robots.txt, or by its answer. Readers may well see it.
    REFUSED_ROBOTS = "refused-robots"
    #: The site asked to be left alone for a while (429, or 503 with Retry-After).
    THROTTLED = "throttled"
    #: Nobody was asked, for the reason given.
    NOT_CHECKED = "not-checked"


@dataclass(frozen=True, slots=True)
class LinkAnswer:
    """What is known of one link."""

    state: LinkState
    #: For people, to be read after the address or a count of links: "answers 404 (Not Found)", "you are offline".
    why: str = ""
    #: The last HTTP status, if there was one.
    code: int | None = None
    #: Where it ended; if it moved, the address to write instead ("": none is known). "" too if the site is not the
    #: reason: nobody asked, since this machine is offline or the limits were reached.
    url: str = ""
    #: Until when it should not be asked again, if the site said so.
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """A post as it appears in a feed (RFC 4287, 4.1.2)."""

    #: A `tag:` URI (RFC 4151); never changes.
    id: str
    url: str
    title: str
    #: Both aware, in the newsletter's zone with the offset of that day.
    published: datetime
    updated: datetime
    authors: tuple[str, ...]
    category: str
    tags: tuple[str, ...]
    #: Plain text.
    excerpt: str
    #: Sanitised HTML fragment, every address absolute.
    html: str
    lang: str = ""
    image: str = ""


@dataclass(frozen=True, slots=True)
class Feed:
    """Entries under one title: the whole newsletter, or one category."""

    id: str
    title: str
    subtitle: str
    #: The page a person would read instead.
    url: str
    #: Where the feeds/ folder is, with a trailing slash.
    folder: str
    #: File name without its ending: "all", or a category's slug.
    name: str
    language: str
    author: str
    updated: datetime
    #: Newest first.
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class SiteFile:
    """One file of the public folder, made only if what it is made from has changed."""

    #: Relative to public/, forward slashes.
    path: str
    #: Digest of everything `make` depends on.
    inputs: str
    make: Callable[[], bytes]


# --- frozen and delivered ----------------------------------------------------


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

    @property
    def hash(self) -> str:
        """SHA-256 of the template, hexadecimal: names what was looked at."""
        return sha256(self.template).hexdigest()


# --- looked at and approved ----------------------------------------------------


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


# --- readers and deliveries ----------------------------------------------------


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


@dataclass(frozen=True, slots=True)
class Recipient:
    """A subscriber's address frozen into one issue."""

    uid: str
    email: str
    name: str
    #: Day they confirmed, in the newsletter's zone.
    confirmed: date


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
