"""Measures how fast a frozen issue is handed to an SMTP server, with the whole ledger, beside other senders.

    python bench/smtp.py [--messages 10000] [--connections 10] [--rounds 5] [--only NAME ...]
    python bench/smtp.py --distance

Everyone hands copies of 40 kB to the same sink, Debian's smtp-sink, started here on a free port; in rounds,
one after the other, because a machine's other work comes and goes. The figures are medians over the rounds;
a ratio is the median of the rounds' ratios. Slow peers send fewer messages in a round (a rate is what counts).
`--distance` puts a line of some milliseconds between one connection and a sink that offers CHUNKING.
"""

from __future__ import annotations

import argparse
import shutil
import signal
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "peers"))

from distance import distance
from machine import machine
from processes import Cost, free_port, server, sink
from senders import PEERS, Scene, make_letter


def main() -> None:
    # Ended from outside, it still ends what it started and takes its ledgers away.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--messages", type=int, default=10_000, help="of the quick ones, in a round")
    parser.add_argument("--connections", type=int, default=10)
    parser.add_argument(
        "--ours", type=int, default=0, help="connections for ours, if not as many as the others"
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", action="append", metavar="NAME", help=f"one of: {', '.join(PEERS)}")
    parser.add_argument("--nodemailer", type=Path, help="the node_modules folder that holds nodemailer")
    parser.add_argument("--folder", type=Path, help="where the ledger is put; must be a disk")
    parser.add_argument("--distance", action="store_true", help="one connection, 0, 5 and 20 ms away")
    asked = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="bench-smtp-", dir=asked.folder))
    try:
        print(f"{machine(folder)}\n")
        if asked.distance:
            distance(folder, asked.rounds)
        else:
            compare(folder, asked)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def compare(folder: Path, asked: argparse.Namespace) -> None:
    names = asked.only or list(PEERS)
    make_letter(folder, asked.messages)
    port = free_port()
    with server(sink(port), port) as relay:
        scene = Scene(folder, port, asked.connections, asked.ours, asked.nodemailer)
        there = []
        for name in names:
            missing = PEERS[name].missing(scene)
            if missing:
                print(f"left out: {name}: {missing}")
            else:
                there.append(name)
        costs: dict[str, list[Cost]] = {name: [] for name in there}
        for number in range(asked.rounds):
            for name in there:
                peer = PEERS[name]
                before = relay.cpu
                cost = peer.run(scene, max(asked.messages // peer.slower, 100))
                costs[name].append(
                    Cost(cost.messages, cost.seconds, cost.cpu, cost.memory, relay.cpu - before)
                )
                if sys.stderr.isatty():
                    print(f"round {number + 1}: {name}: {cost.rate:,.0f}/s", file=sys.stderr, flush=True)
    table(costs)
    bars(costs)


def table(costs: dict[str, list[Cost]]) -> None:
    """Print a line for each, and how often over it we are."""
    print(
        f"{'':<34} {'messages/s':>10} {'lowest-highest':>15} {'CPU s/1,000':>12} {'peak MB':>8} "
        f"{'sink s/1,000':>13} {'ours is':>9}"
    )
    for name, runs in costs.items():
        rates = sorted(run.rate for run in runs)
        ours = f"{ratio(costs, name):>8.2f}x" if "ours" in costs else ""
        print(
            f"{PEERS[name].what:<34} {statistics.median(rates):>10,.0f} {rates[0]:>7,.0f}-{rates[-1]:<7,.0f} "
            f"{per_thousand(runs, 'cpu'):>12.2f} {max(run.memory for run in runs) / 1e6:>8.0f} "
            f"{per_thousand(runs, 'sink'):>13.2f} {ours:>9}",
            flush=True,
        )


def per_thousand(runs: Sequence[Cost], what: str) -> float:
    return statistics.median(getattr(run, what) / run.messages * 1000 for run in runs)


def ratio(costs: dict[str, list[Cost]], name: str) -> float:
    """How many times as fast as a peer we are, in the middle of the rounds."""
    return statistics.median(
        ours.rate / peer.rate for ours, peer in zip(costs["ours"], costs[name], strict=True)
    )


def bars(costs: dict[str, list[Cost]]) -> None:
    """Say whether what we promise ourselves holds."""
    for name, wanted in (("smtp-source", 1.0), ("smtplib", 20.0)):
        if "ours" in costs and name in costs:
            is_now = ratio(costs, name)
            print(f"bar: {wanted:g} x {name}: {'met' if is_now >= wanted else 'missed'} ({is_now:.2f})")


if __name__ == "__main__":
    main()
