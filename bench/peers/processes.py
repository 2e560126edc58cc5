"""Starts what a measurement needs, ends only what it started, and says what a process has cost."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
#: Seconds a server may take to listen.
PATIENCE = 10
_TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Cost:
    """What one run of a client came to."""

    messages: int
    seconds: float
    #: Seconds of the processor, user and system.
    cpu: float
    #: Largest resident set, in bytes.
    memory: int
    #: Seconds of the processor that the sink took meanwhile.
    sink: float = 0.0

    @property
    def rate(self) -> float:
        return self.messages / self.seconds


@dataclass(frozen=True)
class Server:
    """A server on a free port of the loopback."""

    port: int
    process: subprocess.Popen[bytes]

    @property
    def cpu(self) -> float:
        """Seconds of the processor it has taken since it began."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICK


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


@contextmanager
def server(
    command: Sequence[str], port: int, environment: Mapping[str, str] | None = None
) -> Iterator[Server]:
    """Start a server, wait until it listens, and end it, by its id, at the end."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment)
    try:
        until = time.monotonic() + PATIENCE
        while not _listens(port):
            if process.poll() is not None or time.monotonic() > until:
                process.kill()
                said = process.communicate()[1].decode(errors="replace")
                sys.exit(f"{' '.join(command)} does not listen: {said}")
            time.sleep(0.02)
        yield Server(port, process)
    finally:
        process.kill()
        process.communicate()


def sink(port: int) -> list[str]:
    """Return Debian's sink as a command; it does not run as root."""
    found = shutil.which("smtp-sink", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if found is None:
        sys.exit("smtp-sink is not installed; it comes with Debian's postfix package")
    return [found, *(["-u", "nobody"] if os.geteuid() == 0 else []), f"127.0.0.1:{port}", "256"]


def _listens(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False


def reports(command: Sequence[str], messages: int, extra: Mapping[str, str] | None = None) -> Cost:
    """Run a client that prints, as its last line, what its own work has cost."""
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, **(extra or {})}
    )
    if done.returncode:
        sys.exit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stderr[-3000:]}")
    return Cost(messages, **json.loads(done.stdout.splitlines()[-1]))


def whole(command: Sequence[str], messages: int, extra: Mapping[str, str] | None = None) -> Cost:
    """Run a client and measure it from outside, start and end included."""
    start = time.perf_counter()
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env={**os.environ, **(extra or {})}
    )
    peak = 0
    while not os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT):
        # Not ru_maxrss: that begins with the memory of whoever started the process.
        peak = max(peak, _peak(process.pid))
        time.sleep(0.005)
    seconds = time.perf_counter() - start
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    said = process.stderr.read().decode(errors="replace") if process.stderr else ""
    if process.returncode:
        sys.exit(f"{' '.join(command)} ended with {process.returncode}:\n{said[-3000:]}")
    return Cost(messages, seconds, used.ru_utime + used.ru_stime, peak)


def _peak(process: int) -> int:
    try:
        for line in Path(f"/proc/{process}/status").read_text().splitlines():
            if line.startswith("VmHWM"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0
