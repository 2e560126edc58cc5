"""How far a run is: cheap however often it is told, and never more than a person can read."""

from __future__ import annotations

import threading
import time

import pytest

from pipeline.cli.progress import LINES, Lines, Meter
from pipeline.cli.words import duration, rate
from pipeline.model import Counts


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def counts(readers: int, done: int, **others: int) -> Counts:
    return Counts(readers=readers, accepted=done, queued=readers - done - sum(others.values()), **others)


def lines(readers: int, per_second: int, seconds: int, **others: int) -> list[str]:
    """What a run of that speed prints in so many seconds."""
    said: list[str] = []
    clock = Clock()
    meter = Meter(Lines(said.append, 42), LINES, clock)
    begin = clock.now
    for tick in range(seconds * 100 + 1):
        clock.now = begin + tick / 100
        meter(counts(readers, min(per_second * tick // 100, readers - sum(others.values())), **others))
    return said


def test_a_slow_run_prints_a_line_every_ten_seconds_with_speed_and_time_left() -> None:
    assert lines(1204, 1, 60) == [
        "Issue 42: 1,204 to hand over",
        "Issue 42: 10 of 1,204 readers, 1.0/s, 19:54 left",
        "Issue 42: 20 of 1,204 readers, 1.0/s, 19:44 left",
        "Issue 42: 30 of 1,204 readers, 1.0/s, 19:34 left",
        "Issue 42: 40 of 1,204 readers, 1.0/s, 19:24 left",
        "Issue 42: 50 of 1,204 readers, 1.0/s, 19:14 left",
        "Issue 42: 60 of 1,204 readers, 1.0/s, 19:04 left",
    ]


def test_a_fast_run_prints_a_line_every_tenth_and_the_end_is_not_its_business() -> None:
    said = lines(50_000, 2_000, 30)
    assert said[1] == "Issue 42: 6,000 of 50,000 readers, 2,000/s, 0:22 left"
    assert len(said) <= 10
    assert len(lines(100, 10_000, 5)) == 1


def test_what_did_not_go_well_is_counted_aloud() -> None:
    said = lines(1000, 14, 8, refused=1, deferred=2)
    assert said[-1] == "Issue 42: 113 of 1,000 readers, 14/s, 1:03 left, 1 refused, 2 deferred"


def test_a_run_that_waits_says_so() -> None:
    assert lines(10, 0, 10, deferred=3)[-1] == "Issue 42: 0 of 10 readers, waiting, 3 deferred"


def test_many_threads_may_tell_at_once_and_it_costs_them_nothing() -> None:
    shown: list[int] = []
    inside = threading.Lock()

    def show(counts: Counts, meter: Meter) -> None:
        assert inside.acquire(blocking=False), "two threads at once"
        time.sleep(0.001)
        shown.append(counts.accepted)
        inside.release()

    meter = Meter(show, 0.05)
    faults: list[BaseException] = []

    def tell() -> None:
        try:
            for done in range(20_000):
                meter(counts(20_000, done))
        except BaseException as fault:
            faults.append(fault)

    threads = [threading.Thread(target=tell) for _ in range(4)]
    begin = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    assert 1 <= len(shown) <= (time.monotonic() - begin) / 0.05 + 1


def test_one_look_is_shown_at_a_time() -> None:
    inside, together = threading.Lock(), []

    def show(counts: Counts, meter: Meter) -> None:
        if not inside.acquire(blocking=False):
            together.append(counts)
            return
        time.sleep(0.001)
        inside.release()

    meter = Meter(show, 0)
    threads = [
        threading.Thread(target=lambda: [meter(counts(100, done)) for done in range(100)]) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert together == []


@pytest.mark.parametrize(
    ("seconds", "said"), [(0.4, "0:00"), (28, "0:28"), (61, "1:01"), (3723, "1:02:03"), (59.7, "1:00")]
)
def test_durations_read_like_a_clock(seconds: float, said: str) -> None:
    assert duration(seconds) == said


@pytest.mark.parametrize(
    ("speed", "said"),
    [(1204.3, "1,204/s"), (14.0, "14/s"), (1.44, "1.4/s"), (0.2, "12/min"), (0.004, "0.2/min")],
)
def test_rates_keep_the_figures_that_say_something(speed: float, said: str) -> None:
    assert rate(speed) == said
