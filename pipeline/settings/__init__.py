"""A newsletter's settings: every key, what it may hold, and what it is by default.

docs/settings.md explains them; settings_file.py reads them.
"""

from __future__ import annotations

from email.headerregistry import Address
from typing import Annotated, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import Field, model_validator

from pipeline.settings.kinds import (
    LanguageTag,
    Line,
    Mailbox,
    Secret,
    Section,
    StoreUrl,
    TagAuthority,
    Text,
    Url,
    ZoneName,
    demand_web_address,
    mailbox,
)
from pipeline.settings.mail import Mail
from pipeline.settings.readers import Hear, Web

__all__ = ["Hear", "Mail", "Newsletter", "Secret", "Settings", "mailbox"]


class Newsletter(Section):
    """Who writes, from where, in which language and zone."""

    name: Text = "Newsletter"
    sender: Annotated[Mailbox, Field(alias="from")] = "newsletter@localhost"
    reply_to: Mailbox | None = None
    url: Url = "http://localhost:8000"
    language: LanguageTag = "en"
    timezone: ZoneName = "UTC"
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
                demand_web_address(
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


class StoreSettings(Section):
    """Where the ledger and the audience are kept."""

    url: StoreUrl = "sqlite:///.newsletter/newsletter.db"


class Feeds(Section):
    """What the feeds hold, and under which name their ids are minted."""

    entries: Annotated[int, Field(ge=1, le=500)] = 20
    #: Authority and date of every `tag:` id (RFC 4151, 2.1), like "letter.example.org,2026".
    authority: TagAuthority | None = None


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
