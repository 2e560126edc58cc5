"""How a newsletter is treated while it goes out, and what is counted of it."""

from __future__ import annotations

import random
import threading
from collections import Counter
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Manner:
    """How one newsletter is treated."""

    number: int
    seed: str
    readers: int
    connections: int = 4
    window: int = 1
    faults: float = 0.15
    #: The relay's stalls outlast the run's patience, not the other way round.
    impatient: bool = False
    #: The relay may say 5yz at set-up or MAIL, which pauses the issue; whoever watches says `resume`.
    refusing: bool = False
    #: STARTTLS and a password.
    guarded: bool = False
    #: Two runs at once, of which one is killed.
    joined: bool = False
    #: How often a run is stopped beyond its lease while another joins.
    stops: int = 0
    #: What becomes of doubts: "log" settles them as the relay's log says, "again" all of them so, "left" not at all.
    settles: str = "left"
    #: Share of the kills that hit the command as people start it.
    whole: float = 0.3


@dataclass
class Toll:
    """What happened, added up over newsletters; more than one thread adds to it."""

    count: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, other: Toll) -> None:
        with self.lock:
            self.count.update(other.count)
            self.faults += other.faults


def manner(number: int, seed: int, readers: int, connections: int, faults: float, stopping: bool) -> Manner:
    """Choose how a newsletter is treated; the same for the same number and seed."""
    chance = random.Random(f"{seed}-{number}")
    joined = not stopping and number % 5 == 4
    return Manner(
        number,
        f"{seed}-{number}",
        readers,
        connections=chance.choice([1, connections, connections]),
        window=chance.choice([1, 1, 8]),
        faults=faults,
        impatient=number % 4 == 1,
        refusing=number % 6 == 2,
        guarded=number % 7 == 3,
        joined=joined,
        stops=3 if stopping else 0,
        settles=chance.choice(["log", "log", "left", "again"]),
    )
