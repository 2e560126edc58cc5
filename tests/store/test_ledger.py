"""Nobody twice, nobody forgotten, every doubt named: the ledger, step by step."""

from __future__ import annotations

import threading
import time
from datetime import timedelta

import pytest
from sqlalchemy import text
from support.ledger import NOW, TOKENS, URL, answer, arm, frozen, record, subscriber

from pipeline.audience.tokens import InstallationTokens
from pipeline.deliver.states import TABLE
from pipeline.errors import Busy, Refused, StoreError
from pipeline.model import Counts, DeliveryState, IssueState, Outcome
from pipeline.store import open_store
from pipeline.store.moves import MOVES


def test_the_store_makes_no_move_that_the_table_of_states_does_not_know():
    legal = {(before, after) for (before, _), after in TABLE.items()}
    assert {(begin, end) for begins, end in MOVES.values() for begin in begins} <= legal


def test_a_delivery_walks_from_queue_to_accepted(sending):
    assert sending.issue(1).started is None
    deliveries = sending.lease(1, "run", 2)
    assert [(one.recipient.email, one.recipient.name, one.epoch) for one in deliveries] == [
        ("r0@d0.example.com", "Reader 0", 1),
        ("r1@d1.example.com", "Reader 1", 1),
    ]
    assert sending.issue(1).started is not None
    assert arm(sending, deliveries[0], "run")
    assert not arm(sending, deliveries[0], "run")
    record(sending, answer(deliveries[0], Outcome.ACCEPTED, "250 ok"), "run")
    assert sending.counts(1) == Counts(readers=5, queued=4, accepted=1)
    assert sending.by_domain(1) == {
        "d0.example.com": {"accepted": 1, "queued": 2},
        "d1.example.com": {"leased": 1, "queued": 1},
    }


def test_every_answer_ends_where_it_should_and_the_eight_add_up(sending):
    outcomes = [Outcome.ACCEPTED, Outcome.REFUSED, Outcome.DEFERRED, Outcome.IN_DOUBT]
    for outcome in outcomes:
        (delivery,) = sending.lease(1, "run", 1)
        assert arm(sending, delivery, "run")
        record(sending, answer(delivery, outcome), "run", timedelta(hours=1))
    counts = sending.counts(1)
    assert counts == Counts(readers=5, queued=1, accepted=1, refused=1, deferred=1, in_doubt=1)
    assert [one.recipient.email for one in sending.doubts(1)] == ["r3@d1.example.com"]
    assert not sending.close(1)


def test_a_definite_no_before_the_dot_needs_no_arming(sending):
    one, two = sending.lease(1, "run", 2)
    record(sending, answer(one, Outcome.REFUSED, "550"), "run")
    record(sending, answer(two, Outcome.DEFERRED, "450"), "run", timedelta(seconds=60))
    assert sending.counts(1) == Counts(readers=5, queued=3, refused=1, deferred=1)


def test_what_is_deferred_rests_and_then_is_due_again(sending):
    (one,) = sending.lease(1, "run", 1)
    record(sending, answer(one, Outcome.DEFERRED), "run", timedelta(seconds=1))
    assert one.id not in {other.id for other in sending.lease(1, "run", 10)}
    time.sleep(1.1)
    (again,) = sending.lease(1, "run", 10)
    assert (again.id, again.epoch, again.attempts) == (one.id, 2, 1)
    with pytest.raises(ValueError, match="time to rest"):
        record(sending, answer(again, Outcome.DEFERRED), "run")


def test_a_submission_that_was_not_armed_goes_back_to_the_queue(sending):
    (one,) = sending.lease(1, "run", 1)
    record(sending, answer(one, Outcome.NOT_ARMED), "run")
    assert [other.id for other in sending.lease(1, "run", 1)] == [one.id]


def test_nobody_who_left_since_the_freeze_is_leased(sending):
    sending.unsubscribe("r0@d0.example.com", NOW)
    sending.forget("r1@d1.example.com", NOW)
    sending.put_subscribers([subscriber("r2@d0.example.com", suppressed="bounced")])
    assert [one.recipient.email[:2] for one in sending.lease(1, "run", 1)] == ["r3"]
    assert sending.counts(1) == Counts(readers=5, queued=2, withdrawn=3)


