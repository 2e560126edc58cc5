"""Starts the command in processes that can be killed: the real one, or a fork of one that has its imports behind it.

    Command().start(root, "resume", "1", env={...}, said=folder)       # python -m pipeline, as people start it
    with Forks() as forks:                                             # the same command line, in a forked child
        forks.start(root, "resume", "1", env={...}, said=folder, at=7)   # killed before its seventh write

A fork runs `pipeline.cli.main` with arguments and environment of its own, and opens settings, ledger and mailer for
itself; only the second of reading programs is spared. Forks need Linux (pidfd_open), `at` a C compiler (starter.c).
"""

from __future__ import annotations

import atexit
import ctypes
import functools
import importlib
import json
import os
import pkgutil
import select
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, NoReturn, Self

from support.letter import CLOCK, HERE, SECRET


class Started:
    """A command at work in a process; `said` is the folder with its two outputs."""

    def __init__(self, pid: int, said: Path) -> None:
        self.pid, self.said = pid, said
        self._handle = os.pidfd_open(pid)
        #: Exit code once it has ended; negative for a signal.
        self.code: int | None = None

    def signal(self, number: int) -> None:
        """Send a signal; nothing happens if it has ended."""
        try:
            signal.pidfd_send_signal(self._handle, number)
        except ProcessLookupError:
            return

    def ends(self, seconds: float) -> bool:
        """Wait for its end."""
        return self.code is not None or bool(select.select([self._handle], [], [], seconds)[0])

    def finish(self) -> int:
        """Wait for its end and return its exit code; whoever started it does the rest."""
        if self.code is None:
            self.code = self._reap()
            os.close(self._handle)
        return self.code

    def _reap(self) -> int:
        raise NotImplementedError

    @property
    def out(self) -> str:
        return (self.said / "out").read_text("utf-8")

    @property
    def err(self) -> str:
        return (self.said / "err").read_text("utf-8")


def words_of(root: Path, words: tuple[str, ...]) -> list[str]:
    return ["-C", str(root), "--clock", CLOCK, *words]


class Command:
    """Starts `python -m pipeline`."""

    name = "the command"

    def start(self, root: Path, *words: str, env: Mapping[str, str], said: Path) -> Started:
        said.mkdir(parents=True, exist_ok=True)
        with (said / "out").open("w") as out, (said / "err").open("w") as err:
            process = subprocess.Popen(
                [sys.executable, "-m", "pipeline", *words_of(root, words)],
                cwd=HERE,
                env={**os.environ, "NEWSLETTER_SECRET": SECRET, **env},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,
            )
        return _Process(process, said)


class _Process(Started):
    def __init__(self, process: subprocess.Popen[bytes], said: Path) -> None:
        self._process = process
        super().__init__(process.pid, said)

    def _reap(self) -> int:
        return self._process.wait()


class Forks:
    """Forks the command off a process that has imported everything. One at a time."""

    name = "a fork"

    def __init__(self) -> None:
        counting = {"LD_PRELOAD": str(shim)} if (shim := counter()) else {}
        self._parent = subprocess.Popen(
            [sys.executable, "-m", "support.starter"],
            cwd=HERE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join([str(HERE), str(HERE / "tests")]), **counting},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
            start_new_session=True,
        )

    def start(
        self,
        root: Path,
        *words: str,
        env: Mapping[str, str],
        said: Path,
        at: int = 0,
        after: bool = False,
        point: str = "",
        nth: int = 1,
    ) -> Started:
        """Start; killed before (or `after`) its write number `at`, or the nth time it reaches a named point."""
        said.mkdir(parents=True, exist_ok=True)
        for name in ("out", "err", "writes"):
            # A child may be killed before it has opened them.
            (said / name).write_bytes(b"")
        order = Order(
            words_of(root, words), {"NEWSLETTER_SECRET": SECRET, **env}, str(said), at, after, point, nth
        )
        self.tell(json.dumps(order.__dict__))
        return _Fork(self, int(self.hear()), said)

    def tell(self, line: str) -> None:
        assert self._parent.stdin
        self._parent.stdin.write(f"{line}\n")
        self._parent.stdin.flush()

    def hear(self) -> str:
        assert self._parent.stdout
        return self._parent.stdout.readline()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        # It ends when nothing more can come.
        self._parent.communicate()


class _Fork(Started):
    def __init__(self, forks: Forks, pid: int, said: Path) -> None:
        super().__init__(pid, said)
        # Only now may its parent wait for it: until then the number could not become somebody else's.
        self._forks = forks
        forks.tell("go on")

    def _reap(self) -> int:
        return int(self._forks.hear())


@functools.cache
def counter() -> Path | None:
    """Build what counts writes; None where there is no C compiler."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None or sys.platform != "linux":
        return None
    folder = Path(tempfile.mkdtemp(prefix="starter-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    shim, source = folder / "starter.so", Path(__file__).with_suffix(".c")
    command = [compiler, "-O1", "-shared", "-fPIC", "-o", str(shim), str(source), "-ldl", "-pthread"]
    return shim if subprocess.run(command, capture_output=True, check=False).returncode == 0 else None


# --- in the process that forks -----------------------------------------------


@dataclass
class Order:
    """What a child is to do, and where it is to die."""

    words: list[str]
    env: dict[str, str]
    said: str
    at: int
    after: bool
    point: str
    nth: int


def main() -> None:
    """Fork a child for every line."""
    _import_everything()
    while line := sys.stdin.readline():
        child = os.fork()
        if child == 0:
            _become(Order(**json.loads(line)))
        _answer(str(child))
        sys.stdin.readline()
        _answer(str(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])))


def _answer(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _import_everything() -> None:
    import pipeline

    for module in pkgutil.walk_packages(pipeline.__path__, "pipeline."):
        if "migrations" not in module.name and not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    importlib.import_module("sqlalchemy.dialects.sqlite.pysqlite")


def _become(order: Order) -> NoReturn:
    """Be the command, in this child, to its end."""
    from pipeline.cli import main as newsletter

    said = Path(order.said)
    for number, path in enumerate([Path(os.devnull), said / "out", said / "err"]):
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o644)
        os.dup2(handle, number)
        os.close(handle)
    os.environ.update(order.env)
    sys.argv = ["newsletter", *order.words]
    if order.point:
        _die_at(order.point, order.nth)
    count = _counted(order, said)
    try:
        newsletter()
    except SystemExit as end:
        # What the interpreter does at its end, in a child that must not come to its parent's.
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
        count()
        os._exit(end.code if isinstance(end.code, int) else 1)
    except BaseException:
        sys.excepthook(*sys.exc_info())  # type: ignore[arg-type]
    finally:
        sys.stderr.flush()
        os._exit(1)


def _die_at(name: str, nth: int) -> None:
    from pipeline.deliver import points

    passed = 0

    def hook(reached: points.Point) -> None:
        nonlocal passed
        passed += reached == name
        if passed == nth:
            os.kill(os.getpid(), signal.SIGKILL)

    points.hook = hook


def _counted(order: Order, said: Path) -> Any:
    """Count writes from here on, if they can be counted; return what writes their number down."""
    us = ctypes.CDLL(None)
    if not hasattr(us, "kill_at"):
        assert not order.at, "writes cannot be counted here: there is no C compiler"
        return lambda: None
    note = os.open(said / "writes", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    us.kill_at(ctypes.c_long(order.at), int(order.after), note)
    return lambda: os.write(note, str(us.writes_so_far()).encode())


if __name__ == "__main__":
    main()
