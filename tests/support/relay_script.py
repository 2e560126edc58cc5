"""What a scripted relay does instead of its usual answer, and when."""

from __future__ import annotations

import os
import random
import threading
from collections import Counter
from collections.abc import Callable, Container
from dataclasses import dataclass
from typing import Literal

#: Where a relay can misbehave. `tls` is the handshake, `body` the text before its end, `dot` the answer to the
#: whole message (of DATA's final dot, or of the last BDAT).
PHASES = ("greeting", "ehlo", "starttls", "tls", "auth", "mail", "rcpt", "data", "body", "dot")

Then = Literal["go on", "close", "reset", "stall"]


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What is said, given what is usually said here, and what comes then."""

    name: str
    say: Callable[[bytes], bytes]
    then: Then = "go on"
    #: Seconds between one octet and the next; 0: all at once.
    gap: float = 0.0
    #: Longest stall; None: until the client gives up.
    seconds: float | None = None
    #: False: nobody could tell from it whether the message was taken.
    clear: bool = False
    #: After the dot, where the answer is not clear: whether it was; None: the script's dice say.
    taken: bool | None = None


def _nothing(_: bytes) -> bytes:
    return b""


def reply(text: str, then: Then = "go on") -> Behaviour:
    """Answer with this line (or lines, joined by CRLF)."""
    return Behaviour(text[:3], lambda _: text.encode() + b"\r\n", then, clear=True)


def later(text: str = "451 4.3.0 Not just now") -> Behaviour:
    return reply(text)


def never(text: str = "554 5.7.1 Not here") -> Behaviour:
    return reply(text)


def closing(text: str = "421 4.3.2 Too much, closing") -> Behaviour:
    """Answer 421 and close the connection (RFC 5321, 3.8)."""
    return reply(text, "close")


def close() -> Behaviour:
    return Behaviour("close", _nothing, "close")


def reset() -> Behaviour:
    return Behaviour("reset", _nothing, "reset")


def stall(seconds: float | None = None) -> Behaviour:
    """Say nothing until the client gives up, or for so long; then close."""
    return Behaviour("stall", _nothing, "stall", seconds=seconds)


def lose(taken: bool | None = None) -> Behaviour:
    """Read the whole message, take it or not, and close without an answer (RFC 1047)."""
    return Behaviour("lose", _nothing, "close", taken=taken)


def garbage(then: Then = "go on") -> Behaviour:
    return Behaviour("garbage", lambda _: b"\x16\x03\xff\x00 qu\xe9? ~~\r\n", then)


def partial_line() -> Behaviour:
    """Begin the usual reply, `25`, and close."""
    return Behaviour("partial line", lambda usual: usual[:2], "close")


def partial_reply() -> Behaviour:
    """Promise more lines, `250-`, and close."""
    return Behaviour("partial reply", lambda usual: usual[:3] + b"-and\r\n" + usual[:3] + b"-", "close")


def over_long() -> Behaviour:
    """Answer as usual, in a line of 20 kB; the limit is 512 octets (RFC 5321, 4.5.3.1.5)."""
    return Behaviour("over-long line", lambda usual: usual[:4] + b"x" * 20_000 + b"\r\n")


def odd(code: int = 252) -> Behaviour:
    """Answer as usual, under another number."""
    number = str(code).encode()

    def say(usual: bytes) -> bytes:
        return b"".join(number + line[3:] for line in usual.splitlines(keepends=True))

    return Behaviour(f"odd {code}", say, clear=True)


def drip(gap: float = 0.002, text: str | None = None) -> Behaviour:
    """Answer as usual, or with this line, one octet at a time."""
    say = (lambda usual: usual) if text is None else (lambda _: text.encode() + b"\r\n")
    return Behaviour("one octet at a time", say, gap=gap, clear=True)


def early_354() -> Behaviour:
    """Answer DATA before it is its turn: at `mail` or `rcpt` (RFC 2920, 3.2 keeps the order)."""
    return Behaviour("early 354", lambda usual: b"354 Go ahead\r\n" + usual)


@dataclass(slots=True)
class Moment:
    """Where in which conversation the relay is."""

    connection: int
    #: Transactions begun on this connection, this one included.
    transaction: int = 0
    sender: str = ""
    recipient: str = ""


#: Given the phase, how many times the relay has come to it (1, 2, ...) and the moment: what to do, or nothing.
Rule = Callable[[str, int, Moment], Behaviour | None]


class Script:
    """Rules, of which the first that has something to say decides.

    `Script()` behaves well. `Script().always("dot", later())`; `.nth("mail", 3, close())`: the third time in
    the relay's life; `.first("greeting", 2, closing())`: the first two times; `.every("mail", 10, closing())`;
    `.to({"a@example.com"}, "rcpt", never())`; `.chance("dot", 0.1, lose())`; `.rule(function)` for the rest.
    """

    def __init__(self, seed: int = 0) -> None:
        self._seed = seed
        self._dice = random.Random(seed)
        self._rules: list[Rule] = []
        self._count: Counter[str] = Counter()
        self._lock = threading.Lock()
        #: File handle that gets a line for each misbehaviour; None: nobody asks.
        self.moods: int | None = None

    def rule(self, rule: Rule) -> Script:
        self._rules.append(rule)
        return self

    def _when(self, phase: str, behaviour: Behaviour, when: Callable[[int, Moment], bool]) -> Script:
        if phase not in PHASES:
            raise ValueError(f"{phase!r} is not one of {', '.join(PHASES)}")
        return self.rule(lambda at, n, moment: behaviour if at == phase and when(n, moment) else None)

    def always(self, phase: str, behaviour: Behaviour) -> Script:
        return self._when(phase, behaviour, lambda n, moment: True)

    def nth(self, phase: str, which: int, behaviour: Behaviour) -> Script:
        return self._when(phase, behaviour, lambda n, moment: n == which)

    def first(self, phase: str, times: int, behaviour: Behaviour) -> Script:
        return self._when(phase, behaviour, lambda n, moment: n <= times)

    def every(self, phase: str, times: int, behaviour: Behaviour) -> Script:
        return self._when(phase, behaviour, lambda n, moment: n % times == 0)

    def to(self, recipients: Container[str], phase: str, behaviour: Behaviour) -> Script:
        return self._when(phase, behaviour, lambda n, moment: moment.recipient in recipients)

    def chance(self, phase: str, probability: float, behaviour: Behaviour) -> Script:
        return self._when(phase, behaviour, lambda n, moment: self._dice.random() < probability)

    def throttling(self, times: int) -> Script:
        """Say 421 at every so many-th MAIL."""
        return self.every("mail", times, closing("421 4.7.0 Too many messages, slow down"))

    def greylisting(self) -> Script:
        """Say 451 the first time that a recipient is seen."""
        seen: set[str] = set()

        def grey(phase: str, _: int, moment: Moment) -> Behaviour | None:
            if phase != "rcpt" or moment.recipient in seen:
                return None
            seen.add(moment.recipient)
            return later("451 4.7.1 Greylisted, come again")

        return self.rule(grey)

    @classmethod
    def random_faults(
        cls, probability: float, seed: int, *, stalls: float = 1.0, refuse_us: bool = False
    ) -> Script:
        """Give every transaction, and every connection's set-up, this chance of one fault of any kind.

        A 5yz that would pause the whole issue (at set-up or MAIL) happens only with `refuse_us`.
        """
        script = cls(seed)
        plans: dict[int, tuple[str, Behaviour]] = {}

        def plan(phase: str, _: int, moment: Moment) -> Behaviour | None:
            if phase in ("greeting", "mail"):
                plans.pop(moment.connection, None)
                dice = random.Random(f"{seed}-{moment.connection}-{moment.transaction}")
                if dice.random() < probability:
                    where = SET_UP if phase == "greeting" else TRANSACTION
                    at = dice.choice(where)
                    plans[moment.connection] = (at, dice.choice(faults(at, stalls, refuse_us)))
            planned = plans.get(moment.connection)
            if planned is None or planned[0] != phase:
                return None
            return plans.pop(moment.connection)[1]

        return script.rule(plan)

    def decide(self, phase: str, moment: Moment) -> Behaviour | None:
        """Say what to do now; None: as usual."""
        if not self._rules:
            return None
        with self._lock:
            self._count[phase] += 1
            count = self._count[phase]
            found = next((b for rule in self._rules if (b := rule(phase, count, moment)) is not None), None)
        if found and self.moods is not None:
            os.write(self.moods, f"{moment.connection}\t{phase}\t{found.name}\n".encode())
        return found

    def was_taken(self, behaviour: Behaviour) -> bool:
        """Say whether a message whose answer is not clear was taken."""
        if behaviour.taken is not None:
            return behaviour.taken
        with self._lock:
            return self._dice.random() < 0.5


SET_UP = ("greeting", "ehlo", "auth")
TRANSACTION = ("mail", "rcpt", "data", "body", "dot")


def faults(phase: str, stalls: float, refuse_us: bool) -> list[Behaviour]:
    """Every fault that can happen at this phase."""
    found = [
        later(),
        closing(),
        close(),
        reset(),
        stall(stalls),
        garbage(),
        partial_line(),
        partial_reply(),
        over_long(),
        drip(),
    ]
    if refuse_us or phase in ("rcpt", "data", "dot"):
        found.append(never())
    if phase not in ("data", "body"):
        found.append(odd(252))
    if phase in ("mail", "rcpt"):
        found.append(early_354())
    if phase == "dot":
        found += [lose(taken=True), lose(taken=False)]
    return found
