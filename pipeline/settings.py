"""A newsletter's settings: every key, what it may hold, and what it is by default.

docs/settings.md explains them; settings_file.py reads them.
"""

from __future__ import annotations

import re
from email.headerregistry import Address, HeaderRegistry
from ipaddress import ip_network
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    model_validator,
)


def _web_address(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("write an address like https://letter.example.org")
    return value.rstrip("/")


def mailbox(value: str) -> Address:
    """Read a mailbox setting that has been accepted."""
    address: Address = _parsed(value).addresses[0]
    return address


def _parsed(value: str) -> Any:
    return HeaderRegistry()("From", value)


def _mailbox(value: str) -> str:
    """One address with an optional name, and nothing that could become a second header or address."""
    if re.search(r"[\x00-\x1f\x7f]", value):
        raise ValueError("must not hold line breaks or control characters")
    header = _parsed(value)
    if (
        header.defects
        or len(header.addresses) != 1
        or not header.addresses[0].domain
        or not value.isprintable()
    ):
        raise ValueError('write one "Name <name@example.org>"; a name with commas goes in double quotes')
    if not header.addresses[0].addr_spec.isascii():
        raise ValueError("the address itself must be in plain letters (punycode for the domain)")
    return value


def _address(value: str) -> str:
    address = mailbox(_mailbox(value))
    if address.display_name or address.addr_spec != value:
        raise ValueError("write an address alone, like bounces@example.org")
    return value


def _one_line(value: str) -> str:
    if re.search(r"[\x00-\x1f\x7f]", value):
        raise ValueError("must be one line, without control characters")
    return value


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError) as fault:
        raise ValueError("write an IANA name like Europe/Berlin or America/New_York") from fault
    return value


