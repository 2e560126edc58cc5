"""A scripted relay in a process of its own: it outlives the clients that tests kill, and writes down what it judged."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from support.letter import HERE

#: Seconds between two looks at it.
LOOK = 0.001


@dataclass(frozen=True, slots=True)
class Judged:
    """One body that came to its end."""

    message_id: str
    recipient: str
    sha256: str
    #: "250", "451", ..., or "lost" where no clear answer was given.
    answer: str
    taken: bool
    connection: int


class RelayProcess:
    """Listens from `with` to its end. `options` are those of `python -m support.relay`."""

    def __init__(self, folder: Path, *options: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._log, self._moods = folder / "relay.log", folder / "relay.moods"
        ready, self._said = folder / "relay.port", folder / "relay.err"
        ready.unlink(missing_ok=True)
        for path in (self._log, self._moods):
            path.write_bytes(b"")
        with self._said.open("w") as said:
            self._process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "support.relay",
                    *("--log", str(self._log), "--moods", str(self._moods), "--ready", str(ready)),
                    *options,
                ],
                cwd=HERE,
                env={**os.environ, "PYTHONPATH": str(HERE / "tests")},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=said,
                start_new_session=True,
            )
        until = time.monotonic() + 30
        while not ready.exists():
            assert self._process.poll() is None, self._said.read_text()
            assert time.monotonic() < until, "the relay does not begin to listen"
            time.sleep(0.005)
        self.port = int(ready.read_text())

    def environment(self, **settings: object) -> dict[str, str]:
        """Return the settings that point the command at it; `timeouts__dot=1` and the like add to `[mail.smtp]`."""
        values = {"host": "127.0.0.1", "port": self.port, "security": "none"} | settings
        smtp = {f"NEWSLETTER_MAIL__SMTP__{name.upper()}": str(value) for name, value in values.items()}
        return {"NEWSLETTER_MAIL__MAILER": "smtp"} | smtp

    def judged(self) -> list[Judged]:
        """Every body that came to its end, so far."""
        whole = self._log.read_bytes()
        return [Judged(**json.loads(line)) for line in whole[: whole.rfind(b"\n") + 1].splitlines()]

    def bodies(self) -> int:
        """How many bodies came to their end, so far."""
        return self._log.read_bytes().count(b"\n")

    def moods(self) -> list[tuple[str, str]]:
        """Phase and name of every misbehaviour, so far."""
        lines = self._moods.read_text("utf-8").splitlines()
        return [(phase, name) for _, phase, name in (line.split("\t") for line in lines)]

    def conversations(self) -> int:
        """How many connections it has open, where the system tells."""
        handles = Path(f"/proc/{self._process.pid}/fd")
        found = 0
        for handle in handles.iterdir():
            try:
                found += str(handle.readlink()).startswith("socket:")
            except OSError:
                continue
        return max(found - 1, 0)

    def wait_quiet(self, seconds: float = 15) -> None:
        """Wait until it has done with everybody: then its log is whole."""
        until = time.monotonic() + seconds
        while self.conversations():
            assert time.monotonic() < until, "the relay still talks to somebody"
            time.sleep(0.005)

    def forget(self) -> None:
        """Begin a new log, when it has done with everybody."""
        self.wait_quiet()
        for path in (self._log, self._moods):
            os.truncate(path, 0)

    def violations(self) -> list[str]:
        """What clients did that SMTP forbids; known when it has ended."""
        return self._said.read_text("utf-8").splitlines()

    def stop(self) -> None:
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(20)
            except subprocess.TimeoutExpired:
                self._process.kill()
        self._process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
