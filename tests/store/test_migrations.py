"""A store is made in one go, brought up to date in one go, and otherwise opened without ceremony."""

from __future__ import annotations

import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import text
from support.ledger import TOKENS, URL, answer, arm, record, subscriber

import pipeline.store.migrate
from pipeline.errors import StoreError
from pipeline.model import Counts, Outcome
from pipeline.store import driver, open_store
from pipeline.store.driver import DRIVER
from pipeline.store.migrate import REVISION

FILE = ".newsletter/newsletter.db"
MIGRATIONS = Path(pipeline.store.migrate.__file__).with_name("migrations")


def schema(path):
    """What the database says of itself: every table and index in its own words, however the lines are broken."""
    with DRIVER.connect(path) as connection:
        rows = connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_master").fetchall()
    connection.close()
    return {
        row[1]: (*row[:3], row[3] and " ".join(row[3].replace(",", ", ").replace(chr(34), "").split()))
        for row in rows
    }


def base_of_migrations(path):
    """A store as it was before the first migration."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with DRIVER.connect(path) as connection:
        connection.execute(
            "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL, "
            "CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))"
        )
    connection.close()


def test_migrations_and_tables_make_the_same_store(tmp_path):
    base_of_migrations(tmp_path / "old" / FILE)
    open_store(URL, tmp_path / "old", TOKENS).close_database()
    (tmp_path / "new").mkdir()
    open_store(URL, tmp_path / "new", TOKENS).close_database()
    old, new = schema(tmp_path / "old" / FILE), schema(tmp_path / "new" / FILE)
    assert old.keys() == new.keys()
    for name in new.keys() - {"alembic_version"}:
        assert old[name] == new[name]
    with DRIVER.connect(tmp_path / "old" / FILE) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [(REVISION,)]
    connection.close()


def test_the_revision_is_alembics_head_and_every_step_has_one_before_it():
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_heads() == [REVISION]


def test_a_store_that_is_up_to_date_opens_without_alembic(tmp_path, opened):
    opened().put_subscribers([subscriber("ana@example.com")])
    code = (
        "import sys; from pathlib import Path; from pipeline.store import open_store;"
        f"s = open_store({URL!r}, Path(sys.argv[1]), None); assert s.readers() == 1;"
        "sys.exit(any(name.split('.')[0] in ('alembic', 'mako') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False).returncode == 0


def test_the_store_is_for_its_owner_only_and_stays_out_of_git(tmp_path, store):
    assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / ".newsletter").stat().st_mode) == 0o700
    assert (tmp_path / ".newsletter/.gitignore").read_text() == "*\n"


def test_a_folder_that_was_there_keeps_its_ways(tmp_path):
    open_store("sqlite:///letter.db", tmp_path, TOKENS).close_database()
    assert not (tmp_path / ".gitignore").exists()


@pytest.mark.parametrize(("step", "after"), [("create", 3), ("create", 12), ("migrate", 4)])
def test_a_run_killed_while_it_makes_the_tables_leaves_a_store_the_next_run_completes(tmp_path, step, after):
    if step == "migrate":
        base_of_migrations(tmp_path / FILE)
    code = f"""
import os, sys
from pathlib import Path
from sqlalchemy import event, Engine
made = 0
@event.listens_for(Engine, "after_cursor_execute")
def count(connection, cursor, statement, *rest):
    global made
    made += statement.lstrip().startswith("CREATE")
    if made == {after}:
        os.kill(os.getpid(), 9)
from pipeline.store import open_store
open_store({URL!r}, Path(sys.argv[1]), None)
"""
    killed = subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False, capture_output=True)
    assert killed.returncode == -9, killed.stderr
    store = open_store(URL, tmp_path, TOKENS)
    assert store.put_subscribers([subscriber("ana@example.com")])["added"] == 1
    store.close_database()


def test_two_first_runs_at_once_make_one_store(tmp_path):
    code = (
        "import sys; from pathlib import Path; from pipeline.store import open_store;"
        f"print(open_store({URL!r}, Path(sys.argv[1]), None).readers())"
    )
    runs = [
        subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    assert [run.communicate()[0] for run in runs] == ["0\n"] * 2


def test_a_store_of_a_newer_version_is_not_touched(tmp_path, opened):
    opened().close_database()
    with DRIVER.connect(tmp_path / FILE) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    before = (tmp_path / FILE).read_bytes()
    with pytest.raises(
        StoreError, match=r"\.newsletter/newsletter\.db: was written by a newer version .*Upgrade"
    ):
        opened()
    assert (tmp_path / FILE).read_bytes() == before


def test_somebody_elses_database_is_not_touched(tmp_path):
    with DRIVER.connect(tmp_path / "shop.db") as connection:
        connection.execute("CREATE TABLE orders (id INTEGER)")
    connection.close()
    before = (tmp_path / "shop.db").read_bytes()
    with pytest.raises(StoreError, match=r"shop\.db: is a database, but not a newsletter's store"):
        open_store("sqlite:///shop.db", tmp_path, TOKENS)
    assert (tmp_path / "shop.db").read_bytes() == before


@pytest.mark.parametrize(
    ("version", "journal"),
    [
        ((3, 40, 1), "TRUNCATE"),
        ((3, 44, 5), "TRUNCATE"),
        ((3, 44, 6), "WAL"),
        ((3, 45, 9), "TRUNCATE"),
        ((3, 50, 6), "TRUNCATE"),
        ((3, 50, 7), "WAL"),
        ((3, 51, 2), "TRUNCATE"),
        ((3, 51, 3), "WAL"),
        ((3, 52, 0), "WAL"),
    ],
)
def test_the_journal_is_one_that_loses_nothing_on_this_sqlite(version, journal):
    assert driver.durability(version) == (journal, {"WAL": "FULL", "TRUNCATE": "EXTRA"}[journal])


def test_a_connection_is_set_up_as_it_must_be(store):
    journal, synchronous = driver.durability(DRIVER.sqlite_version_info)
    with store._database.read() as connection:
        assert connection.scalar(text("PRAGMA journal_mode")) == journal.lower()
        assert connection.scalar(text("PRAGMA synchronous")) == {"FULL": 2, "EXTRA": 3}[synchronous]
        assert connection.scalar(text("PRAGMA foreign_keys")) == 1


@pytest.mark.parametrize("url", ["postgresql://localhost/letter", "nonsense", "sqlite"])
def test_an_address_that_is_no_store_of_ours_is_refused(tmp_path, url):
    with pytest.raises(StoreError, match=r"store\.url"):
        open_store(url, tmp_path, TOKENS)


# --- 0002: runs beside each other ----------------------------------------------

#: A store as version 0.1 left it: eight readers, half of whom were answered, when its run died.
HALF_DELIVERED = """
INSERT INTO issues (number, subject, state, date, zone, sender, language, hash, page_hash, seal, frozen_at, started,
    owner, owner_since)
    VALUES (1, 'Sleep', 'sending', 1764000000000000, 'Europe/Berlin', 'a@example.org', 'en', 'h', 'p', '{seal}',
    1764000000000000, 1764000001000000, 'dead', 1764000001000000);
