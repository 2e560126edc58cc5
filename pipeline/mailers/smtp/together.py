"""Serves several connections in one thread, and asks the ledger for all of them at once.

What is said to one relay over one connection is written as if there were no
other (transaction.py, window.py). Each connection runs in a greenlet of its
own; where it would wait, for a socket or for the ledger, the others go on.
Threads would do, but a message is a dozen waits, and handing Python's one
interpreter lock from thread to thread costs more than all the rest of it.
"""

from __future__ import annotations

import select
import socket
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field
from typing import cast

from greenlet import greenlet

from pipeline.edges import Arm
from pipeline.errors import MailerUnusable
from pipeline.model import Answer, Submission

#: How soon a connection that has nothing to do asks for more, in milliseconds, if nothing else happens before.
REST = 10
#: How long a deadline may be overlooked while other connections are busy, in seconds.
DEADLINES = 0.05
#: The longest wait without looking at the clock, in milliseconds.
LONGEST_WAIT = 60_000


@dataclass(slots=True)
class _Wait:
    """Until the socket is ready, or that moment has come."""

    descriptor: int
    events: int
    end: float


@dataclass(slots=True)
class _Ask:
    """Whether these may be let go."""

    submissions: Sequence[Submission]


@dataclass(slots=True)
class _Rest:
    """Until anything happens on another connection."""


class Line(greenlet):
    """One connection's course of events."""

    #: Set when it has ended with an exception.
    fault: Exception | None = None

    def __init__(self, events: Callable[[Arm], Iterator[Answer]]) -> None:
        super().__init__()
        self._events = events

    def run(self) -> None:
        """Follow the events to their end; every answer goes to whoever serves all lines."""
        try:
            for answer in self._events(_Asking()):
                _switch(answer)
        except Exception as fault:  # shown by whoever serves all lines
            self.fault = fault


class _Asking:
    """What a line takes for `arm`."""

    def __call__(self, submission: Submission) -> bool:
        return self.many([submission])[0]

    def many(self, submissions: Sequence[Submission]) -> Sequence[bool]:
        return cast("Sequence[bool]", _switch(_Ask(submissions)))


def _switch(effect: object) -> object:
    """Leave a line for whoever serves it; return what it is told when it may go on."""
    serving = greenlet.getcurrent().parent
    assert serving is not None, "a line is always begun by somebody"  # noqa: S101 -- for the type checker
    return serving.switch(effect)


def wait(sock: socket.socket, events: int, end: float) -> None:
    """Return when a socket is ready for `events` of select.poll, or when time.monotonic() is at `end`.

    In a line the other lines go on meanwhile; anywhere else this thread waits.
    """
    if isinstance(greenlet.getcurrent(), Line):
        _switch(_Wait(sock.fileno(), events, end))
        return
    poll = select.poll()
    poll.register(sock, events)
    poll.poll(max(end - time.monotonic(), 0) * 1000 + 1)


def rest() -> None:
    """Let the others go on, if this is one line of several."""
    if isinstance(greenlet.getcurrent(), Line):
        _switch(_Rest())


@dataclass
class Together:
    """Lines that share a thread and what they ask the ledger."""

    arm: Arm
    _lines: list[Line] = field(default_factory=list)
    #: Lines that can go on, with what they are told then.
    _ready: deque[tuple[Line, object]] = field(default_factory=deque)
    _asking: list[tuple[Line, Sequence[Submission]]] = field(default_factory=list)
    _waiting: dict[int, tuple[Line, float]] = field(default_factory=dict)
    _resting: list[Line] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._poll = select.poll()
        #: When deadlines are looked at next, however busy it is.
        self._deadlines = 0.0

    def begin(self, line: Line) -> None:
        """Have a line go on from its beginning."""
        self._lines.append(line)
        self._ready.append((line, None))

    def serve(self) -> Generator[Answer, None, None]:
        """Serve all lines until each has ended, yielding their answers.

        Nothing moves while an answer is being looked at. Raises what `arm`
        raises, and what a line raises unless it is about the relay; that, or
        being closed early, ends all lines.
        """
        try:
            while self._ready or self._asking or self._waiting or self._resting:
                while self._ready:
                    line, told = self._ready.popleft()
                    yield from self._go_on(line, told)
                # What has come meanwhile may lead to more questions, and one commit serves them all.
                self._look(0 if self._asking else None)
                if self._asking and not self._ready:
                    self._ask()
        finally:
            for line in self._lines:
                if not line.dead:
                    # Unwinds it, so that its connection is closed.
                    line.throw()

    def _go_on(self, line: Line, told: object) -> Iterator[Answer]:
        effect = line.switch() if told is None else line.switch(told)
        while isinstance(effect, Answer):
            yield effect
            effect = line.switch(None)
        if isinstance(effect, _Wait):
            self._waiting[effect.descriptor] = line, effect.end
            self._poll.register(effect.descriptor, effect.events)
        elif isinstance(effect, _Ask):
            self._asking.append((line, effect.submissions))
        elif isinstance(effect, _Rest):
            self._resting.append(line)
        elif line.fault and not isinstance(line.fault, MailerUnusable):
            raise line.fault

    def _look(self, most: float | None) -> None:
        """Find lines whose socket is ready, or whose time is up; wait for one, unless `most` is less."""
        if not (self._waiting or self._resting):
            return
        happened = self._poll.poll(self._patience() if most is None else most)
        for descriptor, _ in happened:
            self._wake(descriptor)
        now = time.monotonic()
        # Where something always happens, a deadline must be seen all the same; but not looked for each time.
        if not happened or now >= self._deadlines:
            self._deadlines = now + DEADLINES
            for descriptor in [one for one, (_, end) in self._waiting.items() if end <= now]:
                self._wake(descriptor)
        if most is None:
            self._ready.extend((line, True) for line in self._resting)
            self._resting.clear()

    def _patience(self) -> float:
        if not self._waiting:
            return 0 if self._resting else LONGEST_WAIT
        left = min(end for _, end in self._waiting.values()) - time.monotonic()
        most = REST if self._resting else LONGEST_WAIT
        return min(max(left * 1000 + 1, 0), most)

    def _wake(self, descriptor: int) -> None:
        line, _ = self._waiting.pop(descriptor)
        self._poll.unregister(descriptor)
        self._ready.append((line, True))

    def _ask(self) -> None:
        """Put the questions of all lines as one."""
        asking, self._asking = self._asking, []
        allowed = self.arm.many([submission for _, asked in asking for submission in asked])
        at = 0
        for line, asked in asking:
            self._ready.append((line, allowed[at : at + len(asked)]))
            at += len(asked)
