"""Tries a million forged tokens, and looks for anything that an answer's time tells.

    python bench/forging.py [--tokens 1000000] [--requests 3000] [--asks 400]

Tokens: of a true one, one byte is wrong, first or last of each of its parts; others are somebody else's
purpose, random, cut off. None may be read, and how long that takes must not say where the wrong byte is.
Then the same over HTTP, against `newsletter serve`, and the form asked with addresses of readers, of people who
left, and of nobody. All kinds take turns. What is printed beside each median is how it compares with the first
kind: z of a rank-sum test (Mann and Whitney), which noise alone brings over 3 once in 400 times. The second row
is the same kind as the first, under another name: that is the noise.
"""

from __future__ import annotations

import argparse
import base64
import http.client
import os
import random
import shutil
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import urlencode

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parent / "peers"))

from machine import machine
from processes import HERE, free_port, server
from senders import SECRET

from pipeline.audience.tokens import InstallationTokens
from pipeline.model import Subscriber, SubscriberState
from pipeline.project import open_project

ROOT = HERE.parents[1]
TOKENS = InstallationTokens(SECRET.encode())
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
#: Of a token's 27 bytes: the key's id, ten of the MAC, sixteen that hide whose it is.
PLACES = {
    "key id wrong": 0,
    "(the same)": 0,
    "MAC, first byte": 1,
    "MAC, last byte": 10,
    "id, first byte": 11,
    "id, last byte": 26,
}
NOISE = 4.0


def main() -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tokens", type=int, default=1_000_000)
    parser.add_argument("--requests", type=int, default=3000, help="of each kind, over HTTP")
    parser.add_argument("--asks", type=int, default=400, help="of each kind, by the form")
    asked = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="bench-forging-"))
    try:
        print(f"{machine(folder)}\n")
        read(asked.tokens)
        over_http(folder / "letter", asked.requests, asked.asks)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def forgers() -> dict[str, Callable[[str], str]]:
    """Kind -> what makes a forged token for somebody."""

    def wrong_at(place: int) -> Callable[[str], str]:
        def forge(uid: str) -> str:
            data = bytearray(base64.urlsafe_b64decode(TOKENS.token("unsubscribe", uid)))
            data[place] ^= random.randrange(1, 256)
            return base64.urlsafe_b64encode(data).decode()

        return forge

    return {
        **{kind: wrong_at(place) for kind, place in PLACES.items()},
        "another purpose": lambda uid: TOKENS.token("preferences", uid),
        "another secret": lambda uid: InstallationTokens(random.randbytes(16)).token("unsubscribe", uid),
        "random": lambda _: base64.urlsafe_b64encode(random.randbytes(27)).decode(),
    }


def read(many: int) -> None:
    """Have forged tokens read, each kind in its turn."""
    kinds = forgers()
    took: dict[str, list[int]] = {kind: [] for kind in kinds}
    accepted = 0
    left = many
    while left > 0:
        batch = [
            (kind, forge(random.randbytes(16).hex())) for kind, forge in kinds.items() for _ in range(500)
        ]
        random.shuffle(batch)
        # Written anew in that order: where in memory a token lies is worth ten nanoseconds, and must tell no kind.
        batch = [(kind, f" {token}"[1:]) for kind, token in batch]
        left -= len(batch)
        for kind, token in batch:
            start = time.perf_counter_ns()
            found = TOKENS.read("unsubscribe", token)
            spent = time.perf_counter_ns() - start
            took[kind].append(spent)
            accepted += found is not None
    tell(f"{sum(map(len, took.values())):,} forged tokens read, accepted: {accepted}", took, 1000, "µs")
    if accepted:
        sys.exit(1)


