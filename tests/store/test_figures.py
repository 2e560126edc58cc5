"""What reports, the pace and a waiting run ask of the ledger."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from sqlalchemy import text
from support.ledger import GIVE_UP, NOW, answer, arm, frozen, record, subscriber

from pipeline.model import Counts, IssueState, Outcome, Verdict
from pipeline.store import figures

HOUR = timedelta(hours=1)


def change(store, sql):
    with store._database.write() as connection:
        connection.execute(text(sql))


def said(store, replies, outcome=Outcome.REFUSED):
    leased = store.lease(1, "run", len(replies))
    store.commit(
        "run",
        [Verdict(answer(one, outcome, reply), HOUR) for one, reply in zip(leased, replies, strict=True)],
        [],
        GIVE_UP,
    )


def test_a_run_is_told_how_long_to_wait(sending):
    assert sending.waits(1) == timedelta(0)
    said(sending, ["450"] * 5, Outcome.DEFERRED)
    assert timedelta(minutes=59) < sending.waits(1) <= HOUR
    assert sending.issue(1).due - datetime.now(UTC) > timedelta(minutes=59)
    assert sending.issue(1).due.tzname() == NOW.tzname()


def test_what_is_hurried_is_due_now_and_still_counts_as_deferred(sending):
    said(sending, ["450"] * 2, Outcome.DEFERRED)
    assert sending.hurry(1) == 2
    assert sending.counts(1) == Counts(readers=5, queued=3, deferred=2)
    assert sending.waits(1) == timedelta(0)
    assert abs(sending.issue(1).due - datetime.now(UTC)) < timedelta(minutes=1)
    assert len(sending.lease(1, "run", 9)) == 5
    assert sending.waits(1) is None
    assert sending.issue(1).due is None


def test_the_pace_learns_when_answers_came_whatever_they_were(sending):
    assert sending.handed_over(HOUR) == []
    said(sending, ["550", "550"])
    said(sending, ["450"], Outcome.DEFERRED)
    said(sending, [""], Outcome.NOT_ARMED)
    change(sending, "UPDATE deliveries SET answered = answered - 600000000 WHERE id = 2")
    change(sending, "UPDATE deliveries SET answered = answered - 7200000000 WHERE id = 1")
    oldest, newest = sending.handed_over(HOUR)
    assert timedelta(minutes=10) <= oldest < timedelta(minutes=11)
    assert timedelta(0) <= newest < timedelta(minutes=1)
    assert len(sending.handed_over(timedelta(hours=3))) == 3


def test_of_very_many_answers_the_newest_count(sending, monkeypatch):
    monkeypatch.setattr(figures, "ANSWERS", 1)
    said(sending, ["550", "550"])
    change(sending, "UPDATE deliveries SET answered = answered - 600000000 WHERE id = 1")
    (newest,) = sending.handed_over(HOUR)
    assert newest < timedelta(minutes=1)


def test_the_answers_of_the_last_hour_are_found_by_their_index(sending):
    with sending._database.read() as connection:
        sql = "EXPLAIN QUERY PLAN SELECT answered FROM deliveries WHERE answered >= 5 ORDER BY answered DESC LIMIT 9"
        plan = connection.execute(text(sql)).all()
    assert ["ix_deliveries_answered" in step.detail for step in plan] == [True]


def test_refusals_are_counted_by_what_was_said_the_most_frequent_first(sending):
    said(sending, ["550 no", "550 no", "554 spam"])
    said(sending, ["450 later"], Outcome.DEFERRED)
    told = [(str(one.state), one.reply, one.count, one.domains) for one in sending.refusals(1)]
    assert told == [
        ("refused", "550 no", 2, ("d0.example.com", "d1.example.com")),
        ("queued", "450 later", 1, ("d1.example.com",)),
        ("refused", "554 spam", 1, ("d0.example.com",)),
    ]
    assert sending.refusals(2) == []


def test_a_relay_that_says_something_else_each_time_does_not_fill_the_screen(sending, monkeypatch):
    monkeypatch.setattr(figures, "REFUSALS", 2)
    monkeypatch.setattr(figures, "DOMAINS", 1)
    said(sending, ["550 a", "550 b", "550 b", "550 c", "550 c"])
    assert [(one.reply, len(one.domains)) for one in sending.refusals(1)] == [("550 b", 1), ("550 c", 1)]


def test_refused_copies_are_told_in_the_order_of_their_answers_page_after_page(sending, monkeypatch):
    monkeypatch.setattr(figures, "PAGE", 2)
    leased = sending.lease(1, "run", 9)
    for number, one in enumerate(leased):
        if number == 2:
            assert arm(sending, one, "run")
            record(sending, answer(one, Outcome.ACCEPTED, "250 ok"), "run")
        else:
            record(sending, answer(one, Outcome.REFUSED, f"550 {number}"), "run")
    # So quickly that the database's clock may not tell them apart.
    change(sending, "UPDATE deliveries SET answered = answered + 1000000 * id")
    told = [(copy.uid, copy.reply, copy.in_a_row) for copy in sending.refused(1)]
    uids = [one.recipient.uid for one in leased]
    assert told == [
        (uids[0], "550 0", 2),
        (uids[1], "550 1", 2),
        (uids[3], "550 3", 2),
        (uids[4], "550 4", 2),
    ]
    assert list(sending.refused(2)) == []


def test_what_came_between_two_refusals_is_found_by_the_moment(sending):
    with sending._database.read() as connection:
        plans = []
        real = connection.connection.driver_connection
        real.set_trace_callback(plans.append)
    try:
        sending._accepted_between(1, 5, 6)
    finally:
        real.set_trace_callback(None)
    (asked,) = [sql for sql in plans if "answered >" in sql]
    with sending._database.read() as connection:
        steps = " ".join(row.detail for row in connection.execute(text(f"EXPLAIN QUERY PLAN {asked}")))
    assert "ix_deliveries_answered (answered>? AND answered<?)" in steps


def test_nobodys_acceptance_is_a_refusal(sending):
    (one,) = sending.lease(1, "run", 1)
    assert arm(sending, one, "run")
    record(sending, answer(one, Outcome.ACCEPTED, "250 ok"), "run")
    assert sending.refusals(1) == []


@pytest.mark.parametrize(("hours", "stretches"), [(0, 1), (2, 60), (0.01, 36)])
def test_acceptances_over_time_are_in_stretches_of_one_length(store, hours, stretches):
    store.put_subscribers(subscriber(f"r{n:03}@example.com") for n in range(100))
    store.freeze(frozen(), [], NOW)
    assert store.over_time(1) == []
    start = (NOW - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    last = start + int(hours * 3_600_000_000)
    change(store, f"UPDATE deliveries SET state = 'accepted', answered = {start}, updated = {start + 9**15}")
    change(store, f"UPDATE deliveries SET answered = {last} WHERE id % 4 = 0")
    change(store, f"UPDATE deliveries SET answered = NULL, updated = {last} WHERE id = 4")
    over_time = store.over_time(1)
    assert sum(count for _, count in over_time) == 100
    assert abs(len(over_time) - stretches) <= 2
    assert len(over_time) <= 60
    assert over_time[0][0] == NOW
    assert over_time[0][0].tzname() == NOW.tzname()
    assert len({b[0] - a[0] for a, b in pairwise(over_time)}) <= 1
    if hours:
        assert (over_time[0][1], over_time[-1][1]) == (75, 25)


def test_why_an_issue_is_paused_is_told_until_it_goes_on(sending):
    sending.set_issue_state(1, IssueState.PAUSED, "the relay answered 535 to our password")
    assert sending.issue(1).why == "the relay answered 535 to our password"
    sending.set_issue_state(1, IssueState.SENDING, "never mind")
    assert sending.issue(1).why == ""


def test_an_issue_s_recipients_are_walked_through_page_by_page(sending, monkeypatch):
    whole = list(sending.enrolled(1))
    assert len(set(whole)) == sending.counts(1).readers > 3
    monkeypatch.setattr(figures, "PAGE", 2)
    assert list(sending.enrolled(1)) == whole
    assert list(sending.enrolled(2)) == []