def test_nobody_who_left_after_the_lease_is_armed(sending):
    one, two, three = sending.lease(1, "run", 3)
    sending.unsubscribe(one.recipient.email, NOW)
    sending.put_subscribers([subscriber(two.recipient.email, suppressed="bounced")])
    sending.forget(three.recipient.email, NOW)
    assert [arm(sending, delivery, "run") for delivery in (one, two, three)] == [False, False, False]
    assert sending.counts(1) == Counts(readers=5, queued=2, withdrawn=3)


@pytest.mark.parametrize("state", [IssueState.PAUSED, IssueState.CANCELLED])
def test_nothing_is_armed_once_the_issue_is_paused_or_cancelled(sending, state):
    (one,) = sending.lease(1, "run", 1)
    sending.set_issue_state(1, state)
    assert not arm(sending, one, "run")


def test_a_run_that_slept_longer_than_its_lease_arms_nothing_and_nothing_is_stuck(sending):
    sending.lease_time = timedelta(seconds=0.1)
    (one,) = sending.lease(1, "run", 1)
    time.sleep(0.2)
    assert not arm(sending, one, "run")
    sending.lease_time = timedelta(minutes=1)
    (again,) = sending.lease(1, "run", 1)
    assert (again.id, again.epoch) == (one.id, 2)
    record(sending, answer(one, Outcome.REFUSED), "run")  # an old answer to an old lease
    assert not arm(sending, one, "run")
    assert arm(sending, again, "run")


def test_only_the_owner_of_a_lease_arms_and_records(sending):
    (one,) = sending.lease(1, "run", 1)
    assert not arm(sending, one, "other")
    assert sending.lease(1, "other", 1) == []
    assert arm(sending, one, "run")
    record(sending, answer(one, Outcome.REFUSED), "other")
    assert sending.counts(1).queued == 5


@pytest.mark.parametrize("outcome", [Outcome.ACCEPTED, Outcome.IN_DOUBT])
def test_a_hand_over_the_ledger_did_not_let_go_stops_everything(sending, outcome):
    (one,) = sending.lease(1, "run", 1)
    with pytest.raises(StoreError, match="did not let go") as alarm:
        record(sending, answer(one, outcome), "run")
    assert "@" not in str(alarm.value)
    with pytest.raises(StoreError, match="next run"):
        sending.lease(1, "run", 1)


def test_a_second_accept_for_one_reader_stops_everything(sending):
    (one,) = sending.lease(1, "run", 1)
    assert arm(sending, one, "run")
    record(sending, answer(one, Outcome.ACCEPTED), "run")
    with pytest.raises(StoreError):
        record(sending, answer(one, Outcome.ACCEPTED), "run")


def test_a_doubt_is_settled_once_and_trying_again_opens_a_sent_issue(sending):
    for delivery in sending.lease(1, "run", 5):
        assert arm(sending, delivery, "run")
        record(sending, answer(delivery, Outcome.IN_DOUBT), "run")
    assert sending.close(1)
    assert sending.close(1)
    assert sending.issue(1).finished is not None
    one, two, *_ = sending.doubts(1)
    sending.settle(one, accepted=True)
    assert sending.issue(1).state is IssueState.SENT
    with pytest.raises(Refused, match="not in doubt"):
        sending.settle(one, accepted=False)
    sending.settle(two, accepted=False)
    assert (sending.issue(1).state, sending.issue(1).finished) == (IssueState.SENDING, None)
    assert sending.counts(1) == Counts(readers=5, queued=1, accepted=1, in_doubt=3)
    assert [again.id for again in sending.lease(1, "run", 5)] == [two.id]


def test_an_issue_without_readers_is_sent_at_once(store):
    store.freeze(frozen(), [], NOW)
    assert store.close(1)
    assert store.issue(1).finished is not None