def over_http(root: Path, requests: int, asks: int) -> None:
    """The same by POST, and what the form says and takes."""
    shutil.copytree(ROOT / "posts", root / "posts")
    shutil.copy(ROOT / "newsletter.toml", root)
    project = open_project(root, environ={"NEWSLETTER_SECRET": SECRET})
    people = {
        "a reader": SubscriberState.CONFIRMED,
        "(another reader)": SubscriberState.CONFIRMED,
        "left": SubscriberState.UNSUBSCRIBED,
        "asked before": SubscriberState.UNCONFIRMED,
    }
    emails = {
        kind: [f"{kind[1:3].strip()}{n}@{len(kind)}.example.org" for n in range(asks)] for kind in people
    }
    project.store.put_subscribers(
        Subscriber(TOKENS.uid(email), email, "", state, project.now)
        for kind, state in people.items()
        for email in emails[kind]
    )
    emails["nobody"] = [f"nobody{n}@example.org" for n in range(asks)]
    port = free_port()
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "NEWSLETTER_SECRET": SECRET,
        "NEWSLETTER_WEB__SUBSCRIBE_LIMIT": "999999/minute",
        "NEWSLETTER_WEB__TRUSTED_PROXIES": '["127.0.0.1"]',
    }
    with server(
        [sys.executable, "-m", "pipeline", "-C", str(root), "serve", "-p", str(port)], port, environment
    ):
        wire, kinds = http.client.HTTPConnection("127.0.0.1", port), forgers()
        took: dict[str, list[int]] = {kind: [] for kind in kinds}
        answers = set()
        uid = TOKENS.uid(emails["a reader"][0])
        for _ in range(requests):
            for kind, token in shuffled({kind: forge(uid) for kind, forge in kinds.items()}):
                spent, status, body = post(wire, f"/unsubscribe/{token}", {"leave": "1"})
                took[kind].append(spent)
                answers.add((status, body))
        states = {project.store.subscriber(email).state for email in emails["a reader"]}  # type: ignore[union-attr]
        tell(
            f"{requests * len(kinds):,} by POST, different answers: {len(answers)}, readers: {states}",
            took,
            1e6,
            "ms",
        )
        took, answers = {kind: [] for kind in emails}, set()
        for number in range(asks):
            for kind, email in shuffled({kind: addresses[number] for kind, addresses in emails.items()}):
                spent, status, body = post(wire, "/subscribe", {"email": email})
                took[kind].append(spent)
                answers.add((status, body.replace(email.encode(), b"")))
        tell(f"{asks * len(emails):,} asked by the form, different answers: {len(answers)}", took, 1e6, "ms")


def shuffled(given: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return what there is in another order every time: what comes first in a row is slower, whatever it is."""
    return random.sample(list(given.items()), len(given))


_clients = iter(range(1 << 24))


def post(wire: http.client.HTTPConnection, path: str, fields: Mapping[str, str]) -> tuple[int, int, bytes]:
    """Post a form, every time as another client; return nanoseconds, status and body."""
    number = next(_clients)
    client = {"X-Forwarded-For": f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"}
    start = time.perf_counter_ns()
    wire.request("POST", path, urlencode(fields), FORM | client)
    answer = wire.getresponse()
    body = answer.read()
    return time.perf_counter_ns() - start, answer.status, body


def tell(what: str, took: dict[str, list[int]], unit: float, name: str) -> None:
    """Print each kind's median, and how it compares with the first."""
    print(what)
    first = next(iter(took.values()))
    worst = 0.0
    for kind, times in took.items():
        z = rank_sum(first, times)
        worst = max(worst, abs(z)) if kind[0] != "(" else worst
        print(f"  {kind:<20} {statistics.median(times) / unit:>9.3f} {name}   z {z:>5.1f}")
    print(f"bar: nothing beyond noise (z under {NOISE:g}): {'met' if worst < NOISE else 'missed'}\n")


def rank_sum(one: list[int], other: list[int]) -> float:
    """Return z of the rank-sum test: how surely one kind takes longer than the other."""
    both = sorted([(value, 0) for value in one] + [(value, 1) for value in other])
    ranks, at = 0.0, 0
    while at < len(both):
        end = at
        while end < len(both) and both[end][0] == both[at][0]:
            end += 1
        middle = (at + end + 1) / 2
        ranks += middle * sum(of for _, of in both[at:end])
        at = end
    n, m = len(one), len(other)
    mean, deviation = m * (n + m + 1) / 2, (n * m * (n + m + 1) / 12) ** 0.5
    return (ranks - mean) / deviation


if __name__ == "__main__":
    main()
