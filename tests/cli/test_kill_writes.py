"""A run killed at one write after the other, to the disk or to the relay: whatever was written, everything adds up.

`python bench/soak.py --every-write` goes through all of them; here are some.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

import pytest
from support.relay_process import RelayProcess
from support.starter import Forks, counter
from support.writes import Where, Writes

from pipeline.deliver.points import Point

READERS = 20

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        sys.platform != "linux" or not hasattr(os, "pidfd_open"),
        reason="runs are held by pidfd, which only Linux has",
    ),
]
counted = pytest.mark.skipif(
    counter() is None, reason="writes are counted by a library that needs a C compiler"
)

#: A run of twenty leases and closes once; the rest it does for every copy.
ONCE = (Point.LEASED, Point.CLOSED)


@pytest.fixture(scope="module")
def writes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Writes]:
    folder = tmp_path_factory.mktemp("writes")
    with RelayProcess(folder / "relay") as relay, Forks() as forks:
        yield Writes(folder, READERS, relay, forks)
    assert relay.violations() == []


@counted
def test_a_run_that_nobody_kills_writes_as_often_as_the_samples_below_need(writes: Writes) -> None:
    end = writes.kill(Where())
    assert (end.killed, end.doubts, end.faults) == (False, 0, [])
    assert int(end.call) > 300


@counted
@pytest.mark.parametrize(
    "where",
    [
        *(Where(at=at) for at in (3, 60, 111, 152, 203, 244, 295)),
        *(Where(at=at, after=True) for at in (100, 149, 198)),
        *(Where(at=at, connections=4) for at in (90, 141, 192)),
        *(Where(at=at, window=8) for at in (100, 140)),
    ],
    ids=str,
)
def test_killed_at_a_write(writes: Writes, where: Where) -> None:
    end = writes.kill(where)
    assert end.killed
    assert end.faults == []


@pytest.mark.parametrize("point", Point)
def test_killed_at_a_named_point(writes: Writes, point: Point) -> None:
    end = writes.kill(Where(point=point, nth=1 if point in ONCE else 7, connections=2))
    assert end.killed
    assert end.faults == []
