"""After a kill, a full disk, a lock or a damaged file: all or nothing, and words a person can act on."""

from __future__ import annotations

import contextlib
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import text
from support.ledger import GIVE_UP, NOW, TOKENS, URL, answer, arm, frozen, record, subscriber

from pipeline.errors import StoreError
from pipeline.model import (
    CarriedPost,
    Counts,
    Decision,
    IssueState,
    Letter,
    LetterKind,
    Outcome,
    Request,
    SubscriberState,
)
from pipeline.store import open_store, sqlite
from pipeline.store.driver import DRIVER

FILE = ".newsletter/newsletter.db"

#: Every call that writes, on a store with issue 1 being sent and one delivery leased.
WRITES: dict[str, Callable] = {
    "put_subscribers": lambda store, one: store.put_subscribers([subscriber("new@example.com")]),
    "unsubscribe": lambda store, one: store.unsubscribe("r4@d0.example.com", NOW),
    "decide": lambda store, one: store.decide("r4@d0.example.com", _leaves),
    "decide_by_uid": lambda store, one: store.decide_by_uid(one.recipient.uid, _leaves),
    "answer a request": lambda store, one: store.answer(Request(1, "r4@d0.example.com", "", NOW), _leaves),
    "forget": lambda store, one: store.forget("r4@d0.example.com", NOW),
    "erase_unconfirmed": lambda store, one: store.erase_unconfirmed(NOW, 10),
    "ask": lambda store, one: store.ask("new@example.com", "", NOW),
    "arm_letter": lambda store, one: store.arm_letter(_LETTER),
    "settle_letter": lambda store, one: store.settle_letter(_LETTER, None, GIVE_UP),
    "withdraw_letter": lambda store, one: store.withdraw_letter(_LETTER),
    "sweep_letters": lambda store, one: store.sweep_letters(GIVE_UP),
    "entry_updates": lambda store, one: store.entry_updates([_Post()], NOW),
    "freeze": lambda store, one: store.freeze(frozen(2), [], NOW),
    "published": lambda store, one: store.published(1),
    "set_issue_state": lambda store, one: store.set_issue_state(1, IssueState.PAUSED),
    "claim": lambda store, one: store.claim(1, "run"),
    "lease": lambda store, one: store.lease(1, "run", 5),
    "arm": lambda store, one: arm(store, one, "run"),
    "record": lambda store, one: record(store, answer(one, Outcome.REFUSED), "run"),
    "settle": lambda store, one: store.settle(one, True),
    "close": lambda store, one: store.close(1),
    "release": lambda store, one: store.release(1, "run"),
}
READS: dict[str, Callable] = {
    "carried": lambda store: store.carried(),
    "last_issue": lambda store: store.last_issue(),
    "issue": lambda store: store.issue(1),
    "issues": lambda store: store.issues(),
    "frozen": lambda store: store.frozen(1),
    "pages": lambda store: list(store.pages()),
    "readers": lambda store: store.readers(),
    "by_variant": lambda store: store.by_variant(1),
    "subscribers": lambda store: list(store.subscribers()),
    "subscriber": lambda store: store.subscriber("r1@d1.example.com"),
    "audience": lambda store: store.audience(NOW),
    "person": lambda store: store.person(TOKENS.uid("r1@d1.example.com")),
    "everything": lambda store: store.everything("r1@d1.example.com"),
    "requests": lambda store: store.requests(1),
    "letters": lambda store: store.letters(1),
    "next_letter": lambda store: store.next_letter(),
    "doubts": lambda store: store.doubts(1),
    "counts": lambda store: store.counts(1),
    "enrolled": lambda store: list(store.enrolled(1)),
    "by_domain": lambda store: store.by_domain(1),
}


_LETTER = Letter(1, LetterKind.WELCOME, "0" * 32, "r4@d0.example.com", "", NOW)


def _leaves(person):
    return Decision(person.subscriber and replace(person.subscriber, state=SubscriberState.UNSUBSCRIBED))


class _Post:
    id, published = "a", NOW
    fingerprint = frozen().posts[0].fingerprint


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(sqlite, "BUSY_SECONDS", 0.1)


