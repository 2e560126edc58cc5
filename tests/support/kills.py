"""Kills the whole command while it sends, lets it finish, and holds what is there against an undisturbed twin."""

from __future__ import annotations

import email
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from email.utils import parseaddr
from pathlib import Path

from support.letter import CLOCK, HERE, SECRET, Letter, copy_sample

READERS = 12
#: Endings of what is written beside and renamed; nothing of the kind may be left.
UNFINISHED = re.compile(r"\.(part|unfinished|tmp)$|^\.secret-|-journal$|^\.public|\.(new|old|next)$")
#: A run that has not finished by its third try never will.
TRIES = 3
#: Seconds between two looks at a run that is to be killed.
PAUSE = 0.001

_started: dict[int, float] = {}


@dataclass
class Twins:
    """A newsletter ready to send, and what it is after a send that nobody disturbed."""

    ready: Letter
    undisturbed: Letter
    #: What a send costs: seconds of processor time where that can be asked, else of the clock.
    takes: float


@dataclass
class Life:
    """One newsletter whose send was killed, and then finished."""

    letter: Letter
    #: False if the run was over before the signal came.
    killed: bool
    #: Copies in the outbox when it was killed.
    copies: int
    #: Where the run was, as far as the folder tells.
    phase: str
    faults: list[str] = field(default_factory=list)


def make_twins(folder: Path) -> Twins:
    """Make both, and time a send."""
    ready = copy_sample(folder / "ready")
    rows = "".join(f"reader{n}@example.com,Reader {n}\n" for n in range(READERS))
    ready.write("readers.csv", f"email,name\n{rows}")
    assert ready.run("subscribers", "import", str(ready.root / "readers.csv")).code == 0
    # Twice: the first may find neither byte code nor files in memory.
    first, undisturbed = (_copy(ready, folder / name) for name in ("first", "undisturbed"))
    takes = min(_watch(first), _watch(undisturbed))
    assert undisturbed.run("send", "--yes").code == 0
    return Twins(ready, undisturbed, takes)


def _watch(letter: Letter) -> float:
    """Send undisturbed; return what it cost."""
    process, takes = _start(letter), 0.0
    while process.poll() is None:
        takes = max(takes, _spent(process))
        time.sleep(PAUSE)
    assert process.returncode == 0
    return takes


def live(twins: Twins, folder: Path, after: float, copies: int = 0) -> Life:
    """Send in a new folder, kill that, and send until it says that it is done.

    It is killed when it has spent `after` seconds and filed so many `copies`.
    """
    letter = _copy(twins.ready, folder)
    killed = _send_and_kill(letter, after, copies)
    life = Life(letter, killed, _filed(letter), _phase(letter))
    for _ in range(TRIES):
        ran = letter.run("send", "--yes")
        if ran.code == 0:
            break
    else:
        life.faults.append(f"never done: {ran.code} {ran.err[-300:]}")
        return life
    life.faults += _faults(letter, twins.undisturbed)
    return life


def _copy(letter: Letter, to: Path) -> Letter:
    shutil.copytree(letter.root, to)
    return Letter(to)


def _start(letter: Letter) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "pipeline", "-C", str(letter.root), "--clock", CLOCK, "send", "--yes"]
    return subprocess.Popen(
        command,
        cwd=HERE,
        env={**os.environ, "NEWSLETTER_SECRET": SECRET},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def _send_and_kill(letter: Letter, after: float, copies: int) -> bool:
    process = _start(letter)
    while process.poll() is None and (_spent(process) < after or _filed(letter) < copies):
        time.sleep(PAUSE)
    process.send_signal(signal.SIGKILL)
    return process.wait() == -signal.SIGKILL


def _filed(letter: Letter) -> int:
    return len(list(letter.root.glob("outbox/0001/*.eml")))


def _spent(process: subprocess.Popen[bytes]) -> float:
    """Tell how much of the processor a run has had: on a busy machine the clock says nothing of where it is."""
    try:
        return int(Path(f"/proc/{process.pid}/schedstat").read_text().split()[0]) / 1e9
    except (OSError, ValueError, IndexError):
        return time.monotonic() - _started.setdefault(process.pid, time.monotonic())


def _phase(letter: Letter) -> str:
    """Say how far a run came, by what lies in its folder."""
    copies = _filed(letter)
    issue = letter.root / "issues/0001.md"
    if issue.exists() and "\nsent:" in issue.read_text("utf-8"):
        return "sent"
    if copies:
        return "all filed" if copies == READERS else "delivering"
    if (letter.root / "public/index.html").exists():
        return "published"
    return "frozen" if issue.exists() else "before"


def _faults(letter: Letter, twin: Letter) -> list[str]:
    """Hold a finished newsletter to all that a kill must not change."""
    faults = []
    mails = letter.files("outbox/0001")
    to = Counter(
        parseaddr(email.message_from_bytes(mail)["To"])[1]
        for name, mail in mails.items()
        if name.endswith(".eml")
    )
    if to != Counter({f"reader{n}@example.com": 1 for n in range(READERS)}):
        faults.append(f"copies: {dict(to)}")
    if mails != twin.files("outbox/0001"):
        faults.append("other messages than the undisturbed")
    if letter.files("public") != twin.files("public"):
        faults.append("another site than the undisturbed")
    said = _ledger(letter)
    if said != ([(1, "sent")], [("accepted", READERS)]):
        faults.append(f"the ledger says {said}")
    issues = sorted(path.name for path in (letter.root / "issues").iterdir())
    if issues != ["0001.md"]:
        faults.append(f"issues: {issues}")
    elif "\nsent: " not in (letter.root / "issues/0001.md").read_text("utf-8"):
        faults.append("issues/0001.md has no `sent:`")
    if set(letter.files(".newsletter/issues")) != set(twin.files(".newsletter/issues")):
        faults.append(f"kept of the issue: {sorted(letter.files('.newsletter/issues'))}")
    strays = sorted(set(_names(letter)) - set(_names(twin)))
    if strays:
        faults.append(f"left behind: {strays}")
    return faults


def _ledger(letter: Letter) -> tuple[list[tuple[int, str]], list[tuple[str, int]]]:
    """Read issues and deliveries with nothing of ours between."""
    with closing(sqlite3.connect(letter.root / ".newsletter/newsletter.db")) as store:
        return (
            store.execute("select number, state from issues").fetchall(),
            store.execute("select state, count(*) from deliveries group by state").fetchall(),
        )


def _names(letter: Letter) -> list[str]:
    """Name every file and folder; caches and locks of dead runs, which the next claim sweeps, may be more or less."""
    names = (path.relative_to(letter.root).as_posix() for path in letter.root.rglob("*"))
    return [
        name
        for name in names
        if UNFINISHED.search(name.rsplit("/", 1)[-1])
        or not name.startswith((".newsletter/bodies/", ".newsletter/runs/"))
    ]