INSERT INTO bodies VALUES (1, x'00', x'01', x'02', x'03');
INSERT INTO carried (post, issue, position, path) VALUES ('a', 1, 0, 'posts/a.md');
WITH RECURSIVE people(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM people WHERE n < {readers})
    INSERT INTO subscribers SELECT 'r' || n || '@example.com', 'uid' || n, 'r' || n || '@example.com', 'example.com',
    '', 'confirmed', 0, 0, 0 FROM people;
INSERT INTO deliveries (issue, uid, email, domain, name, confirmed, state, epoch, attempts, not_before, owner,
    leased_until, reply, updated)
    SELECT 1, uid, email, domain, name, 0, 'accepted', 1, 1, 0, 'dead', 1764000600000000, '250 ok', 1764000001000000
    FROM subscribers ORDER BY rowid;
UPDATE deliveries SET state = 'leased' WHERE id % 2 = 0;
UPDATE deliveries SET state = 'armed' WHERE id = 2;
UPDATE deliveries SET state = 'queued', not_before = 1764000300000000, owner = NULL WHERE id = 4;
"""


def half_delivered(path, readers=8):
    """A store at revision 0001, with an issue that is going out."""
    from alembic import command
    from alembic.config import Config
    from sqlalchemy import create_engine

    path.parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(f"sqlite:///{path}")
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
    engine.dispose()
    with DRIVER.connect(path) as connection:
        connection.executescript(HALF_DELIVERED.format(seal=TOKENS.message_id(1, "seal"), readers=readers))
    connection.close()


def finish(store):
    """Finish the issue of `half_delivered`."""
    store.claim(1, "next")
    assert [doubt.id for doubt in store.doubts(1)] == [2]
    rest = store.lease(1, "next", 1000)
    for delivery in rest:
        assert arm(store, delivery, "next")
        record(store, answer(delivery, Outcome.ACCEPTED), "next")
    assert store.close(1)
    store.release(1, "next")
    return sorted(delivery.id for delivery in rest)


def test_a_store_of_the_version_before_is_brought_up_to_date_and_its_issue_finished(tmp_path, opened):
    half_delivered(tmp_path / FILE)
    store = opened()
    assert store.counts(1) == Counts(readers=8, queued=3, deferred=1, accepted=4)
    record_ = store.issue(1)
    assert (record_.why, record_.due.isoformat()) == ("", "2025-11-24T17:05:00+01:00")
    assert store.runs(1) == []
    assert finish(store) == [4, 6, 8]
    assert store.counts(1) == Counts(readers=8, accepted=7, in_doubt=1)
    assert store.frozen(1).html == b"\x01"
    assert sum(count for _, count in store.over_time(1)) == 7


@pytest.mark.parametrize("after", range(1, 9))
def test_a_run_killed_while_it_migrates_leaves_the_store_as_it_was(tmp_path, after):
    half_delivered(tmp_path / FILE)
    code = f"""
import os, sys
from pathlib import Path
from sqlalchemy import event, Engine
changed = 0
@event.listens_for(Engine, "after_cursor_execute")
def count(connection, cursor, statement, *rest):
    global changed
    changed += statement.lstrip().startswith(("CREATE", "ALTER", "INSERT", "DROP", "UPDATE"))
    if changed == {after}:
        os.kill(os.getpid(), 9)
from pipeline.store import open_store
open_store({URL!r}, Path(sys.argv[1]), None)
print("never")
"""
    killed = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], check=False, capture_output=True, text=True
    )
    assert (killed.returncode, killed.stdout) == (-9, ""), killed.stderr
    # Only a look at the file rolls its journal back; no `runs` in it means that nothing of 0002 is.
    assert "runs" not in schema(tmp_path / FILE)
    store = open_store(URL, tmp_path, TOKENS)
    assert finish(store) == [4, 6, 8]
    store.close_database()


@pytest.mark.slow
def test_a_long_ledger_is_brought_up_to_date_in_seconds(tmp_path, opened):
    """Its columns are added in place: copying it would take as long as writing it."""
    half_delivered(tmp_path / FILE, 200_000)
    begun = time.perf_counter()
    store = opened()
    assert time.perf_counter() - begun < 10
    assert store.counts(1).readers == 200_000
