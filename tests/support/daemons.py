"""Starts real servers for a test, on loopback, under nobody's care but the test's."""

from __future__ import annotations

import os
import random
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

HOST = "localhost"
#: Programs of the system are not on every PATH.
PATH = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/local/sbin", "/usr/sbin", "/sbin"])
#: Seconds until a daemon must answer, have done what it was asked, or be gone.
PATIENCE = 20


def public_folder(name: str) -> Path:
    """Make a folder that a daemon's own account can enter, as it cannot enter pytest's."""
    folder = Path(tempfile.mkdtemp(prefix=f"{name}-", dir="/tmp"))
    folder.chmod(0o755)
    return folder


def program(name: str) -> str | None:
    """Find a program of the system; None if it is not installed."""
    return shutil.which(name, path=PATH)


def run(name: str, *words: str, typed: str = "") -> str:
    """Run a program of the system to its end, and return what it printed."""
    done = subprocess.run(
        [program(name) or name, *words],
        input=typed,
        capture_output=True,
        encoding="utf-8",
        env={**os.environ, "PATH": PATH},
        timeout=PATIENCE,
        umask=0o022,
        check=False,
    )
    assert done.returncode == 0, (name, done.stdout, done.stderr)
    return done.stdout


@contextmanager
def running(command: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    """Run a daemon in a session of its own, and end it with the `with`."""
    process = subprocess.Popen(
        [program(command[0]) or command[0], *command[1:]],
        start_new_session=True,
        stdin=subprocess.DEVNULL,
        umask=0o022,
        env={**os.environ, "PATH": PATH},
    )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(PATIENCE)
        finally:
            process.kill()


def free_port() -> int:
    """Find a port of 127.0.0.1 that nobody listens on, for a daemon that cannot be given a socket.

    From below those that systems hand out by themselves: else another test's connection could take it meanwhile.
    """
    while True:
        port = random.randint(20_000, 32_000)
        with closing(socket.socket()) as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def answers(port: int) -> bool:
    """Tell whether somebody greets on a port."""
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as connection:
        return bool(connection.recv(1))
    return False


def until(holds: Callable[[], bool], or_else: str) -> None:
    """Return when it holds; fail if it does not soon."""
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end, or_else
        time.sleep(0.02)
