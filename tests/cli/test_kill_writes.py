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

#: Connections and window.
WAYS = ((1, 1), (4, 1), (1, 8))
#: At which share of a run's writes it is killed. How many there are depends on the SQLite, and on what happens to
#: be committed together, by a fifth from run to run: so none of the last third.
SAMPLES = [
    *(((1, 1), share, False) for share in (0.02, 0.3, 0.42, 0.55, 0.65)),
    *(((1, 1), share, True) for share in (0.35, 0.6)),
    *(((4, 1), share, False) for share in (0.35, 0.55)),
    *(((1, 8), share, True) for share in (0.45, 0.6)),
]
#: A run of twenty leases and closes once; the rest it does for every copy.
ONCE = (Point.LEASED, Point.CLOSED)


@pytest.fixture(scope="module")
def writes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Writes]:
    folder = tmp_path_factory.mktemp("writes")
    with RelayProcess(folder / "relay") as relay, Forks() as forks:
        yield Writes(folder, READERS, relay, forks)
    assert relay.violations() == []


@pytest.fixture(scope="module")
def undisturbed(writes: Writes) -> dict[tuple[int, int], int]:
    """Connections and window -> how often a run writes that nobody kills."""
    often = {}
    for way in WAYS:
        end = writes.kill(Where(connections=way[0], window=way[1]))
        assert (end.killed, end.doubts, end.faults) == (False, 0, [])
        often[way] = int(end.call)
    return often


@counted
@pytest.mark.parametrize(("way", "share", "after"), SAMPLES)
def test_killed_at_a_write(
    writes: Writes, undisturbed: dict[tuple[int, int], int], way: tuple[int, int], share: float, after: bool
) -> None:
    end = writes.kill(Where(int(undisturbed[way] * share), after, connections=way[0], window=way[1]))
    assert end.killed
    assert end.faults == []


@pytest.mark.parametrize("point", Point)
def test_killed_at_a_named_point(writes: Writes, point: Point) -> None:
    end = writes.kill(Where(point=point, nth=1 if point in ONCE else 7, connections=2))
    assert end.killed
    assert end.faults == []
