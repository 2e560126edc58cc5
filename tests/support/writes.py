"""Kills a run at one write after the other: to the disk, to a socket, before the call or behind it."""

from __future__ import annotations

import json
import shutil
import signal
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from support.audit import always, at_rest, at_the_end, outputs, read_ledger
from support.letter import Letter
from support.relay_process import RelayProcess
from support.soak import CODES, QUICK, address, make_letter
from support.starter import Forks, Started

#: These newsletters are copies of one that was about to go out; the program would refuse them.
RESUME = ("resume", "1", "--only-copy")


@dataclass(frozen=True, slots=True)
class Where:
    """Where a run is killed; the first that is given."""

    #: Before this write, or `after` it.
    at: int = 0
    after: bool = False
    #: The nth time that it reaches this point (pipeline/deliver/points.py).
    point: str = ""
    nth: int = 1
    connections: int = 1
    window: int = 1


@dataclass
class End:
    """What became of one killed run and of the newsletter after it."""

    #: False if the run was over before.
    killed: bool
    #: The call it was killed at; in a run that was not killed, how many there were.
    call: str
    doubts: int
    faults: list[str]


class Writes:
    """Newsletters that are frozen and published, each killed at one write while it goes out, and finished."""

    def __init__(self, folder: Path, readers: int, relay: RelayProcess, forks: Forks) -> None:
        self._folder, self._relay, self._forks = folder, relay, forks
        self._readers = {address(n) for n in range(readers)}
        self._numbers = count(1)
        self._ready = make_letter(folder / "ready", readers)
        nowhere = QUICK | {
            "NEWSLETTER_MAIL__MAILER": "smtp",
            "NEWSLETTER_MAIL__SMTP__PORT": "1",
            "NEWSLETTER_MAIL__SMTP__HOST": "127.0.0.1",
            "NEWSLETTER_MAIL__RETRY__RECONNECTS": "0",
        }
        frozen = self._start(self._ready, nowhere, "send", "--yes")
        assert frozen.finish() == 7, frozen.err

    def _start(self, letter: Letter, env: dict[str, str], *words: str, where: Where | None = None) -> Started:
        where = where or Where()
        said = self._folder / f"{letter.root.name}-said"
        return self._forks.start(
            letter.root,
            *words,
            env=env,
            said=said,
            at=where.at,
            after=where.after,
            point=where.point,
            nth=where.nth,
        )

    def kill(self, where: Where) -> End:
        """Kill one newsletter's run there, finish it, and audit what is left."""
        home = self._folder / f"life-{next(self._numbers)}"
        shutil.copytree(self._ready.root, home)
        self._relay.forget()
        try:
            return self._one(Letter(home), where)
        finally:
            shutil.rmtree(home)

    def _one(self, letter: Letter, where: Where) -> End:
        env = QUICK | self._relay.environment(connections=where.connections, window=where.window)
        run = self._start(letter, env, *RESUME, where=where)
        code = run.finish()
        killed, call = code == -signal.SIGKILL, (run.said / "writes").read_text()
        faults = list(outputs(code, run.out + run.err, (0, -signal.SIGKILL)))
        faults += self._audit(letter)
        faults += self._carry_on(letter, env)
        faults += self._audit(letter)
        doubts = read_ledger(letter).doubts
        if len(doubts) > killed * where.connections * where.window:
            faults.append(f"{len(doubts)} doubts")
        report = self._start(letter, env, "report", "1", "--json")
        report.finish()
        faults += at_the_end(letter, read_ledger(letter), json.loads(report.out)["doubts"])
        faults += self._settle(letter, env, doubts)
        return End(killed, call, len(doubts), [f"{where}, {call}: {fault}" for fault in faults])

    def _carry_on(self, letter: Letter, env: dict[str, str]) -> Iterator[str]:
        run = self._start(letter, env, *RESUME)
        yield from outputs(run.finish(), run.out + run.err, CODES)

    def _audit(self, letter: Letter) -> Iterator[str]:
        self._relay.wait_quiet()
        ledger = read_ledger(letter)
        judged = self._relay.judged()
        yield from always(ledger, judged, self._readers, {})
        yield from at_rest(ledger, judged, {})

    def _settle(self, letter: Letter, env: dict[str, str], doubts: Collection[str]) -> Iterator[str]:
        """Settle by the relay's log: then everybody has one copy, and one only."""
        has = {body.recipient for body in self._relay.judged() if body.taken}
        for word, who in (
            ("--accepted", [each for each in doubts if each in has]),
            ("--again", [each for each in doubts if each not in has]),
        ):
            if who:
                run = self._start(letter, env, "settle", "1", word, *who)
                yield from outputs(run.finish(), run.err, (0,))
        yield from self._carry_on(letter, env)
        ledger = read_ledger(letter)
        got = Counter(body.recipient for body in self._relay.judged() if body.taken)
        if got != Counter(self._readers) or ledger.count("accepted") != len(self._readers):
            yield f"settled by the log, {ledger.count('accepted')} are accepted, and the relay has {dict(got)}"
