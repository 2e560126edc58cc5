"""What is particular to SQLite: the file, how it is made durable, one run at a time, what its errors mean.

The rest of store/ is the same for every database.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.pool import QueuePool, StaticPool

#: How long to wait for another process that holds the database.
BUSY_SECONDS = 30.0

#: Versions below these may lose committed rows in WAL mode when two connections are open
#: (the WAL-reset bug of 3.7.0 to 3.51.2; sqlite.org/wal.html), by release line.
_FIXED: dict[tuple[int, ...], int] = {(3, 44): 6, (3, 50): 7}
_FIXED_FROM = (3, 51, 3)


def wal_is_safe(version: tuple[int, ...]) -> bool:
    """Tell whether this SQLite is free of the WAL-reset bug."""
    return version >= _FIXED_FROM or version[2] >= _FIXED.get(version[:2], 1 << 30)


def durability(version: tuple[int, ...]) -> tuple[str, str]:
    """Return journal mode and synchronous level at which a commit survives a power cut.

    WAL needs FULL: with NORMAL the last commits are lost. A rollback journal
    needs EXTRA, which also syncs the folder once the journal is cut.
    """
    return ("WAL", "FULL") if wal_is_safe(version) else ("TRUNCATE", "EXTRA")


def prepare(path: Path) -> None:
    """Make the folder and an empty file that only their owner can read. Raises OSError."""
    if not path.parent.is_dir():
        path.parent.mkdir(mode=0o700, parents=True)
        # A folder of our own making never ends up in anyone's git.
        (path.parent / ".gitignore").write_text("*\n", "utf-8")
    with contextlib.suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


def make_engine(path: Path | None) -> Engine:
    """Return an engine with one connection that all threads take turns with; None: in memory."""

    def connect() -> sqlite3.Connection:
        # isolation_level=None: the driver would otherwise begin transactions late and by itself.
        connection = sqlite3.connect(
            path or ":memory:", timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        connection.execute("PRAGMA foreign_keys = ON")
        if path is not None:
            journal, synchronous = durability(sqlite3.sqlite_version_info)
            connection.execute(f"PRAGMA journal_mode = {journal}")
            connection.execute(f"PRAGMA synchronous = {synchronous}")
        return connection

    if path is None:
        engine = create_engine("sqlite://", creator=connect, poolclass=StaticPool)
    else:
        engine = create_engine(
            "sqlite://",
            creator=connect,
            poolclass=QueuePool,
            pool_size=1,
            max_overflow=0,
            pool_timeout=BUSY_SECONDS,
        )
    event.listen(engine, "begin", _begin)
    return engine


def _begin(connection: Connection) -> None:
    options = connection.get_execution_options()
    if options.get("schema"):
        # Alembic alters a table by copying it; dropping the old one must not touch the rows that
        # refer to it. This switch does nothing inside a transaction, so it comes before.
        connection.connection.cursor().execute("PRAGMA foreign_keys = OFF")
    # IMMEDIATE takes the write lock at once, where waiting for it is possible; a
    # transaction that read first could only fail when it comes to write.
    connection.exec_driver_sql("BEGIN" if options.get("reads") else "BEGIN IMMEDIATE")


def dangling(connection: Connection) -> bool:
    """Tell whether any row refers to one that is not there."""
    return connection.exec_driver_sql("PRAGMA foreign_key_check").first() is not None


def explain(fault: BaseException) -> str:
    """Say what an error from the driver means and what to do, without the file's name."""
    said = str(getattr(fault, "orig", None) or fault)
    for words, meaning in _MEANINGS:
        if words in said:
            return meaning
    return f"the database says: {said}. Nothing more is written; look after the disk, then run the command again."


_DAMAGED = (
    "is not a newsletter's store, or it is damaged. Put a good copy back in its place; "
    "without it nobody knows who has had which issue."
)
_MEANINGS = (
    (
        "locked",
        f"another process has held the store for over {BUSY_SECONDS:.0f} seconds. "
        "Let it finish, or end it, and run the command again.",
    ),
    (
        "readonly",
        "cannot be written: the file or its folder is read-only for you. Give yourself the right to write.",
    ),
    ("unable to open", "cannot be opened. Look at the rights of the file and its folder."),
    ("disk is full", "the disk is full. Make room and run the command again; nothing is lost."),
    (
        "disk I/O error",
        "the disk reports an error. Make sure of the disk before anything else is sent from it.",
    ),
    ("not a database", _DAMAGED),
    ("malformed", _DAMAGED),
    ("no such table", _DAMAGED),
    ("no such column", _DAMAGED),
)