def test_after_a_dead_run_nothing_leased_is_lost_and_everything_armed_is_named(sending, opened):
    one, two, _three = sending.lease(1, "run", 3)
    assert arm(sending, one, "run")
    assert arm(sending, two, "run")
    record(sending, answer(two, Outcome.ACCEPTED), "run")
    sending.close_database()  # as dead as its process would be: the lock is free
    after = opened()
    after.claim(1, "next")
    assert after.counts(1) == Counts(readers=5, queued=3, accepted=1, in_doubt=1)
    assert [doubt.id for doubt in after.doubts(1)] == [one.id]
    assert len(after.lease(1, "next", 10)) == 3


def test_a_run_that_stops_gives_back_what_it_has(sending):
    one, *_ = sending.lease(1, "run", 3)
    assert arm(sending, one, "run")
    sending.release(1, "run")
    assert sending.counts(1) == Counts(readers=5, queued=4, in_doubt=1)
    sending.claim(1, "next")
    assert len(sending.lease(1, "next", 10)) == 4


def test_two_runs_are_never_at_work_at_once(sending, opened):
    other = opened()
    with pytest.raises(Busy, match=r"since \d\d:\d\d:\d\d \(process \d+\)"):
        other.claim(1, "other")
    with pytest.raises(Busy):
        sending.claim(1, "other")
    sending.claim(1, "run")
    sending.release(1, "run")
    other.claim(1, "other")


def test_an_issue_frozen_with_another_secret_is_not_gone_on_with(sending, tmp_path):
    sending.release(1, "run")
    other = open_store(URL, tmp_path, InstallationTokens(b"another secret, long enough too"))
    with pytest.raises(Refused, match="another installation secret"):
        other.claim(1, "other")
    other.close_database()
    with pytest.raises(StoreError, match="no issue 9"):
        sending.claim(9, "run")
    assert TOKENS.message_id(1, "seal") not in repr(sending)


def test_threads_that_lease_at_once_never_get_the_same_delivery(store):
    store.put_subscribers(subscriber(f"r{n}@example.com") for n in range(300))
    store.freeze(frozen(), [], NOW)
    store.claim(1, "run")
    taken: list[int] = []

    def work():
        while batch := store.lease(1, "run", 7):
            taken.extend(delivery.id for delivery in batch)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == len(set(taken)) == 300


def test_who_leaves_while_a_run_arms_is_armed_before_or_not_at_all(store, opened):
    """Once unsubscribe has answered, no arm succeeds."""
    store.put_subscribers(subscriber(f"r{n:03}@example.com") for n in range(60))
    store.freeze(frozen(), [], NOW)
    store.claim(1, "run")
    left_at: dict[str, float] = {}

    def leave():
        other = opened()
        for n in reversed(range(60)):
            assert other.unsubscribe(f"r{n:03}@example.com", NOW)
            left_at[f"r{n:03}@example.com"] = time.monotonic()

    leaver = threading.Thread(target=leave)
    leaver.start()
    armed = 0
    for delivery in store.lease(1, "run", 60):
        asked = time.monotonic()
        if arm(store, delivery, "run"):
            armed += 1
            assert left_at.get(delivery.recipient.email, asked + 1) >= asked
            record(store, answer(delivery, Outcome.ACCEPTED), "run")
    leaver.join()
    assert store.lease(1, "run", 60) == []
    counts = store.counts(1)
    assert (counts.accepted, counts.withdrawn, counts.readers) == (armed, 60 - armed, 60)


def test_a_relays_long_answer_is_cut(sending):
    (one,) = sending.lease(1, "run", 1)
    record(sending, answer(one, Outcome.REFUSED, "5" * 20_000), "run")
    with sending._database.read() as connection:
        assert len(connection.scalar(text("SELECT max(reply) FROM deliveries"))) == 1000


def test_the_queue_is_found_by_its_index_however_long_it_is(sending):
    sql = (
        "EXPLAIN QUERY PLAN SELECT id FROM deliveries WHERE issue = 1 AND state = 'queued' "
        "AND not_before <= 5 ORDER BY not_before, id LIMIT 10"
    )
    with sending._database.read() as connection:
        (plan,) = connection.execute(text(sql)).all()
    assert "ix_deliveries_queue" in plan.detail
    assert DeliveryState.QUEUED == "queued"
