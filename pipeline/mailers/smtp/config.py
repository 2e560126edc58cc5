"""What the SMTP mailer is told: which relay, how it is spoken to, how long it may take."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from typing import Literal

from pipeline.errors import SettingsError
from pipeline.secure import loopback, tls_context


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long a relay may take, in seconds, each for the whole of it (RFC 5321, 4.5.3.2)."""

    connect: float = 30
    greeting: float = 300
    #: TLS, EHLO, STARTTLS, AUTH, MAIL, RCPT.
    command: float = 300
    data: float = 120
    #: 64 KiB of a message's text.
    block: float = 180
    dot: float = 600


@dataclass(frozen=True, slots=True)
class SmtpConfig:
    """One relay. Raises SettingsError for what could never work, or would give the password away."""

    host: str
    port: int
    security: Literal["starttls", "tls", "none"] = "starttls"
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    connections: int = 1
    window: int = 1
    #: PEM file with certificates to trust besides the system's.
    ca_file: str | None = None
    #: How we introduce ourselves; "": by this machine's name.
    hello: str = ""
    timeouts: Timeouts = Timeouts()

    def __post_init__(self) -> None:
        if self.username and not self.password:
            raise SettingsError(
                "mail.smtp.password: there is a username but no password. "
                'Write password = { env = "SMTP_PASSWORD" }, or take mail.smtp.username away.'
            )
        if self.password and not self.username:
            raise SettingsError(
                "mail.smtp.username: there is a password but no username. Write the one it is for."
            )
        if self.password and not (self.password.isascii() and self.username and self.username.isascii()):
            raise SettingsError(
                "mail.smtp.password: username or password has letters outside ASCII, which not every relay "
                "reads alike. Ask the relay's provider for others."
            )
        if self.password and self.security == "none" and not loopback(self.host):
            raise SettingsError(
                f'mail.smtp.security: "none" would send the password to {self.host} in the clear. '
                'Write "starttls" or "tls".'
            )

    @property
    def place(self) -> str:
        """Where the relay is, for messages."""
        return f"{self.host}:{self.port}"

    def tls(self) -> ssl.SSLContext | None:
        """Return what certificates and host names are verified with; None without TLS."""
        if self.security == "none":
            return None
        return tls_context(self.ca_file, "mail.smtp.ca_file")
