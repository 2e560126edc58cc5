"""How issues are handed over: the mailer, the relay, the pace, and when a copy is tried again."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import (
    Field,
)

from pipeline.settings.kinds import (
    BareAddress,
    Line,
    Password,
    Section,
    Text,
)


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
    password: Password = None
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
    return_path: BareAddress | None = None
    #: One return path per copy, `local+code@domain`, so that a report names the reader it is about.
    verp: bool = False
    #: Where `newsletter test` goes if it is not told.
    test_to: BareAddress | None = None
    #: Seconds a leased delivery may wait to be armed before another run may take it.
    lease: Annotated[float, Field(gt=0)] = 1200
    smtp: Smtp = Smtp()
    pace: Pace = Pace()
    retry: Retry = Retry()
