"""What a run is told about time: how fast it may go, how long it rests, when it gives up."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from pipeline.deliver.backoff import LONGEST, SHORTEST
from pipeline.settings import Mail


@dataclass(frozen=True, slots=True)
class Plan:
    """Times in seconds, unless they are timedeltas."""

    #: Messages handed over in a second, and in any hour; None: as fast as the relay takes them.
    per_second: float | None = None
    per_hour: float | None = None
    #: The first rest of a deferred delivery, and the longest.
    first: float = SHORTEST
    longest: float = LONGEST
    #: After so long of being deferred a delivery expires.
    give_up: timedelta = timedelta(days=1)
    #: How long a run stays for what rests when nothing else is left.
    wait: float = 0.0
    #: How often in a row a connection is tried again before it is given up.
    reconnects: int = 3
    #: A leased delivery that was not armed for so long may be another run's.
    lease: float = 1200.0
    #: Told to stop, a run waits this long for answers that are due. People are told "at most 30 s" (cli/stopping.py);
    #: cutting connections, the receipt and the way out take the rest.
    drain: float = 27.0

    @classmethod
    def from_settings(cls, mail: Mail) -> Plan:
        """Read `[mail]` of newsletter.toml."""
        return cls(
            per_second=mail.pace.per_second,
            per_hour=mail.pace.per_hour,
            first=mail.retry.first,
            longest=mail.retry.longest,
            give_up=timedelta(seconds=mail.retry.give_up),
            wait=mail.retry.wait,
            reconnects=mail.retry.reconnects,
            lease=mail.lease,
        )
