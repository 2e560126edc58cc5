"""The table of states: the only way a delivery moves, and the picture of it."""

from __future__ import annotations

from datetime import timedelta
from itertools import product
from pathlib import Path

import pytest
from support.sending import at

from pipeline.deliver.backoff import after_a_lost_connection, backoff
from pipeline.deliver.states import EVENTS, FINAL, TABLE, Event, draw, move
from pipeline.deliver.tally import Tally
from pipeline.errors import StoreError
from pipeline.model import Counts, Outcome
from pipeline.model import DeliveryState as State


def test_every_state_can_be_reached_from_the_queue() -> None:
    reached = {State.QUEUED}
    while more := {after for (before, _), after in TABLE.items() if before in reached} - reached:
        reached |= more
    assert reached == set(State)


def test_only_the_final_states_are_final() -> None:
    assert {State.ACCEPTED, State.REFUSED, State.WITHDRAWN, State.EXPIRED, State.CANCELLED} == FINAL


def test_every_state_that_is_not_final_can_still_end() -> None:
    for start in set(State) - FINAL:
        reached = {start}
        while more := {after for (before, _), after in TABLE.items() if before in reached} - reached:
            reached |= more
        assert reached & FINAL


def test_a_doubt_ends_only_by_evidence_or_a_person() -> None:
    assert {event for state, event in TABLE if state is State.IN_DOUBT} == {
        Event.SETTLE_ACCEPTED,
        Event.SETTLE_AGAIN,
    }


def test_what_may_be_on_the_wire_never_goes_back_without_an_answer() -> None:
    back = {
        event for (state, event), after in TABLE.items() if state is State.ARMED and after is State.QUEUED
    }
    assert back == {Event.DEFER}


def test_nothing_is_accepted_or_in_doubt_that_was_not_armed() -> None:
    for state, event in TABLE:
        if event in (Event.ACCEPT, Event.LOSE):
            assert state is State.ARMED


def test_every_other_way_is_closed() -> None:
    for way in set(product(State, Event)) - set(TABLE):
        with pytest.raises(StoreError, match="at fault"):
            move(*way)
    assert move(State.LEASED, Event.ARM) is State.ARMED


def test_every_answer_of_a_mailer_moves_an_armed_delivery() -> None:
    for outcome in set(Outcome) - {Outcome.NOT_ARMED}:
        move(State.ARMED, EVENTS[outcome])


def test_the_picture_shows_the_whole_table() -> None:
    picture = draw()
    for (state, event), after in TABLE.items():
        assert f"{state.replace('_', ' ')} ─" in picture
        assert f"─ {event} ─" in picture
        assert f"▶ {after.replace('_', ' ')}" in picture
    assert picture.count("▶") == len(TABLE)
    assert picture.startswith(
        "queued ─┬─ lease ───────────▶ leased\n        ├─ withdraw ────────▶ withdrawn ■\n"
    )


def test_the_page_for_operators_shows_the_picture_as_it_is() -> None:
    page = Path(__file__).parents[2] / "docs" / "delivery.md"
    assert f"```\n{draw()}```" in page.read_text("utf-8")


def test_a_lost_connection_costs_its_message_little_three_times_and_then_as_much_as_any() -> None:
    rests = [after_a_lost_connection(n, "1") for n in range(5)]
    assert rests[:3] == [timedelta(seconds=1), timedelta(seconds=2), timedelta(seconds=4)]
    assert rests[3:] == [backoff(0, "1"), backoff(1, "1")]


def test_a_deferred_delivery_rests_longer_each_time_and_not_in_step_with_others() -> None:
    rests = [backoff(n, "1") for n in range(8)]
    assert timedelta(seconds=300) <= rests[0] < timedelta(seconds=331)
    assert rests[:4] == sorted(rests[:4])
    assert all(timedelta(minutes=50) < rest <= timedelta(seconds=4000) for rest in rests[4:])
    assert backoff(10_000, "1") <= timedelta(seconds=4000)
    assert backoff(3, "1") == backoff(3, "1") != backoff(3, "2")
    assert len({backoff(0, str(n)) for n in range(100)}) > 90


def test_answers_are_counted_and_always_add_up() -> None:
    tally = Tally(Counts(readers=5, queued=4, deferred=1))
    tally.count(at(State.LEASED, id=1), State.ACCEPTED)
    tally.count(at(State.LEASED, id=2), State.REFUSED)
    tally.count(at(State.LEASED, id=3), State.QUEUED)
    tally.count(at(State.LEASED, id=4), State.IN_DOUBT)
    tally.count(at(State.LEASED, id=5, attempts=1), State.ACCEPTED)
    assert tally.counts == Counts(readers=5, accepted=2, refused=1, deferred=1, in_doubt=1)


def test_an_alarm_sounds_for_a_second_accept_of_one_reader() -> None:
    tally = Tally(Counts(readers=3, queued=3))
    for number in (1, 7 << 40):
        tally.count(at(State.LEASED, id=number), State.ACCEPTED)
        with pytest.raises(StoreError, match="accepted"):
            tally.demand_new(at(State.LEASED, id=number))
    tally.demand_new(at(State.LEASED, id=2))


def test_an_alarm_sounds_for_more_accepts_than_readers() -> None:
    tally = Tally(Counts(readers=1, accepted=1))
    with pytest.raises(StoreError, match="more copies"):
        tally.count(at(State.LEASED, id=9), State.ACCEPTED)