@pytest.mark.parametrize("name", WRITES)
def test_a_store_that_others_hold_too_long_says_so_and_is_not_used_again(impatient, sending, tmp_path, name):
    (one,) = sending.lease(1, "run", 1)
    holder = DRIVER.connect(tmp_path / FILE, isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    with pytest.raises(StoreError, match=r"newsletter\.db: another process has held the store"):
        WRITES[name](sending, one)
    holder.execute("ROLLBACK")
    holder.close()
    with pytest.raises(StoreError, match="until the next run"):
        sending.readers()


@pytest.mark.parametrize("name", READS)
def test_whatever_is_read_from_a_damaged_store_is_an_error_with_its_place(sending, tmp_path, opened, name):
    sending.close_database()
    with DRIVER.connect(tmp_path / FILE) as connection:
        for table in (
            "deliveries",
            "bodies",
            "carried",
            "issues",
            "letters",
            "requests",
            "suppressions",
            "subscribers",
        ):
            connection.execute(f"DROP TABLE {table}")
    connection.close()
    store = opened()
    with pytest.raises(
        StoreError, match=r"\.newsletter/newsletter\.db: is not a newsletter's store, or it is damaged"
    ):
        READS[name](store)


@pytest.mark.parametrize(
    "damage", [b"this is not a database at all " * 100, b"SQLite format 3\0" + b"\xff" * 4000]
)
def test_a_file_that_is_no_database_is_named_and_left_alone(tmp_path, damage):
    (tmp_path / ".newsletter").mkdir()
    (tmp_path / FILE).write_bytes(damage)
    with pytest.raises(StoreError, match=r"\.newsletter/newsletter\.db: .*damaged"):
        open_store(URL, tmp_path, TOKENS)
    assert (tmp_path / FILE).read_bytes() == damage


def test_a_page_overwritten_in_the_middle_is_noticed_or_harmless(sending, tmp_path, opened):
    sending.close_database()
    content = bytearray((tmp_path / FILE).read_bytes())
    content[4096 * 2 : 4096 * 12] = random.Random(7).randbytes(4096 * 10)
    (tmp_path / FILE).write_bytes(content)
    for read in READS.values():
        with contextlib.suppress(StoreError):
            read(opened())


def test_a_full_disk_while_freezing_leaves_no_trace_of_the_issue(store, opened):
    store.put_subscribers(subscriber(f"r{n}@example.com") for n in range(2000))
    with store._database.read() as connection:
        pages = connection.scalar(text("PRAGMA page_count"))
        connection.execute(text(f"PRAGMA max_page_count = {pages + 20}"))
    with pytest.raises(StoreError, match=r"the disk is full\. Make room"):
        store.freeze(frozen(), [], NOW)
    with pytest.raises(StoreError):
        store.counts(1)
    after = opened()
    assert (after.issue(1), list(after.carried()), after.counts(1)) == (None, [], Counts())
    assert after.freeze(frozen(), [], NOW) == 2000


def test_a_full_disk_while_recording_leaves_a_doubt_and_nobody_twice(sending, opened):
    (one,) = sending.lease(1, "run", 1)
    assert arm(sending, one, "run")
    with sending._database.read() as connection:
        pages = connection.scalar(text("PRAGMA page_count"))
        connection.execute(text(f"PRAGMA max_page_count = {pages}"))
        connection.execute(
            text(
                "CREATE TEMP TRIGGER t AFTER UPDATE ON deliveries BEGIN "
                "INSERT INTO installation SELECT hex(randomblob(20)), hex(zeroblob(2000000)); END"
            )
        )
    with pytest.raises(StoreError, match="disk is full"):
        record(sending, answer(one, Outcome.ACCEPTED), "run")
    after = opened()
    after.claim(1, "next")
    assert after.counts(1) == Counts(readers=5, queued=4, in_doubt=1)
    assert one.id not in {delivery.id for delivery in after.lease(1, "next", 10)}


def test_a_failed_store_lets_go_of_its_lock_so_that_the_next_run_can_begin(
    impatient, sending, tmp_path, opened
):
    holder = DRIVER.connect(tmp_path / FILE, isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    with pytest.raises(StoreError):
        sending.lease(1, "run", 1)
    holder.close()
    sending.release(1, "run")  # says nothing: the failure was told already
    opened().claim(1, "next")


FREEZER = """
import sys
from pathlib import Path
sys.path[:0] = sys.argv[2:]
from support.ledger import GIVE_UP, NOW, TOKENS, URL, arm, frozen, record
from pipeline.model import CarriedPost
from pipeline.store import open_store
store = open_store(URL, Path(sys.argv[1]), TOKENS)
print("ready", flush=True)
store.freeze(frozen(template=b"x" * 2_000_000), [CarriedPost("old", None)], NOW)
print("done", flush=True)
"""


@pytest.mark.parametrize("seed", range(3))
def test_a_run_killed_while_freezing_has_frozen_all_or_nothing(tmp_path, store, opened, seed):
    store.put_subscribers(subscriber(f"r{n}@example.com") for n in range(4000))
    store.close_database()
    run = subprocess.Popen(
        [sys.executable, "-c", FREEZER, str(tmp_path), *sys.path], stdout=subprocess.PIPE, text=True
    )
    assert run.stdout is not None
    assert run.stdout.readline() == "ready\n"
    time.sleep(random.Random(seed).uniform(0, 0.12))
    run.kill()
    said, _ = run.communicate()
    after = opened()
    whole = after.issue(1) is not None
    assert whole or "done" not in said
    assert after.counts(1).readers == (4000 if whole else 0)
    assert {post.id for post in after.carried()} == ({"weather-1", "bread-1", "old"} if whole else set())
    assert (after.frozen(1) is not None) == whole
    if whole:
        after.claim(1, "next")
        assert len(after.lease(1, "next", 5)) == 5
    else:
        assert after.freeze(frozen(), [], NOW) == 4000


SENDER = """
import sys
from pathlib import Path
sys.path[:0] = sys.argv[2:]
from support.ledger import GIVE_UP, NOW, TOKENS, URL, answer, arm, frozen, record
from pipeline.model import Outcome
from pipeline.store import open_store
store = open_store(URL, Path(sys.argv[1]), TOKENS)
store.claim(1, "dead")
while batch := store.lease(1, "dead", 10):
    for one in batch:
        if arm(store, one, "dead"):
            print(one.id, flush=True)     # the relay has it now
            record(store, answer(one, Outcome.ACCEPTED), "dead")
"""


@pytest.mark.parametrize("seed", range(2))
def test_a_run_killed_while_delivering_leaves_one_doubt_at_most_and_nobody_twice(
    tmp_path, store, opened, seed
):
    store.put_subscribers(subscriber(f"r{n}@example.com") for n in range(400))
    store.freeze(frozen(), [], NOW)
    run = subprocess.Popen(
        [sys.executable, "-c", SENDER, str(tmp_path), *sys.path], stdout=subprocess.PIPE, text=True
    )
    assert run.stdout is not None
    at_relay = {int(run.stdout.readline())}
    time.sleep(random.Random(seed).uniform(0, 0.1))
    run.kill()
    at_relay |= {int(line) for line in run.communicate()[0].split()}
    after = opened()
    after.claim(1, "next")
    counts, doubts = after.counts(1), {one.id for one in after.doubts(1)}
    assert len(doubts) <= 1
    assert counts.accepted + counts.queued + len(doubts) == counts.readers == 400
    assert len(at_relay - doubts) == counts.accepted
    rest = after.lease(1, "next", 400)
    assert not {one.id for one in rest} & at_relay
    assert len(rest) == counts.queued


def as_nobody(code, *arguments):
    """Run code as a user whom file rights hold back (they do not hold root)."""
    drop = "import os\nif os.geteuid() == 0: os.setgid(65534); os.setuid(65534)\n"
    # Everything is loaded before: that user may not be able to read the environment it is installed in.
    import_first = (
        "import pipeline.store.migrate, pipeline.store.sql, support.ledger, sqlalchemy\n"
        "sqlalchemy.create_engine('sqlite://').connect().close()\n"
    )
    return subprocess.run(
        [
            sys.executable,
            "-c",
            f"import sys; sys.path[:0] = sys.argv[2:]\n{import_first}{drop}{code}",
            *arguments,
            *sys.path,
        ],
        capture_output=True,
        text=True,
        check=False,
    )


OPEN = """
from pathlib import Path
from pipeline.errors import StoreError
from pipeline.store import open_store
from support.ledger import GIVE_UP, NOW, TOKENS, URL, arm, frozen, record, subscriber
def tell(call, *arguments):
    try:
        print(call(*arguments))
    except StoreError as fault:
        print(fault)
store = open_store(URL, Path(sys.argv[1]), TOKENS)
"""


@pytest.mark.skipif(os.name != "posix", reason="file rights")
def test_a_clone_that_may_not_be_written_to_can_be_looked_at(shared):
    shared.chmod(0o555)
    looked = as_nobody(
        OPEN + "tell(store.readers); tell(store.last_issue)\n"
        "tell(store.put_subscribers, [subscriber('a@example.com')]); tell(store.freeze, frozen(), [], NOW)",
        str(shared),
    )
    assert looked.stderr == ""
    lines = looked.stdout.splitlines()
    assert lines[:2] == ["0", "None"]
    assert all(
        line.startswith(".newsletter/newsletter.db: cannot be made: Permission denied") for line in lines[2:]
    )
    assert len(lines) == 4
    assert not (shared / ".newsletter").exists()


@pytest.mark.parametrize("missing", ["make", "refuse"])
def test_a_store_that_cannot_be_where_it_is_said_to_be_is_not_taken_for_an_empty_one(tmp_path, missing):
    (tmp_path / "file").touch()
    (tmp_path / "letter").mkdir()
    nowhere = f"sqlite:///{tmp_path}/file/below/x.db"
    said = {"make": "cannot be made: .* or set store.url", "refuse": "is not there. If it was, put it back"}
    with pytest.raises(StoreError, match=rf"{tmp_path}/file/below/x.db: {said[missing]}"):
        open_store(nowhere, tmp_path / "letter", TOKENS, missing=missing)


@pytest.mark.skipif(os.name != "posix", reason="file rights")
def test_a_store_that_may_not_be_written_to_can_be_read(shared):
    store = open_store(URL, shared, TOKENS)
    store.put_subscribers([subscriber("a@example.com")])
    store.close_database()
    (shared / FILE).chmod(0o444)
    (shared / ".newsletter").chmod(0o555)
    looked = as_nobody(
        OPEN + "tell(store.readers); tell(store.unsubscribe, 'a@example.com', NOW)", str(shared)
    )
    assert looked.stderr == ""
    assert looked.stdout.splitlines()[0] == "1"
    assert looked.stdout.splitlines()[1].startswith(
        ".newsletter/newsletter.db: cannot be written: the file or"
    )


@pytest.mark.skipif(os.name != "posix", reason="file rights")
def test_a_store_that_may_not_be_read_is_named(shared):
    open_store(URL, shared, TOKENS).close_database()
    (shared / ".newsletter").chmod(0o755)
    looked = as_nobody(
        "try:\n " + OPEN.strip().replace("\n", "\n ") + "\nexcept StoreError as fault: print(fault)",
        str(shared),
    )
    assert looked.stdout.startswith(".newsletter/newsletter.db: cannot be opened"), looked


@pytest.fixture
def shared(tmp_path):
    """A folder that other users reach."""
    import tempfile
    from pathlib import Path

    with tempfile.TemporaryDirectory(prefix="letter-") as name:
        folder = Path(name) / "letter"
        folder.mkdir()
        Path(name).chmod(0o755)
        yield folder
        for path in [folder, *folder.rglob("*")]:
            path.chmod(0o755)


@pytest.mark.slow
def test_two_hundred_thousand_readers_are_enrolled_in_seconds(store):
    many = """
        WITH RECURSIVE people(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM people WHERE n < 200000)
        INSERT INTO subscribers (email_key, uid, email, domain, name, state, since, created, updated)
        SELECT 'r' || n || '@example.com', lower(hex(randomblob(16))), 'r' || n || '@example.com', 'example.com',
               'Reader', 'confirmed', 0, 0, 0 FROM people"""
    with store._database.write() as connection:
        connection.execute(text(many))
    before = time.perf_counter()
    assert store.freeze(frozen(posts=(CarriedPost("a", 1),)), [], NOW) == store.readers() == 200_000
    assert time.perf_counter() - before < 20
    store.claim(1, "run")
    before = time.perf_counter()
    assert len(store.lease(1, "run", 50)) == 50
    assert store.counts(1).readers == 200_000
    assert time.perf_counter() - before < 5
