"""Holds a ledger, the log of a relay and the readers against each other; says everything that does not add up."""

from __future__ import annotations

import re
import shutil
import sqlite3
import tempfile
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from support.letter import Letter
from support.relay_process import Judged

OPEN = ("queued", "leased", "armed")
ADDRESS = re.compile(r"\w+@example\.com")


@dataclass(frozen=True, slots=True)
class Copy:
    """One delivery, as the ledger has it."""

    state: str
    #: The relay's words or ours; "" if its run died.
    reply: str


@dataclass(frozen=True, slots=True)
class Ledger:
    """Issue 1 in a ledger, read with nothing of ours between."""

    #: None: not frozen.
    state: str | None
    published: bool
    copies: Mapping[str, Copy]

    def count(self, *states: str) -> int:
        return sum(copy.state in states for copy in self.copies.values())

    @property
    def doubts(self) -> list[str]:
        return [address for address, copy in self.copies.items() if copy.state == "in_doubt"]


def read_ledger(letter: Letter) -> Ledger:
    """Read issue 1 of a ledger at rest without touching it: undoing a dead run's last words is for the next run."""
    with tempfile.TemporaryDirectory() as folder:
        for ending in ("", "-journal", "-wal"):
            path = letter.root / f".newsletter/newsletter.db{ending}"
            if path.exists():
                shutil.copy(path, folder)
        with closing(sqlite3.connect(Path(folder) / "newsletter.db")) as store:
            issue = store.execute("select state, published from issues where number = 1").fetchone()
            rows = store.execute("select email, state, reply from deliveries where issue = 1").fetchall()
    copies = {email: Copy(state, reply) for email, state, reply in rows}
    return Ledger(issue and issue[0], bool(issue and issue[1]), copies)


def always(
    ledger: Ledger, judged: Sequence[Judged], readers: Collection[str], again: Mapping[str, int]
) -> Iterator[str]:
    """Demand what must hold at any moment. `again`: how often somebody was settled to get one more copy.

    The ledger must have been read before the relay's log.
    """
    bodies: defaultdict[str, list[Judged]] = defaultdict(list)
    for body in judged:
        bodies[body.recipient].append(body)
    if ledger.state is not None and set(ledger.copies) != set(readers):
        yield f"readers lost or invented: {sorted(set(ledger.copies) ^ set(readers))}"
    if strangers := set(bodies) - set(readers):
        yield f"mail to {sorted(strangers)}, who do not read"
    for address, theirs in bodies.items():
        may = 1 + again.get(address, 0)
        taken = sum(body.taken for body in theirs)
        if taken > may:
            yield f"twice: {address} has {taken} copies"
        # 4yz is the one answer after which the relay certainly does not have it and another try is allowed.
        if sum(not body.answer.startswith("4") for body in theirs) > may:
            yield f"another body for {address} without a clear no to the last: {[body.answer for body in theirs]}"
        if len({(body.message_id, body.sha256) for body in theirs}) > 1:
            yield f"{address} was sent different bytes"
    for address, copy in ledger.copies.items():
        taken = sum(body.taken for body in bodies[address])
        if copy.state == "accepted" and not taken:
            yield f"{address} is accepted, and the relay does not have it"
        if copy.state in ("refused", "withdrawn", "expired", "cancelled") and taken > again.get(address, 0):
            yield f"{address} is {copy.state}, and the relay has it"
        if copy.state == "refused" and not copy.reply.startswith("5"):
            yield f"{address} is refused by {copy.reply!r}"


def at_rest(ledger: Ledger, judged: Sequence[Judged], again: Mapping[str, int]) -> Iterator[str]:
    """Demand what holds whenever no run is alive: whoever has a copy is not in the queue."""
    taken = Counter(body.recipient for body in judged if body.taken)
    for address, copy in ledger.copies.items():
        if copy.state in ("queued", "leased") and taken[address] > again.get(address, 0):
            yield f"{address} is {copy.state}, and the relay has it"


def at_the_end(letter: Letter, ledger: Ledger, reported: Collection[str]) -> Iterator[str]:
    """Demand what must hold when nothing is left to hand over. `reported`: whom `report` names as in doubt."""
    if ledger.state != "sent":
        yield f"the issue is {ledger.state}"
    stuck = {address: copy for address, copy in ledger.copies.items() if copy.state in OPEN}
    if stuck:
        yield f"stuck: {stuck}"
    if set(reported) != set(ledger.doubts):
        yield f"report names {sorted(reported)} as in doubt, the ledger {sorted(ledger.doubts)}"
    locks = [path.name for path in (letter.root / ".newsletter/runs").glob("*")]
    if locks:
        yield f"left behind: {locks}"
    for path in letter.root.rglob("*"):
        unfinished = path.name.endswith((".part", ".unfinished", ".tmp")) or path.name.startswith(".public")
        if unfinished or (path.name.endswith(("-journal", "-wal")) and path.stat().st_size):
            yield f"left behind: {path.relative_to(letter.root)}"
    for path in (letter.root / ".newsletter/issues/0001").glob("receipt.*"):
        if found := ADDRESS.search(path.read_text("utf-8")):
            yield f"{path.name} names {found[0]}"
    note = letter.root / "issues/0001.md"
    if not note.exists() or "\nsent: " not in note.read_text("utf-8"):
        yield "issues/0001.md has no `sent:`"


def outputs(code: int, said: str, allowed: Collection[int]) -> Iterator[str]:
    """Demand that a run ends as the docs say, and names nobody."""
    if code not in allowed:
        yield f"exit code {code}: {said[-600:]}"
    if "Traceback" in said or "a fault of the program itself" in said:
        yield f"a fault of ours: {said[-1500:]}"
    if found := ADDRESS.search(said):
        yield f"an address in the output: {found[0]}"
