"""A store is made in one go, brought up to date in one go, and otherwise opened without ceremony."""

from __future__ import annotations

import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import text
from support.ledger import TOKENS, URL, subscriber

import pipeline.store.migrate
from pipeline.errors import StoreError
from pipeline.store import open_store, sqlite
from pipeline.store.migrate import REVISION

FILE = ".newsletter/newsletter.db"
MIGRATIONS = Path(pipeline.store.migrate.__file__).with_name("migrations")


def schema(path):
    """What the database says of itself: every table and index in its own words, however the lines are broken."""
    with sqlite3.connect(path) as connection:
        rows = connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_master").fetchall()
    connection.close()
    return {
        row[1]: (*row[:3], row[3] and " ".join(row[3].replace(",", ", ").replace(chr(34), "").split()))
        for row in rows
    }


def base_of_migrations(path):
    """A store as it was before the first migration."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with sqlite3.connect(path) as connection:
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
    with sqlite3.connect(tmp_path / "old" / FILE) as connection:
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
    with sqlite3.connect(tmp_path / FILE) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    before = (tmp_path / FILE).read_bytes()
    with pytest.raises(
        StoreError, match=r"\.newsletter/newsletter\.db: was written by a newer version .*Upgrade"
    ):
        opened()
    assert (tmp_path / FILE).read_bytes() == before


def test_somebody_elses_database_is_not_touched(tmp_path):
    with sqlite3.connect(tmp_path / "shop.db") as connection:
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
    assert sqlite.durability(version) == (journal, {"WAL": "FULL", "TRUNCATE": "EXTRA"}[journal])


def test_a_connection_is_set_up_as_it_must_be(store):
    journal, synchronous = sqlite.durability(sqlite3.sqlite_version_info)
    with store._database.read() as connection:
        assert connection.scalar(text("PRAGMA journal_mode")) == journal.lower()
        assert connection.scalar(text("PRAGMA synchronous")) == {"FULL": 2, "EXTRA": 3}[synchronous]
        assert connection.scalar(text("PRAGMA foreign_keys")) == 1


@pytest.mark.parametrize("url", ["postgresql://localhost/letter", "nonsense", "sqlite"])
def test_an_address_that_is_no_store_of_ours_is_refused(tmp_path, url):
    with pytest.raises(StoreError, match=r"store\.url"):
        open_store(url, tmp_path, TOKENS)
