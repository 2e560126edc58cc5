"""What checks have to say, and what is known of links."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


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
