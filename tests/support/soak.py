"""Newsletters that are killed and stopped while they go out, brought to their end, and audited."""

from __future__ import annotations

import json
import random
import shutil
import signal
import time
from collections import Counter
from pathlib import Path

from support.audit import Ledger, always, at_rest, at_the_end, outputs, read_ledger
from support.letter import HERE, Letter
from support.relay_process import LOOK, RelayProcess
from support.starter import Command, Forks, Started
from support.treatment import Manner, Toll

#: A run that has not come to its end by so many tries never will.
TRIES = 15
#: Seconds after which a leased delivery may be another run's, and how long a run is stopped at least.
LEASE, STOPPED = 2.0, 2.3
#: No run may take so long, whatever the relay does.
LONGEST = 90.0
#: Quick retries, so that a night of a relay's moods fits into a second.
QUICK = {
    "NEWSLETTER_MAIL__RETRY__FIRST": "0.05",
    "NEWSLETTER_MAIL__RETRY__LONGEST": "0.2",
    "NEWSLETTER_MAIL__LEASE": str(LEASE),
}
#: 0: all is final; 5: something is left; 7: the relay was of no use.
CODES = (0, 5, 7)


def address(number: int) -> str:
    return f"reader{number}@example.com"


def make_letter(folder: Path, readers: int) -> Letter:
    """A newsletter with one post and its readers, nothing sent."""
    folder.mkdir(parents=True)
    shutil.copy(HERE / "newsletter.toml", folder / "newsletter.toml")
    letter = Letter(folder)
    letter.post("weather", "Weather", "2026-01-01")
    rows = "".join(f"{address(n)},Reader {n}\n" for n in range(readers))
    letter.write("readers.csv", f"email,name\n{rows}")
    assert letter.run("subscribers", "import", str(folder / "readers.csv")).code == 0
    return letter