def _language(value: str) -> str:
    # The shape of RFC 5646, 2.1, as far as a newsletter needs it.
    if not re.fullmatch(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*", value):
        raise ValueError("write a language tag like en, de-CH or pt-BR")
    return value


def _network(value: str) -> str:
    try:
        ip_network(value)
    except ValueError as fault:
        raise ValueError("write an address or a network, like 127.0.0.1, ::1 or 10.0.0.0/8") from fault
    return value


def _frequency(value: str) -> str:
    if not re.fullmatch(r"[1-9][0-9]{0,5}/(minute|hour|day)", value):
        raise ValueError("write how often, like 10/hour, 3/minute or 50/day")
    return value


def _not_bare(value: object) -> object:
    if isinstance(value, str):
        raise ValueError(
            'a secret does not belong in this file: write { env = "NAME" }, { file = "PATH" } or { keyring = "NAME" }'
        )
    return value


Line = Annotated[str, AfterValidator(_one_line)]
Text = Annotated[Line, Field(min_length=1)]
Url = Annotated[str, AfterValidator(_web_address)]
Mailbox = Annotated[str, AfterValidator(_mailbox)]


class Section(BaseModel):
    """A table of newsletter.toml; unknown keys are faults."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Newsletter(Section):
    """Who writes, from where, in which language and zone."""

    name: Text = "Newsletter"
    sender: Annotated[Mailbox, Field(alias="from")] = "newsletter@localhost"
    reply_to: Mailbox | None = None
    url: Url = "http://localhost:8000"
    language: Annotated[str, AfterValidator(_language)] = "en"
    timezone: Annotated[str, AfterValidator(_zone)] = "UTC"
    postal_address: Line = ""
    footer_note: Line = ""
    tagline: Line = ""

    @property
    def zone(self) -> ZoneInfo:
        """The zone that dates without one are in, and that people are shown."""
        return ZoneInfo(self.timezone)

    @property
    def host(self) -> str:
        """Host of the site, which is also the host of the List-Id."""
        return urlsplit(self.url).hostname or ""

    @property
    def mailbox(self) -> Address:
        """The From header's name and address."""
        return mailbox(self.sender)


class Posts(Section):
    """Where the posts are, and where they can be read."""

    folder: Text = "posts"
    exclude: list[str] = []
    url: str | None = None
    static: Text = "static"

    @model_validator(mode="after")
    def _url_pattern(self) -> Posts:
        if self.url is not None:
            try:
                _web_address(
                    self.url.format(year="2026", month="01", day="31", slug="s", id="i", category="c")
                )
            except (KeyError, IndexError, ValueError) as fault:
                raise ValueError(
                    "url takes {year}, {month}, {day}, {slug}, {id} and {category} in an absolute address"
                ) from fault
        return self


class IssueSettings(Section):
    """How an issue is composed."""

    subject: Text = "{{ lead.title }}"
    preheader: Line = "{{ lead.excerpt }}"
    show: Literal["lead", "full", "cards"] = "lead"
    max_posts: Annotated[int, Field(ge=1, le=1000)] = 20


class Secret(Section):
    """Where a secret is kept; never the secret itself."""

    env: str | None = None
    file: str | None = None
    keyring: str | None = None

    @model_validator(mode="after")
    def _one_place(self) -> Secret:
        if sum(place is not None for place in (self.env, self.file, self.keyring)) != 1:
            raise ValueError("name exactly one place: env, file or keyring")
        return self


class Timeouts(Section):
    """How long a relay may take, in seconds (RFC 5321, 4.5.3.2)."""

    connect: Annotated[float, Field(gt=0)] = 30
    greeting: Annotated[float, Field(gt=0)] = 300
    #: EHLO, STARTTLS, AUTH, MAIL, RCPT.
    command: Annotated[float, Field(gt=0)] = 300
    data: Annotated[float, Field(gt=0)] = 120
    #: One block of a message's text.
    block: Annotated[float, Field(gt=0)] = 180
    #: From the final dot to the last octet of its answer.
    dot: Annotated[float, Field(gt=0)] = 600


class Smtp(Section):
    """The relay that `mailer = "smtp"` hands messages to."""

    host: Text = "localhost"
    port: Annotated[int, Field(ge=1, le=65535)] = 587
    security: Literal["starttls", "tls", "none"] = "starttls"
    username: str | None = None
    password: Annotated[Secret | None, BeforeValidator(_not_bare)] = None
    connections: Annotated[int, Field(ge=1, le=100)] = 4
    #: Messages handed over on one connection before the first answer must be there (RFC 3030 BDAT).
    window: Annotated[int, Field(ge=1, le=100)] = 1
    #: Certificates to trust besides the system's, PEM, relative to the newsletter's folder.
    ca_file: str | None = None
    #: How we introduce ourselves (RFC 5321, 4.1.1.1); by default this machine's name.
    hello: Line = ""
    timeouts: Timeouts = Timeouts()


class Retry(Section):
    """When a deferred copy is tried again, and when no longer; in seconds."""

    #: Postfix's minimal_backoff_time and maximal_backoff_time; each rest is twice the one before.
    first: Annotated[float, Field(ge=0)] = 300
    longest: Annotated[float, Field(gt=0)] = 4000
    give_up: Annotated[float, Field(ge=0)] = 86400
    #: How long a run stays when nothing is left but copies that rest; 0: it ends and leaves them to `resume`.
    wait: Annotated[float, Field(ge=0)] = 0
    #: How often in a row a run tries to open a connection again, after 1, 2, 4, ... seconds.
    reconnects: Annotated[int, Field(ge=0, le=20)] = 3


class Pace(Section):
    """How fast messages may be handed over."""

    per_second: Annotated[float, Field(gt=0)] | None = None
    per_hour: Annotated[float, Field(gt=0)] | None = None


class Mail(Section):
    """Which mailer hands messages over, and how."""

    mailer: Text = "outbox"
    #: Where relays report what could not be delivered (RFC 5321, 2.3.1); by default the address in `from`.
    return_path: Annotated[str, AfterValidator(_address)] | None = None
    #: One return path per copy, `local+code@domain`, so that a report names the reader it is about.
    verp: bool = False
    #: Where `newsletter test` goes if it is not told.
    test_to: Annotated[str, AfterValidator(_address)] | None = None
    #: Seconds a leased delivery may wait to be armed before another run may take it.
    lease: Annotated[float, Field(gt=0)] = 1200
    smtp: Smtp = Smtp()
    pace: Pace = Pace()
    retry: Retry = Retry()


class StoreSettings(Section):
    """Where the ledger and the audience are kept."""

    url: Annotated[str, Field(pattern=r"^(sqlite|postgresql)(\+\w+)?://")] = (
        "sqlite:///.newsletter/newsletter.db"
    )


class Web(Section):
    """How readers reach `newsletter serve`."""

    #: Its public address; by default the site's own.
    url: Url | None = None
    #: Addresses and networks of proxies whose word on who asks is taken.
    trusted_proxies: list[Annotated[str, AfterValidator(_network)]] = []
    #: How often one client may ask for the newsletter with an address, whichever.
    subscribe_limit: Annotated[str, AfterValidator(_frequency)] = "10/hour"


class MailboxSettings(Section):
    """Where reports come to, and mails by which readers leave."""

    kind: Literal["imap", "pop3", "maildir", "mbox"] | None = None
    host: Text = "localhost"
    #: By default that of `kind` and `security`.
    port: Annotated[int, Field(ge=1, le=65535)] | None = None
    security: Literal["tls", "starttls", "none"] = "tls"
    username: Line | None = None
    password: Annotated[Secret | None, BeforeValidator(_not_bare)] = None
    #: Certificates to trust besides the system's, PEM, relative to the newsletter's folder.
    ca_file: str | None = None
    #: Of an IMAP server.
    folder: Text = "INBOX"
    #: Of a Maildir or an mbox, relative to the newsletter's folder.
    path: Text | None = None
    #: "delete", or the folder that messages go into when they are done with.
    after: Text = "delete"

    @model_validator(mode="after")
    def _complete(self) -> MailboxSettings:
        on_a_server = self.kind in ("imap", "pop3")
        if on_a_server and not (self.username and self.password):
            raise ValueError(f"{self.kind} needs username and password")
        if self.kind in ("maildir", "mbox") and not self.path:
            raise ValueError(f"{self.kind} needs path")
        if self.kind == "pop3" and self.after != "delete":
            raise ValueError('POP3 knows no folders: write after = "delete", or use kind = "imap"')
        if self.kind in ("maildir", "mbox") and ("/" in self.after or not self.after.strip(".")):
            raise ValueError("after is a name beside the other folders, without a slash")
        return self

    @property
    def its_port(self) -> int:
        """The port that is meant if none is named (RFC 8314, 7)."""
        usual = {"imap": (143, 993), "pop3": (110, 995)}.get(self.kind or "", (0, 0))
        return self.port or usual[self.security == "tls"]


class Hear(Section):
    """What comes back, and where."""

    #: Where readers leave by mail (RFC 2369, 3.2); stands in List-Unsubscribe of every copy, frozen with the issue.
    unsubscribe: Annotated[str, AfterValidator(_address)] | None = None
    mailbox: MailboxSettings = MailboxSettings()


class Feeds(Section):
    """What the feeds hold, and under which name their ids are minted."""

    entries: Annotated[int, Field(ge=1, le=500)] = 20
    #: Authority and date of every `tag:` id (RFC 4151, 2.1), like "letter.example.org,2026".
    authority: Annotated[str, Field(pattern=r"^[A-Za-z0-9.@_-]+,\d{4}(-\d{2}(-\d{2})?)?$")] | None = None


class Guards(Section):
    """What `send` refuses to do; the numbers are for `send --yes`, when nobody is asked."""

    #: Refuse if readers grew by more than this factor (and by over a thousand) since the last issue; 0: off.
    audience_growth: Annotated[float, Field(ge=0)] = 5.0
    #: Refuse if the last issue is younger than this; 0: off.
    hours_between: Annotated[float, Field(ge=0)] = 0
    #: Whether an issue goes out only once it is approved, or approved by somebody other than who tested it.
    approval: Literal["optional", "required", "second-person"] = "optional"


class Settings(Section):
    """The whole of newsletter.toml."""

    newsletter: Newsletter = Newsletter()
    posts: Posts = Posts()
    issue: IssueSettings = IssueSettings()
    mail: Mail = Mail()
    store: StoreSettings = StoreSettings()
    web: Web = Web()
    hear: Hear = Hear()
    feeds: Feeds = Feeds()
    guards: Guards = Guards()
    checks: dict[str, Literal["error", "warning", "note", "off"]] = {}

    @property
    def web_url(self) -> str:
        """Where readers subscribe, confirm and leave, without a trailing slash."""
        return self.web.url or self.newsletter.url

    @property
    def tag_authority(self) -> str:
        """What every feed id begins with, after `tag:`."""
        return self.feeds.authority or f"{self.newsletter.host},2026"
