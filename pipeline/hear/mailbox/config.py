"""What a mailbox on a server is told: where it is, how it is spoken to, where messages go when they are done with."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from typing import Literal

from pipeline.errors import SettingsError
from pipeline.secure import loopback, tls_context

#: `after`: messages that are done with are deleted.
DELETE = "delete"


@dataclass(frozen=True, slots=True)
class ServerConfig:
    """One mailbox on one server. Raises SettingsError for what could never work, or would give the password away."""

    host: str
    port: int
    username: str
    password: str = field(repr=False)
    security: Literal["tls", "starttls", "none"] = "tls"
    #: PEM file with certificates to trust besides the system's.
    ca_file: str | None = None
    #: Seconds for which the server may be silent; a newsletter can wait, but not for ever.
    timeout: float = 60.0

    def __post_init__(self) -> None:
        if not (self.username.isascii() and self.password.isascii()):
            raise SettingsError(
                "hear.mailbox.password: username or password has letters outside ASCII, which not every server "
                "reads alike. Ask the mailbox's provider for others."
            )
        if self.security == "none" and not loopback(self.host):
            raise SettingsError(
                f'hear.mailbox.security: "none" would send the password to {self.host} in the clear. '
                'Write "tls" or "starttls".'
            )

    def tls(self) -> ssl.SSLContext:
        """Return what certificates and host names are verified with."""
        return tls_context(self.ca_file, "hear.mailbox.ca_file")
