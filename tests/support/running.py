"""A newsletter's send at work in a process of its own: to be signalled, joined, paused and waited for."""

from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable
from types import TracebackType
from typing import Self

from support.letter import CLOCK, HERE, SECRET, Letter, Ran
from support.relay import Relay
from support.tutorial import read

READERS = 12


class AtWork:
    """A command that runs while the test goes on."""

    def __init__(self, letter: Letter, *words: str, env: dict[str, str]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "pipeline", "-C", str(letter.root), "--clock", CLOCK, *words],
            cwd=HERE,
            env={**os.environ, "NEWSLETTER_SECRET": SECRET, **env},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            # Ctrl-C on the terminal that the tests run on is not for it.
            start_new_session=True,
        )
        self.err: list[str] = []
        self._said = threading.Condition()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stderr
        for line in self.process.stderr:
            with self._said:
                self.err.append(line)
                self._said.notify_all()

    def says(self, words: str, seconds: float = 20) -> bool:
        """Wait until standard error holds these words."""
        with self._said:
            return self._said.wait_for(lambda: words in "".join(self.err), seconds)

    def signal(self, number: int = signal.SIGINT) -> None:
        self.process.send_signal(number)

    def ends(self, seconds: float = 40) -> Ran:
        """Wait for its end."""
        assert self.process.stdout
        out = self.process.stdout.read()
        code = self.process.wait(seconds)
        self._reader.join()
        err = "".join(self.err)
        assert "Traceback" not in err, err
        return Ran(code, out, err)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self._reader.join()
        for pipe in (self.process.stdout, self.process.stderr):
            if pipe:
                pipe.close()


def on_screen(
    letter: Letter, *words: str, env: dict[str, str], stop: Callable[[], object]
) -> tuple[int, str]:
    """Run a command on a terminal that can move its cursor, Ctrl-C when `stop` returns; its code and what it wrote."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "pipeline", "-C", str(letter.root), "--clock", CLOCK, *words],
        cwd=HERE,
        env={
            **os.environ,
            "NEWSLETTER_SECRET": SECRET,
            "TERM": "xterm",
            "COLUMNS": "120",
            "NO_COLOR": "1",
            **env,
        },
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    stopper = threading.Thread(target=lambda: (stop(), process.send_signal(signal.SIGINT)))
    stopper.start()
    seen = b""
    while chunk := read(ours):
        seen += chunk
    os.close(ours)
    code = process.wait(60)
    stopper.join()
    return code, seen.decode()


def address(number: int) -> str:
    return f"reader{number}@example.com"


def slowly(relay: Relay) -> dict[str, str]:
    """Point the command at a relay that takes one message after the other."""
    return relay.environment(connections=1)


def everybody_once(relay: Relay, readers: int = READERS) -> None:
    """Demand that the relay took one copy for each reader."""
    got = Counter(each.recipient for each in relay.deliveries)
    assert got == Counter(address(n) for n in range(readers))
    assert relay.violations == []


def numbers(text: str, pattern: str) -> list[int]:
    """Return the numbers at the pattern's groups."""
    found = re.search(pattern, text)
    assert found, text
    return [int(each) for each in found.groups()]
