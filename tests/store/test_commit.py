"""Answers and arms of many connections in one transaction: each as if it were alone."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
from sqlalchemy import text
from support.ledger import GIVE_UP, NOW, answer, arm, record

from pipeline.errors import StoreError
from pipeline.model import Counts, IssueState, Outcome, Verdict
from pipeline.store import commit, ledger
from pipeline.store.given import Prepared

HOUR = timedelta(hours=1)


def verdict(delivery, outcome, reply="", rest=None):
    return Verdict(answer(delivery, outcome, reply), rest)


def column(store, name):
    with store._database.read() as connection:
        return list(connection.scalars(text(f"SELECT {name} FROM deliveries ORDER BY id")))


def test_every_kind_of_answer_and_arms_of_others_in_one_go(sending):
    one, two, three, four, five = sending.lease(1, "run", 5)
    assert sending.commit("run", [], [one, four], GIVE_UP) == [True, True]
    verdicts = [
        verdict(one, Outcome.ACCEPTED, "250 ok"),
        verdict(two, Outcome.REFUSED, "550 no"),
        verdict(three, Outcome.DEFERRED, "450 later", HOUR),
        verdict(four, Outcome.IN_DOUBT, ""),
    ]
    assert sending.commit("run", verdicts, [five], GIVE_UP) == [True]
    assert sending.counts(1) == Counts(readers=5, queued=1, accepted=1, refused=1, deferred=1, in_doubt=1)
    assert column(sending, "reply") == ["250 ok", "550 no", "450 later", "", ""]
    assert column(sending, "attempts") == [1, 1, 1, 1, 0]
    assert [moment is not None for moment in column(sending, "answered")] == [True] * 4 + [False]


def test_each_of_many_is_armed_or_not_by_its_own_right(sending):
    one, two, three, four, five = sending.lease(1, "run", 5)
    sending.unsubscribe(two.recipient.email, NOW)
    record(sending, answer(three, Outcome.NOT_ARMED), "run")
    assert sending.commit("run", [], [one, two, three, four, one], GIVE_UP) == [
        True,
        False,
        False,
        True,
        False,
    ]
    assert sending.counts(1) == Counts(readers=5, queued=4, withdrawn=1)
    assert column(sending, "state") == ["armed", "withdrawn", "queued", "armed", "leased"]
    assert not arm(sending, five, "other")


def test_nothing_to_do_is_done(sending):
    assert sending.commit("run", [], [], GIVE_UP) == []


def test_a_run_that_is_not_at_work_arms_nothing_of_its_own(sending):
    (one,) = sending.lease(1, "run", 1)
    with sending._database.write() as connection:
        connection.execute(text("DELETE FROM runs"))
    assert not arm(sending, one, "run")
    assert sending.lease(1, "run", 1) == []


def test_the_verdict_comes_before_the_arm(sending):
    one, two = sending.lease(1, "run", 2)
    assert arm(sending, one, "run")
    sending.set_issue_state(1, IssueState.PAUSED, "the relay refused us")
    assert sending.commit("run", [verdict(one, Outcome.ACCEPTED)], [two], GIVE_UP) == [False]
    assert sending.counts(1).accepted == 1


def test_what_the_ledger_did_not_let_go_stops_all_but_loses_no_other_answer(sending, opened):
    one, two, three = sending.lease(1, "run", 3)
    assert sending.commit("run", [], [one], GIVE_UP) == [True]
    both = [verdict(one, Outcome.ACCEPTED), verdict(two, Outcome.ACCEPTED)]
    with pytest.raises(
        StoreError, match=f"handed delivery {two.id} of issue 1, which the ledger did not let go"
    ):
        sending.commit("run", both, [three], GIVE_UP)
    with pytest.raises(StoreError, match="next run"):
        arm(sending, three, "run")
    assert opened().counts(1) == Counts(readers=5, queued=4, accepted=1)


def test_two_accepts_for_one_reader_in_one_commit_stop_everything(sending):
    (one,) = sending.lease(1, "run", 1)
    assert arm(sending, one, "run")
    with pytest.raises(StoreError, match="did not let go"):
        sending.commit("run", [verdict(one, Outcome.ACCEPTED)] * 2, [], GIVE_UP)


def test_a_late_answer_of_a_run_taken_for_dead_is_evidence(sending, opened):
    one, two, three = sending.lease(1, "run", 3)
    assert sending.commit("run", [], [one, two, three], GIVE_UP) == [True] * 3
    sending._database.locks.drop_all()  # as if it had died, though it goes on
    after = opened()
    after.claim(1, "next")
    assert after.counts(1) == Counts(readers=5, queued=2, in_doubt=3)
    late = [
        verdict(one, Outcome.ACCEPTED),
        verdict(two, Outcome.IN_DOUBT),
        verdict(three, Outcome.DEFERRED, "451", HOUR),
    ]
    assert sending.commit("run", late, [], GIVE_UP) == []
    assert after.counts(1) == Counts(readers=5, queued=2, accepted=1, in_doubt=2)


def test_a_late_accept_of_what_was_put_back_by_a_person_is_an_alarm(sending, opened):
    (one,) = sending.lease(1, "run", 1)
    assert arm(sending, one, "run")
    sending._database.locks.drop_all()
    after = opened()
    after.claim(1, "next")
    (doubt,) = after.doubts(1)
    after.settle(doubt, accepted=False)
    with pytest.raises(StoreError, match="did not let go"):
        record(sending, answer(one, Outcome.ACCEPTED), "run")


def test_a_reader_the_relay_keeps_putting_off_expires_after_a_while(sending):
    (one,) = sending.lease(1, "run", 1)
    give_up = timedelta(seconds=0.3)
    sending.commit("run", [verdict(one, Outcome.DEFERRED, "450 first", timedelta(0))], [], give_up)
    (tried,) = {moment for moment in column(sending, "first_tried") if moment}
    time.sleep(0.4)
    again = next(other for other in sending.lease(1, "run", 5) if other.id == one.id)
    sending.commit("run", [verdict(again, Outcome.DEFERRED, "450 still", HOUR)], [], give_up)
    assert sending.counts(1) == Counts(readers=5, queued=4, expired=1)
    assert column(sending, "reply")[0] == "450 still"
    assert column(sending, "attempts")[0] == 2
    assert tried in column(sending, "first_tried")


def test_with_no_patience_at_all_the_first_later_is_the_last(sending):
    (one,) = sending.lease(1, "run", 1)
    sending.commit("run", [verdict(one, Outcome.DEFERRED, "450", HOUR)], [], timedelta(0))
    assert sending.counts(1) == Counts(readers=5, queued=4, expired=1)


def test_what_a_relay_says_is_kept_as_any_database_takes_it(sending):
    one, two = sending.lease(1, "run", 2)
    replies = ["550 caf\udce9 \0 '\"\\", "550 日本 \x1b" + "x" * 2000]
    sending.commit(
        "run", [verdict(d, Outcome.REFUSED, r) for d, r in zip((one, two), replies, strict=True)], [], GIVE_UP
    )
    said = column(sending, "reply")
    assert said[0] == "550 caf?  '\"\\"
    assert said[1] == replies[1][:1000]


def test_the_statements_find_their_rows_by_number_however_long_the_ledger(sending):
    """Going through what is leased for each of a group would cost a hundred times as much."""
    prepared = [*commit._ANSWERS.values(), commit._ARM, commit._EXPIRE, commit._WITHDRAW, commit._IN_DOUBT]
    prepared += [ledger._TAKE, Prepared(ledger._LATE)]
    plans = {}
    with sending._database.read() as connection:
        for one in prepared:
            compiled = one._compile(connection)
            given = {**compiled.params, "given": '[[1, 1, "", 0]]', "run": "run", "give_up": 0, "span": 0}
            given["the_issue"] = 1
            found = connection.exec_driver_sql(
                f"EXPLAIN QUERY PLAN {compiled}", tuple(given[name] for name in compiled.positiontup)
            )
            plans[str(compiled)] = [row[3] for row in found]
    assert len(plans) > 7
    for plan in plans.values():
        assert not any(step.startswith("SCAN deliveries") for step in plan), plan
        by_number = "SEARCH deliveries USING INTEGER PRIMARY KEY (rowid=?)" in plan
        by_queue = any("ix_deliveries_queue (issue=? AND state=?)" in step for step in plan)
        assert by_number or by_queue, plan
    assert sum(any("ix_deliveries_queue" in step for step in plan) for plan in plans.values()) == 1


def test_one_that_overslept_its_lease_is_not_taken_for_the_one_that_was_leased_again(sending):
    """A run that slept finds again what it still holds; only the new lease may go."""
    sending.lease_time = timedelta(seconds=-1)
    (old,) = sending.lease(1, "run", 1)
    sending.lease_time = timedelta(minutes=20)
    (new,) = sending.lease(1, "run", 1)
    assert (old.id, old.epoch + 1) == (new.id, new.epoch)
    assert list(sending.commit("run", [], [old, new], GIVE_UP)) == [False, True]
    sending.commit("run", [verdict(new, Outcome.ACCEPTED)], [], GIVE_UP)
    assert sending.counts(1).accepted == 1
