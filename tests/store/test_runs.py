"""Runs beside each other: who is alive, who joins, and what is left of those who died or slept."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import threading
import time
from datetime import timedelta

import pytest
from support.ledger import NOW, answer, arm, frozen, record, subscriber

from pipeline.errors import Busy, StoreError
from pipeline.model import Counts, Outcome
from pipeline.store import open_store

RUN = """
import sys
from pathlib import Path
sys.path[:0] = sys.argv[3:]
from support.ledger import TOKENS, URL, arm
from pipeline.errors import Busy
from pipeline.store import open_store
store = open_store(URL, Path(sys.argv[1]), TOKENS)
owner = sys.argv[2]
try:
    store.claim(1, owner)
except Busy as fault:
    print(fault, flush=True)
    sys.exit(1)
one, two = store.lease(1, owner, 2)
assert arm(store, one, owner)
print("at work", flush=True)
print(sys.stdin.readline())
"""


@pytest.fixture
def start(tmp_path):
    """Start other processes that claim issue 1, lease two deliveries, arm one and then wait."""
    runs = []

    def starter(owner):
        runs.append(
            subprocess.Popen(
                [sys.executable, "-c", RUN, str(tmp_path), owner, *sys.path],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        )
        return runs[-1]

    yield starter
    for run in runs:
        run.kill()
        run.communicate()


@pytest.fixture
def frozen_issue(store):
    store.put_subscribers(subscriber(f"r{n}@example.com") for n in range(5))
    store.freeze(frozen(), [], NOW)
    return store


def locks(tmp_path):
    return sorted(path.name for path in (tmp_path / ".newsletter/runs").iterdir())


def test_a_stopped_run_is_alive_and_a_killed_one_is_dead(tmp_path, frozen_issue, start):
    run = start("first")
    assert run.stdout.readline() == "at work\n"
    run.send_signal(signal.SIGSTOP)
    with pytest.raises(
        Busy, match=rf"at work on this newsletter since \d\d:\d\d:\d\d \(process {run.pid}\)\. .*--join"
    ):
        frozen_issue.claim(1, "second")
    (record,) = frozen_issue.runs(1)
    assert (record.owner, record.process, record.since.tzname()) == ("first", run.pid, NOW.tzname())
    run.kill()
    run.wait()
    assert frozen_issue.runs(1) == []
    frozen_issue.claim(1, "second")
    assert frozen_issue.counts(1) == Counts(readers=5, queued=4, in_doubt=1)
    assert locks(tmp_path) == ["second.lock"]
    assert [one.process for one in frozen_issue.runs(1)] == [os.getpid()]


def test_a_run_joins_another_and_neither_takes_what_is_the_others(frozen_issue, start):
    run = start("first")
    assert run.stdout.readline() == "at work\n"
    frozen_issue.claim(1, "second", join=True)
    assert [one.owner for one in frozen_issue.runs(1)] == ["first", "second"]
    assert len(frozen_issue.lease(1, "second", 10)) == 3
    assert frozen_issue.counts(1) == Counts(readers=5, queued=5)
    frozen_issue.release(1, "second")
    assert [one.owner for one in frozen_issue.runs(1)] == ["first"]
    assert frozen_issue.counts(1) == Counts(readers=5, queued=5)


def test_whoever_joins_clears_up_after_the_dead_and_not_after_the_living(frozen_issue, start):
    dead = start("dead")
    assert dead.stdout.readline() == "at work\n"
    frozen_issue.claim(1, "living", join=True)
    one, *_ = frozen_issue.lease(1, "living", 2)
    assert arm(frozen_issue, one, "living")
    dead.kill()
    dead.wait()
    frozen_issue.claim(1, "third", join=True)
    assert frozen_issue.counts(1) == Counts(readers=5, queued=4, in_doubt=1)
    assert {run.owner for run in frozen_issue.runs(1)} == {"living", "third"}
    record(frozen_issue, answer(one, Outcome.ACCEPTED), "living")
    assert frozen_issue.counts(1).accepted == 1


def test_nobody_joins_a_run_on_another_issue(frozen_issue, opened):
    frozen_issue.freeze(frozen(2), [], NOW)
    frozen_issue.claim(1, "first")
    for join in (False, True):
        with pytest.raises(Busy, match=r"on issue 1 of this newsletter since .* Let it finish, or stop it$"):
            opened().claim(2, "second", join=join)
    frozen_issue.release(1, "first")
    opened().claim(2, "second")


def test_what_a_dead_run_left_of_another_issue_is_cleared_up_too(frozen_issue, opened):
    frozen_issue.freeze(frozen(2), [], NOW)
    frozen_issue.claim(1, "first")
    one, *_ = frozen_issue.lease(1, "first", 3)
    assert arm(frozen_issue, one, "first")
    frozen_issue.close_database()
    after = opened()
    after.claim(2, "second")
    assert after.counts(1) == Counts(readers=5, queued=4, in_doubt=1)
    assert after.runs(1) == []


def test_what_a_sleeping_run_leased_is_taken_by_others_and_what_it_armed_is_not(sending, opened):
    sending.lease_time = timedelta(seconds=1)
    one, two = sending.lease(1, "run", 2)
    assert arm(sending, one, "run")
    other = opened()
    other.claim(1, "other", join=True)
    time.sleep(1.1)
    taken = other.lease(1, "other", 10)
    assert [delivery.id for delivery in taken] == [2, 3, 4, 5]
    for delivery in taken:
        assert arm(other, delivery, "other")
        record(other, answer(delivery, Outcome.ACCEPTED), "other")
    assert not other.close(1)
    assert other.counts(1) == Counts(readers=5, queued=1, accepted=4)
    # It wakes.
    assert not arm(sending, two, "run")
    record(sending, answer(two, Outcome.NOT_ARMED), "run")
    record(sending, answer(one, Outcome.ACCEPTED), "run")
    assert sending.close(1)


def test_two_runs_that_start_at_once_are_one_run_and_one_that_is_told(tmp_path, frozen_issue, start):
    runs = [start(f"run{n}") for n in range(3)]
    said = [run.stdout.readline() for run in runs]
    assert said.count("at work\n") == 1
    assert sum("a run is at work on this newsletter" in line for line in said) == 2
    assert len(locks(tmp_path)) == 1


def test_threads_that_claim_at_once_are_one_run(frozen_issue, opened):
    stores = [opened() for _ in range(4)]
    claimed, barrier = [], threading.Barrier(4)

    def claim(place):
        barrier.wait()
        try:
            stores[place].claim(1, f"run{place}")
        except Busy:
            return
        claimed.append(place)

    threads = [threading.Thread(target=claim, args=[place]) for place in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(claimed) == 1
    assert [run.owner for run in frozen_issue.runs(1)] == [f"run{claimed[0]}"]


def test_a_run_refused_a_second_time_keeps_the_lock_it_has(sending, opened):
    other = opened()
    other.claim(1, "other", join=True)
    with pytest.raises(Busy):
        sending.claim(1, "run")
    other.release(1, "other")
    with pytest.raises(Busy):
        opened().claim(1, "third")


def test_locks_are_their_owners_and_go_with_their_runs(tmp_path, sending):
    folder = tmp_path / ".newsletter/runs"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "run.lock").stat().st_mode) == 0o600
    sending.release(1, "run")
    assert locks(tmp_path) == []


def test_a_lock_left_without_a_run_is_swept(tmp_path, frozen_issue):
    frozen_issue.claim(1, "run")
    frozen_issue.release(1, "run")
    (tmp_path / ".newsletter/runs/gone.lock").touch()
    frozen_issue.claim(1, "next")
    assert locks(tmp_path) == ["next.lock"]


def test_a_run_whose_lock_file_somebody_removed_arms_nothing_once_another_has_begun(
    tmp_path, sending, opened
):
    one, two = sending.lease(1, "run", 2)
    assert arm(sending, one, "run")
    (tmp_path / ".newsletter/runs/run.lock").unlink()
    after = opened()
    after.claim(1, "next")
    assert not arm(sending, two, "run")
    assert {delivery.id for delivery in after.lease(1, "next", 9)} == {2, 3, 4, 5}


def test_where_no_lock_can_be_set_nothing_is_claimed(tmp_path, frozen_issue):
    (tmp_path / ".newsletter/runs").write_text("in the way")
    with pytest.raises(StoreError, match=r"newsletter\.db: no lock can be set beside it"):
        frozen_issue.claim(1, "run")


def test_a_store_in_memory_knows_runs_as_well(tmp_path):
    from support.ledger import TOKENS

    store = open_store("sqlite:///:memory:", tmp_path, TOKENS)
    store.freeze(frozen(), [], NOW)
    store.claim(1, "run")
    with pytest.raises(Busy):
        store.claim(1, "other")
    store.claim(1, "other", join=True)
    assert [run.owner for run in store.runs(1)] == ["run", "other"]
    store.release(1, "run")
    assert [run.owner for run in store.runs(1)] == ["other"]
    assert list(tmp_path.iterdir()) == []
