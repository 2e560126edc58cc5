"""Runs over SMTP that are killed, stopped or told to end: nobody twice, nobody forgotten, every doubt named.

bench/soak.py does this a thousand times; here are one newsletter of each kind.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.letter import Letter
from support.relay import Relay
from support.relay_script import Script, drip
from support.running import READERS, AtWork, everybody_once, numbers
from support.soak import Newsletter, make_letter
from support.starter import Forks
from support.treatment import Manner

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or not hasattr(os, "pidfd_open"),
    reason="signals go by pidfd, which only Linux has",
)

KINDS = {
    "doubts are settled by the relay's log": Manner(1, "log", 20, settles="log", whole=0.5),
    "doubts stay": Manner(2, "left", 20, settles="left", connections=1, whole=0),
    "a window, and a relay that is slower than we are patient": Manner(
        3, "window", 20, settles="again", window=4, impatient=True, whole=0
    ),
    "two runs at once": Manner(4, "joined", 80, settles="log", joined=True, whole=0),
    "stopped beyond its lease": Manner(5, "stopped", 60, settles="log", stops=1, whole=0),
}


@pytest.fixture(scope="module")
def forks() -> Iterator[tuple[Forks, Forks]]:
    with Forks() as first, Forks() as second:
        yield first, second


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_killed_again_and_again_and_everything_adds_up(
    tmp_path: Path, forks: tuple[Forks, Forks], kind: str
) -> None:
    manner = KINDS[kind]
    ready = make_letter(tmp_path / "ready", manner.readers)
    toll = Newsletter(ready, tmp_path / "letter", manner, forks).live(wanted=4)
    assert toll.faults == []
    assert toll.count["kills"] + toll.count["stops"] > 0
    assert toll.count["twice"] == toll.count["lost"] == toll.count["stuck"] == 0


@pytest.mark.parametrize("which", [signal.SIGTERM, signal.SIGINT])
def test_told_to_end_while_the_relay_takes_its_time_after_the_dot(crowd: Letter, which: int) -> None:
    # 17 octets, one at a time.
    with Relay(Script().nth("dot", 4, drip(0.12))) as relay:
        with AtWork(crowd, "send", "--yes", env=relay.environment(connections=1)) as run:
            assert relay.wait(4)  # the fourth is taken, and its answer is on its way
            begin = time.monotonic()
            run.signal(which)
            ran = run.ends()
            took = time.monotonic() - begin
        assert ran.code == 130
        assert took < 30
        have, have_not = numbers(ran.out, r"Stopped\. (\d+) have it, (\d+) do not\.")
        assert (have, have_not) == (len(relay.deliveries), READERS - len(relay.deliveries))
        assert 4 <= have < READERS
        assert crowd.run("report", "1", "--json").json["in_doubt"] == 0
        assert crowd.run("resume", "1", env=relay.environment()).code == 0
        everybody_once(relay)
