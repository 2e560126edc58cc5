"""Measures how long leaving takes while an issue is being sent, and proves that nobody who left in time gets a copy.

    python bench/leaving.py [--readers 100000] [--leave 400] [--connections 10] [--clients 2]

Three processes of their own, as on a real machine: `newsletter send` with the whole ledger into a relay that
writes down every recipient, `newsletter serve`, and readers of whom each leaves by one click (RFC 8058), each
over a connection of its own, spread over the run. Each is asked of the ledger the moment its answer is there:
who is not armed by then must end withdrawn, and the relay must never hear of them.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parent / "peers"))

from machine import machine
from processes import HERE, free_port, server
from senders import SECRET

from pipeline.audience.tokens import InstallationTokens
from pipeline.store.driver import DRIVER

ROOT = HERE.parents[1]
#: Milliseconds within which 99 of 100 are out.
BAR = 200
CLICK = b"List-Unsubscribe=One-Click"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
#: Where a delivery is that may still go.
NOT_ARMED = ("queued", "leased")


@dataclass
class Left:
    """One reader who left."""

    email: str
    #: Seconds from the first octet to the last of the answer, connection included.
    seconds: float
    #: Where their delivery stood when the answer was there.
    stood: str


def main() -> None:
    # Ended from outside, it still ends what it started and takes its ledger away.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--readers", type=int, default=100_000)
    parser.add_argument("--leave", type=int, default=400, help="how many leave (default: %(default)s)")
    parser.add_argument("--connections", type=int, default=10, help="to the relay")
    parser.add_argument("--clients", type=int, default=2, help="who leave at the same time")
    parser.add_argument("--folder", type=Path, help="where the ledger is put; must be a disk")
    asked = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="bench-leaving-", dir=asked.folder))
    try:
        print(f"{asked.readers:,} readers; {machine(folder)}")
        measure(folder, asked)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def measure(folder: Path, asked: argparse.Namespace) -> None:
    made = [sys.executable, str(HERE / "letter.py"), str(folder), f"--readers={asked.readers}", "--unfrozen"]
    subprocess.run(made, check=True, stdout=subprocess.DEVNULL)
    root, relay_port, port, log = folder / "letter", free_port(), free_port(), folder / "relay.log"
    environment = {
        **os.environ,
        "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}",
        "NEWSLETTER_SECRET": SECRET,
        "NEWSLETTER_MAIL__SMTP__PORT": str(relay_port),
        "NEWSLETTER_MAIL__SMTP__CONNECTIONS": str(asked.connections),
        "NEWSLETTER_GUARDS__AUDIENCE_GROWTH": "0",
    }
    relay = [sys.executable, "-m", "support.relay", "--lax", f"--port={relay_port}", f"--log={log}"]
    ours = [sys.executable, "-m", "pipeline", "-C", str(root)]
    with server(relay, relay_port, environment), server([*ours, "serve", "-p", str(port)], port, environment):
        began = time.monotonic()
        with subprocess.Popen(
            [*ours, "send", "--yes", "--json", "-q"], env=environment, stdout=subprocess.PIPE
        ) as send:
            leavers = choose(root, asked.leave, send)
            left = let_leave(root, leavers, port, asked.clients, send)
            out, _ = send.communicate()
            seconds = time.monotonic() - began
        if send.returncode:
            sys.exit(f"newsletter send ended with {send.returncode}")
    tell(left, json.loads(out), seconds)
    prove(root, left, json.loads(out), log)


def connect(root: Path):  # type: ignore[no-untyped-def]  # either SQLite's connection
    return closing(DRIVER.connect(f"file:{root}/.newsletter/newsletter.db?mode=ro", uri=True, timeout=30))


def choose(root: Path, many: int, send: subprocess.Popen[bytes]) -> list[str]:
    """Wait until the first copies are out; return readers whose turn is still to come, in the order of their turns."""
    while send.poll() is None:
        with connect(root) as ledger:
            accepted = ledger.execute("SELECT count(*) FROM deliveries WHERE state = 'accepted'").fetchone()[
                0
            ]
            if accepted > 500:
                rows = ledger.execute(
                    "SELECT email FROM deliveries WHERE state = 'queued' ORDER BY id"
                ).fetchall()
                break
        time.sleep(0.1)
    else:
        sys.exit("newsletter send has ended before anybody could leave")
    # Some whose turn is just coming, then most out of the second half.
    soon = random.sample(rows[: len(rows) // 20], many // 10)
    later = random.sample(rows[len(rows) // 2 :], many - len(soon))
    return [email for (email,) in [*sorted(soon), *sorted(later)]]


def let_leave(
    root: Path, leavers: list[str], port: int, clients: int, send: subprocess.Popen[bytes]
) -> list[Left]:
    """Let each leave, several at the same time, until all have or the issue is out."""
    tokens, left, lock = InstallationTokens(SECRET.encode()), list[Left](), threading.Lock()
    waiting = iter(leavers)

    def client() -> None:
        with connect(root) as ledger:
            while send.poll() is None:
                with lock:
                    email = next(waiting, None)
                if email is None:
                    return
                token = tokens.token("unsubscribe", tokens.uid(email))
                start = time.perf_counter()
                wire = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
                wire.request("POST", f"/unsubscribe/{token}", CLICK, FORM)
                answer = wire.getresponse()
                answer.read()
                seconds = time.perf_counter() - start
                wire.close()
                if answer.status != 200:
                    sys.exit(f"leaving was answered with {answer.status}")
                stood = ledger.execute("SELECT state FROM deliveries WHERE email = ?", (email,)).fetchone()[0]
                with lock:
                    left.append(Left(email, seconds, stood))
                time.sleep(random.uniform(0, 0.1))

    threads = [threading.Thread(target=client) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return left


def tell(left: list[Left], report: dict[str, int], seconds: float) -> None:
    took = sorted(each.seconds * 1000 for each in left)

    def at(share: float) -> float:
        return took[min(int(len(took) * share), len(took) - 1)]

    print(
        f"  {report['accepted']:,} accepted and {report['withdrawn']:,} withdrawn of {report['readers']:,} in "
        f"{seconds:.0f} s ({report['accepted'] / seconds:,.0f}/s, start included)"
    )
    print(
        f"  {len(left)} left meanwhile: p50 {at(0.5):.0f} ms, p95 {at(0.95):.0f} ms, p99 {at(0.99):.0f} ms, "
        f"longest {took[-1]:.0f} ms"
    )
    print(f"bar: p99 under {BAR} ms: {'met' if at(0.99) < BAR else 'missed'} ({at(0.99):.0f})")


def prove(root: Path, left: list[Left], report: dict[str, int], log: Path) -> None:
    """Hold the ledger, the relay and the readers against each other."""
    got: dict[str, int] = {}
    for line in log.open():
        event = json.loads(line)
        if event["taken"]:
            got[event["recipient"]] = got.get(event["recipient"], 0) + 1
    with connect(root) as ledger:
        ended = dict(ledger.execute("SELECT email, state FROM deliveries").fetchall())
    wrong = [f"{email}: {count} copies" for email, count in got.items() if count > 1]
    in_time = [each for each in left if each.stood not in ("armed", "accepted")]
    for each in in_time:
        if ended[each.email] != "withdrawn" or each.email in got:
            wrong.append(f"{each.email} left in time ({each.stood}), ended {ended[each.email]}")
    for each in left:
        if each.stood in ("armed", "accepted") and got.get(each.email) != 1:
            wrong.append(
                f"{each.email} was {each.stood} when they left, and has {got.get(each.email, 0)} copies"
            )
    withdrawn = sum(state == "withdrawn" for state in ended.values())
    sums = [
        (len(ended), report["readers"]),
        (len(got), report["accepted"]),
        (withdrawn, report["withdrawn"]),
        (report["accepted"] + report["withdrawn"], report["readers"]),
        (withdrawn, len(in_time)),
    ]
    wrong += [f"{one:,} is not {other:,}" for one, other in sums if one != other]
    late = len(left) - len(in_time)
    print(
        f"  {len(in_time)} left before they were armed: all withdrawn, and the relay never heard of them; "
        f"{late} left with their copy on its way"
        if not wrong
        else "\n".join(["WRONG:", *wrong[:20]])
    )
    if wrong:
        sys.exit(1)


if __name__ == "__main__":
    main()