class Newsletter:
    """One issue on its way to its readers, under a relay with moods and signals that cannot be caught."""

    def __init__(self, ready: Letter, folder: Path, manner: Manner, forks: tuple[Forks, Forks]) -> None:
        shutil.copytree(ready.root, folder)
        self.letter, self.manner, self._forks = Letter(folder), manner, forks
        self._said = folder.with_name(f"{folder.name}-said")
        self._ca = self._said / "ca.pem"
        self._chance = random.Random(manner.seed)
        self.toll = Toll()
        self._readers = {address(n) for n in range(manner.readers)}
        self._again: Counter[str] = Counter()
        self._starts = 0
        #: Most doubts that kills and a relay's silence explain.
        self._may_die = 0
        self._died = 0
        #: What was said of doubts that are not a dead run's.
        self._unclear: list[str] = []

    # --- its life ------------------------------------------------------------

    def live(self, wanted: int = 1_000_000) -> Toll:
        """Kill and stop it until it is done, or so many kills, bring it to its end and audit it."""
        options = ["--faults", str(self.manner.faults), "--seed", str(self._chance.randrange(1 << 30))]
        options += ["--stalls", "1.2" if self.manner.impatient else "0.3"]
        options += ["--refuse-us"] * self.manner.refusing
        if self.manner.guarded:
            options += ["--tls", "starttls", "--ca", str(self._ca), "--user", "letter:open sesame"]
        with RelayProcess(self._said / "relay", *options) as self.relay:
            self._env = self._settings()
            try:
                self._suffer(wanted)
                self._finish()
                self._tell_relay()
            except AssertionError as fault:
                self._fault(f"broken off: {fault}")
        self.toll.count["violations of SMTP"] += len(self.relay.violations())
        for violation in self.relay.violations():
            self._fault(f"violation: {violation}")
        self.toll.count["newsletters"] += 1
        return self.toll

    def _settings(self) -> dict[str, str]:
        patience = 0.4 if self.manner.impatient else 10
        steps = ("connect", "greeting", "command", "data", "block", "dot")
        times = {f"timeouts__{step}": patience for step in steps}
        manner = {"connections": self.manner.connections, "window": self.manner.window}
        found = QUICK | self.relay.environment(**times, **manner)
        if self.manner.guarded:
            settings = {"security": "starttls", "ca_file": self._ca, "username": "letter"}
            found |= self.relay.environment(**settings, password__env="RELAY_PASSWORD")
            found["RELAY_PASSWORD"] = "open sesame"
        return found

    def _suffer(self, wanted: int) -> None:
        stops = self.manner.stops
        while self.toll.count["kills"] < wanted and self.toll.count["lives"] < 60:
            if stops and self.ledger().published:
                stops -= 1
                ended = self._stop_one()
            else:
                ended = self._kill_one()
            self._look(ended)
            if ended:
                return
            if self.manner.settles != "left" and self._chance.random() < 0.15:
                self._settle()

    def _start(self, *words: str, fork: int | None = 0, **more: int) -> Started:
        """Start the command; as a fork off the first or the second, or whole."""
        self._starts += 1
        starter = Command() if fork is None else self._forks[fork]
        return starter.start(
            self.letter.root, *words, env=self._env, said=self._said / str(self._starts), **more
        )

    def _word(self) -> tuple[str, ...]:
        return ("send", "--yes") if self.ledger().state is None else ("resume", "1")

    def _kill_one(self) -> bool:
        """Start one run, or two, and kill one at a random moment; returns whether the issue is done."""
        whole = self._chance.random() < self.manner.whole
        words = self._word()
        two = self.manner.joined and words[0] == "resume"
        first = self._start(*words, *["--join"] * two, fork=None if whole else 0)
        runs = [first]
        if two:
            runs.append(self._start(*words, "--join", fork=1))
        victim = self._chance.choice(runs)
        self._wait_for_a_moment(victim, whole)
        victim.signal(signal.SIGKILL)
        killed = victim.finish() == -signal.SIGKILL
        self._codes(runs, victim if killed else None)
        if killed:
            kind = "the command" if whole and victim is first else "a fork"
            self._count_kill(kind, None if len(runs) > 1 else self.ledger())
        return self._done()

    def _count_kill(self, kind: str, left: Ledger | None) -> None:
        self.toll.count["kills"] += 1
        self.toll.count[f"killed: {kind}"] += 1
        self.toll.count[f"phase: {phase(left)}"] += 1
        self._may_die += self.manner.connections * self.manner.window

    def _stop_one(self) -> bool:
        """Stop a run for longer than its lease while another joins; then let it go on, or kill it."""
        # It may be stopped before it has begun, and then find the other at work.
        first = self._start("resume", "1", "--join", fork=0)
        self._wait_for_a_moment(first, whole=False)
        first.signal(signal.SIGSTOP)
        stopped = time.monotonic()
        second = self._start("resume", "1", "--join", fork=1)
        asleep = not first.ends(0)
        second.ends(STOPPED)
        time.sleep(max(stopped + STOPPED - time.monotonic(), 0) if asleep else 0)
        last_words = self._chance.random() < 0.8
        if asleep:
            self.toll.count["stops"] += 1
            self.toll.count[f"stopped: {'woken' if last_words else 'killed in its sleep'}"] += 1
        if not last_words:
            first.signal(signal.SIGKILL)
        first.signal(signal.SIGCONT)
        self._codes([first, second], None)
        if first.code == -signal.SIGKILL:
            self._may_die += self.manner.connections * self.manner.window
        return self._done()

    def _codes(self, runs: list[Started], victim: Started | None) -> None:
        for run in runs:
            if not run.ends(LONGEST):
                self._fault(f"a run takes over {LONGEST:.0f} s")
                run.signal(signal.SIGKILL)
            code = run.finish()
            self.toll.count["lives"] += 1
            if run is not victim:
                self.toll.count[f"exit {code}"] += 1
                allowed = (*CODES, -signal.SIGKILL) if self.manner.stops else CODES
                self._faults_in(outputs(code, run.out + run.err, allowed))
            else:
                self._faults_in(outputs(0, run.out + run.err, (0,)))

    def _wait_for_a_moment(self, run: Started, whole: bool) -> None:
        """Wait for some bodies, or some time; a run may end before."""
        before, kind = self.relay.bodies(), self._chance.random()
        if kind < 0.15:
            run.ends(self._chance.uniform(0.0, 1.4 if whole else 0.35))
            return
        bodies = 1 if kind < 0.35 else self._chance.randint(1, 8)
        until = time.monotonic() + 8
        while time.monotonic() < until and not run.ends(LOOK) and self.relay.bodies() < before + bodies:
            pass
        run.ends(self._chance.uniform(0, 0.2 if kind < 0.35 else 0.02))

    # --- its end -------------------------------------------------------------

    def _finish(self) -> None:
        self._bring_home()
        if self.manner.settles != "left" and self.ledger().doubts:
            while self.ledger().doubts and self._starts < 500:
                self._settle()
                self._bring_home()
        self.relay.wait_quiet()
        ledger = self.ledger()
        self._count_doubts(ledger)
        if self._died > self._may_die:
            self._fault(f"{self._died} doubts of dead runs, where at most {self._may_die} were under way")
        self._demand_a_cause()
        reported = self._run("report", "1", "--json")
        self._faults_in(at_the_end(self.letter, ledger, json.loads(reported.out)["doubts"]))
        self._look(quiet=True)
        self._demand_an_end(ledger)

    def _demand_a_cause(self) -> None:
        """Demand that every doubt which no kill explains comes from a fault of the relay's behind the text."""
        if self.manner.impatient:
            return
        moods = self.relay.moods()
        if self.manner.window == 1:
            explained = sum(phase in ("body", "dot") for phase, _ in moods)
        else:
            # Whatever was written behind what got no answer has none either.
            explained = self.manner.window * len(moods)
        if len(self._unclear) > explained:
            self._fault(f"doubts of which the relay's moods explain {explained}: {self._unclear}")

    def _bring_home(self) -> None:
        for _ in range(TRIES):
            run = self._start(*self._word())
            self._codes([run], None)
            if self._done():
                return
        self._fault(f"never done: {run.code} {run.err[-400:]}")

    def _demand_an_end(self, ledger: Ledger) -> None:
        """Settled by the log, nobody may be in doubt, and all but the refused have exactly one."""
        taken = Counter(body.recipient for body in self.relay.judged() if body.taken)
        self.toll.count["copies taken"] += taken.total()
        self.toll.count["twice, where a person said again"] += sum(many > 1 for many in taken.values())
        self.toll.count["twice"] += sum(many > 1 + self._again[who] for who, many in taken.items())
        for who in self._readers:
            state = ledger.copies[who].state if who in ledger.copies else "nowhere"
            self.toll.count[f"end: {state.replace('_', ' ')}"] += 1
            self.toll.count["stuck"] += state in ("queued", "leased", "armed")
            lost = state == "nowhere" or (state == "accepted" and not taken[who])
            if lost or (self.manner.settles == "log" and state != "refused" and taken[who] != 1):
                self.toll.count["lost"] += not taken[who]
                self._fault(f"{who} is {state} and has {taken[who]} copies")

    def _settle(self) -> None:
        """Do what an operator does with doubts."""
        self.relay.wait_quiet()
        ledger = self.ledger()
        # What is armed becomes a doubt with the next claim; until then `settle` does not know of it.
        doubts = ledger.doubts
        if not doubts:
            return
        self._count_doubts(ledger)
        has = {body.recipient for body in self.relay.judged() if body.taken}
        by_log = self.manner.settles == "log"
        accepted = [who for who in doubts if by_log and who in has]
        again = [who for who in doubts if who not in accepted]
        for word, who in (("--accepted", accepted), ("--again", again)):
            if who:
                run = self._run("settle", "1", word, *who)
                self._faults_in(outputs(run.finish(), run.err, (0,)))
                self.toll.count[f"settled {word}"] += len(who)
        # One that the relay does not have may be tried again; in the other kind of life, any.
        self._again.update(again)

    def _count_doubts(self, ledger: Ledger) -> None:
        """Count those that are about to be settled, or are left at the end."""
        replies = [ledger.copies[who].reply for who in ledger.doubts]
        unclear = [f"{who}: {ledger.copies[who].reply}" for who in ledger.doubts if ledger.copies[who].reply]
        died = len(replies) - len(unclear)
        self._died += died
        self._unclear += unclear
        self.toll.count["doubts of runs that died"] += died
        self.toll.count["doubts of unclear answers"] += len(unclear)

    # --- looking -------------------------------------------------------------

    def ledger(self) -> Ledger:
        return read_ledger(self.letter)

    def _done(self) -> bool:
        ledger = self.ledger()
        return ledger.state == "sent" and not ledger.count("queued", "leased", "armed")

    def _look(self, quiet: bool) -> None:
        ledger, judged = self.ledger(), self.relay.judged()
        self._faults_in(always(ledger, judged, self._readers, self._again))
        self._faults_in(at_rest(ledger, judged, self._again))

    def _run(self, *words: str) -> Started:
        run = self._start(*words)
        run.finish()
        return run

    def _tell_relay(self) -> None:
        for body in self.relay.judged():
            self.toll.count[
                f"answer {body.answer}{', taken' if body.answer == 'lost' and body.taken else ''}"
            ] += 1
        for at, name in self.relay.moods():
            self.toll.count[f"fault: {name}"] += 1
            self.toll.count[f"fault at {at}"] += 1

    def _faults_in(self, found: object) -> None:
        for fault in found:  # type: ignore[attr-defined]
            self._fault(fault)

    def _fault(self, what: str) -> None:
        self.toll.faults.append(f"newsletter {self.manner.number} ({self.manner.seed}): {what}")


def phase(ledger: Ledger | None) -> str:
    """Say where a run was, by the ledger that it left."""
    if ledger is None:
        return "beside another run"
    if ledger.state is None:
        return "before the freeze"
    if not ledger.published:
        return "frozen"
    if ledger.count("armed"):
        return "copies armed"
    if not ledger.count("queued", "leased"):
        return "all handed over"
    if ledger.count("leased"):
        return "between copies"
    return "starting or ending"
