"""Where readers come, choose and go, and where what comes back is read."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import (
    Field,
    model_validator,
)

from pipeline.settings.kinds import (
    BareAddress,
    Frequency,
    Line,
    Network,
    Password,
    Section,
    Text,
    Url,
)


class Web(Section):
    """How readers reach `newsletter serve`."""

    #: Its public address; by default the site's own.
    url: Url | None = None
    #: Addresses and networks of proxies whose word on who asks is taken.
    trusted_proxies: list[Network] = []
    #: How often one client may ask for the newsletter with an address, whichever.
    subscribe_limit: Frequency = "10/hour"


class MailboxSettings(Section):
    """Where reports come to, and mails by which readers leave."""

    kind: Literal["imap", "pop3", "maildir", "mbox"] | None = None
    host: Text = "localhost"
    #: By default that of `kind` and `security`.
    port: Annotated[int, Field(ge=1, le=65535)] | None = None
    security: Literal["tls", "starttls", "none"] = "tls"
    username: Line | None = None
    password: Password = None
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
    unsubscribe: BareAddress | None = None
    mailbox: MailboxSettings = MailboxSettings()
