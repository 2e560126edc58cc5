"""A postman killed with SIGKILL, anywhere: no letter goes twice, and what was not armed goes out by the next."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from pipeline.deliver.points import Point

HERE = Path(__file__).parent
PEOPLE = [f"r{n}@example.com" for n in range(4)]
#: A postman comes past these for every letter.
POINTS = (Point.SPLICED, Point.BODY_WRITTEN, Point.ARMED, Point.HANDED_OVER, Point.RECORDED)
Kill = Callable[..., str]

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")


@pytest.fixture(scope="module")
def runs() -> Iterator[subprocess.Popen[str]]:
    places = os.pathsep.join([str(HERE.parents[1]), str(HERE.parent)])
    with subprocess.Popen(
        [sys.executable, str(HERE / "killed_postman.py")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": places},
        encoding="utf-8",
    ) as process:
        yield process
        assert process.stdin
        process.stdin.close()


@pytest.fixture
def kill(runs, house) -> Kill:
    # One connection, so that one letter is under way when the signal comes.
    house.environ = {**house.environ, "NEWSLETTER_MAIL__SMTP__CONNECTIONS": "1"}

    def run(when: str = "", number: float = 1, overdue: float = 3600) -> str:
        runs.stdin.write(json.dumps([str(house.root), house.environ, when, number, overdue]) + "\n")
        runs.stdin.flush()
        said = runs.stdout.readline().strip()
        assert said in {"killed", "done"}, said
        return said

    return run


def got(relay) -> Counter[str]:
    return Counter(each.recipient for each in relay.deliveries)


@pytest.mark.parametrize("point", POINTS)
def test_nobody_twice_and_only_an_armed_letter_is_lost(house, relay, kill, point: Point) -> None:
    house.asks(*PEOPLE)
    assert kill(point, 3) == "killed"
    # The next message is made before the last one is armed.
    before = {Point.SPLICED: 1, Point.HANDED_OVER: 3, Point.RECORDED: 3}.get(point, 2)
    assert got(relay) == Counter(PEOPLE[:before])
    assert kill() == "done"
    lost = [PEOPLE[2]] if point is Point.ARMED else []
    assert got(relay) == Counter(one for one in PEOPLE if one not in lost)
    # What was armed is swept once nobody can be waiting for its answer, and is not sent again.
    assert kill(overdue=0) == "done"
    assert got(relay).total() == len(PEOPLE) - len(lost)
    assert house.store.sweep_letters(timedelta()) == 0
    assert house.store.next_letter() is None


def test_killed_at_random_moments_between_the_dot_and_its_answer(house, relay, kill) -> None:
    moments, relay.latency = random.Random(1), 0.03
    house.asks(*PEOPLE)
    kills = sum(kill("after", moments.uniform(0, 60)) == "killed" for _ in range(6))
    assert kills
    assert kill() == "done"
    assert set(got(relay).values()) <= {1}
    assert len(PEOPLE) - kills <= got(relay).total() <= len(PEOPLE)
