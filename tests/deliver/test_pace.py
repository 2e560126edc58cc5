"""How fast a run goes: the pace that was set, what a relay asks for, and when refusals mean us."""

from __future__ import annotations

import pytest
from support.sending import delivery

from pipeline.deliver.breaker import Breaker
from pipeline.deliver.pace import Pace
from pipeline.model import Answer, Outcome, Submission


class Clock:
    """Time that passes only when it is told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def went_within(pace: Pace, clock: Clock, seconds: float) -> int:
    """Hand over whenever it is allowed; return how many went."""
    end, went = clock.now + seconds, 0
    while clock.now < end - 1e-6:
        rest = pace.wait()
        went += not rest
        clock.now = min(clock.now + rest, end)
    return went


def test_without_a_pace_nothing_waits() -> None:
    pace = Pace(clock=Clock())
    assert [pace.wait() for _ in range(1000)] == [0.0] * 1000


def test_so_many_a_second_and_not_one_more() -> None:
    clock = Clock()
    pace = Pace(per_second=14, clock=clock)
    assert [went_within(pace, clock, 1.0) for _ in range(5)] == [14] * 5


def test_time_that_was_slept_away_is_not_made_up_for_in_a_burst() -> None:
    clock = Clock()
    pace = Pace(per_second=10, clock=clock)
    clock.now += 60
    assert went_within(pace, clock, 1.0) <= 11


def test_so_many_in_any_hour_with_those_of_the_run_before() -> None:
    clock = Clock()
    pace = Pace(per_hour=100, recent=[3000.0] * 30 + [60.0] * 30, clock=clock)
    assert went_within(pace, clock, 1.0) == 40
    assert went_within(pace, clock, 595.0) == 0
    assert went_within(pace, clock, 10.0) == 30
    assert went_within(pace, clock, 3600.0) <= 100


def test_less_than_one_an_hour_is_possible() -> None:
    clock = Clock()
    pace = Pace(per_hour=0.5, clock=clock)
    assert went_within(pace, clock, 4 * 3600 + 1) == 3


def test_a_relay_that_asks_for_less_gets_less_and_speed_comes_back_with_what_it_accepts() -> None:
    clock = Clock()
    pace = Pace(clock=clock)
    pace.wait()
    pace.slow_down()
    assert pace.wait() == pytest.approx(0.5)
    clock.now += 0.6
    pace.slow_down()
    assert pace.wait() == pytest.approx(1.0)
    for _ in range(40):
        clock.now += pace.wait()
        pace.went_well()
    assert pace.wait() == 0.0


def test_ten_connections_that_are_told_at_once_are_told_one_thing() -> None:
    clock = Clock()
    pace = Pace(clock=clock)
    for _ in range(10):
        pace.slow_down()
    assert pace.wait() == pytest.approx(0.5)


def test_the_gap_has_an_end() -> None:
    clock = Clock()
    pace = Pace(clock=clock)
    for _ in range(30):
        pace.slow_down()
        clock.now += 120
    pace.slow_down()
    assert pace.wait() <= 60


def said(outcome: Outcome, reply: str) -> Answer:
    return Answer(Submission(delivery(), "", "", "", b""), outcome, reply)


SPAM = said(Outcome.REFUSED, "554 5.7.1 relay access denied")
GONE = said(Outcome.REFUSED, "550 5.1.1 no such user")


@pytest.mark.parametrize(
    ("answers", "trips"),
    [
        ([SPAM] * 5, True),
        ([SPAM] * 4, False),
        ([SPAM] * 4 + [said(Outcome.ACCEPTED, "250 ok")] + [SPAM] * 4, False),
        ([SPAM] * 4 + [said(Outcome.DEFERRED, "451 later")] + [SPAM], True),
        ([SPAM, GONE] * 10, False),
        ([said(Outcome.REFUSED, f"550 5.1.1 no such user (session {n}-a7)") for n in range(5)], True),
        ([said(Outcome.REFUSED, f"550 5.1.{n} no such user") for n in range(9)], False),
        ([said(Outcome.REFUSED, f"{550 + n} no such user") for n in range(9)], False),
        ([said(Outcome.REFUSED, "5000 copies are on this disk already")] * 9, False),
        ([said(Outcome.REFUSED, "the address cannot be written")] * 9, False),
        ([said(Outcome.DEFERRED, "451 later")] * 9, False),
    ],
)
def test_five_refusals_in_the_same_words_are_about_us(answers: list[Answer], trips: bool) -> None:
    breaker = Breaker()
    assert any(map(breaker.trips, answers)) is trips
