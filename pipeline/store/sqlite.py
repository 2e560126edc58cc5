"""What is particular to SQLite: the file, how it is made durable, one run at a time, what its errors mean.

The rest of store/ is the same for every database.
"""

from __future__ import annotations

import contextlib
import os
import random
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.pool import QueuePool, StaticPool

from pipeline.store.driver import DRIVER, durability

#: How long to wait for another process that holds the database.
BUSY_SECONDS = 30.0
#: How long at most between two looks whether it still does. SQLite itself looks again after up to 100 ms, and a run
#: that delivers lets go of the database for much shorter times than that.
LOOK_AGAIN = 0.002
#: Another connection holds what is asked for (sqlite.org/rescode.html); the higher bits say why.
_BUSY, _PRIMARY = 5, 0xFF

#: A file up to this size is looked through before an issue is frozen: a gigabyte, which takes a second or two
#: (measured: 0.7 s for 456 MB, a million readers with one issue, in memory already).
CHECKED_PAGES = 250_000


#: How long erasing waits for others to let go of the log.
LOG_SECONDS = 2.0

#: The name of a database beside the store, for the time of one transaction.
BESIDE = "beside"
#: Kilobytes that are kept in memory of each of the two meanwhile, and of the store otherwise (SQLite's own choice).
_WIDE, _USUAL = 32_000, 2_000


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

    def connect() -> Any:
        # isolation_level=None: the driver would otherwise begin transactions late and by itself.
        connection = DRIVER.connect(
            _place(path), uri=True, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        connection.execute("PRAGMA foreign_keys = ON")
        # What is deleted or moved leaves no copy of itself in its page. Costs next to nothing.
        connection.execute("PRAGMA secure_delete = FAST")
        if path is not None:
            journal, synchronous = durability(DRIVER.sqlite_version_info)
            # Setting up a log writes to the file, so it must be ours, and one that may be written to.
            if journal != "WAL" or (_writable(path) and _ours(connection)):
                connection.execute(f"PRAGMA journal_mode = {journal}")
            connection.execute(f"PRAGMA synchronous = {synchronous}")
        return connection

    if path is None:
        engine = create_engine("sqlite://", module=DRIVER, creator=connect, poolclass=StaticPool)
    else:
        engine = create_engine(
            "sqlite://",
            module=DRIVER,
            creator=connect,
            poolclass=QueuePool,
            pool_size=1,
            max_overflow=0,
            pool_timeout=BUSY_SECONDS,
        )
    event.listen(engine, "begin", _begin)
    return engine


def _place(path: Path | None) -> str:
    """Return the URI of a database file (sqlite.org/uri.html)."""
    if path is None:
        return ":memory:"
    # A file with a log can only be read where the log's index may be written, unless nobody else has it open.
    alone = not _writable(path) and not path.with_name(f"{path.name}-wal").exists()
    return f"{path.absolute().as_uri()}{'?immutable=1' * alone}"


def _writable(path: Path) -> bool:
    return os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)


def _ours(connection: Any) -> bool:
    """Tell whether a database is empty or a newsletter's store."""
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    return not tables or "alembic_version" in tables


def _begin(connection: Connection) -> None:
    options = connection.get_execution_options()
    if options.get("schema"):
        # Alembic alters a table by copying it; dropping the old one must not touch the rows that
        # refer to it. This switch does nothing inside a transaction, so it comes before.
        connection.connection.cursor().execute("PRAGMA foreign_keys = OFF")
    if options.get("reads"):
        connection.exec_driver_sql("BEGIN")
    else:
        _begin_writing(connection)


def _begin_writing(connection: Connection) -> None:
    """Take the write lock as soon as it is free, and wait up to BUSY_SECONDS for it.

    At once, where waiting is possible: a transaction that read first could only
    fail when it comes to write.
    """
    cursor, until = connection.connection.cursor(), time.monotonic() + BUSY_SECONDS
    cursor.execute("PRAGMA busy_timeout = 0")
    try:
        while True:
            try:
                cursor.execute("BEGIN IMMEDIATE")
                return
            except DRIVER.OperationalError as fault:
                if fault.sqlite_errorcode & _PRIMARY != _BUSY or time.monotonic() > until:
                    raise
            # Not in step with whoever else waits.
            time.sleep(random.uniform(0.1, 1) * LOOK_AGAIN)  # noqa: S311
    finally:
        cursor.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000:.0f}")
        cursor.close()


@contextlib.contextmanager
def beside(connection: Connection, path: Path | None) -> Iterator[None]:
    """Give a connection an empty database, as BESIDE, for whatever a list may hold; nothing of it stays.

    A temporary table will not do: the SQLite that comes with pysqlite3 keeps
    those in memory, however large (SQLITE_TEMP_STORE=3). It lies in the store's
    folder, or, if that is not to be written to, where the system keeps what is
    temporary.
    """
    folder = path.parent if path is not None and _writable(path) else None
    handle, name = tempfile.mkstemp(prefix="beside-", dir=folder)  # mode 0600
    os.close(handle)
    cursor = connection.connection.cursor()
    try:
        cursor.execute(f"ATTACH ? AS {BESIDE}", (name,))
    except DRIVER.Error:
        Path(name).unlink()
        raise
    try:
        cursor.execute(f"PRAGMA {BESIDE}.journal_mode = OFF")
        cursor.execute(f"PRAGMA {BESIDE}.synchronous = OFF")
        for each in ("main", BESIDE):
            cursor.execute(f"PRAGMA {each}.cache_size = -{_WIDE}")
        # It has no name any more: it goes with its connection, also when that is killed.
        with contextlib.suppress(PermissionError):  # but on Windows
            Path(name).unlink()
        yield
    finally:
        cursor.execute(f"DETACH {BESIDE}")
        cursor.execute(f"PRAGMA main.cache_size = -{_USUAL}")
        Path(name).unlink(missing_ok=True)


@contextlib.contextmanager
def overwriting(connection: Connection) -> Iterator[None]:
    """Overwrite with zeros whatever is deleted meanwhile, whole pages too."""
    cursor = connection.connection.cursor()
    cursor.execute("PRAGMA secure_delete = ON")
    try:
        yield
    finally:
        cursor.execute("PRAGMA secure_delete = FAST")


def empty_log(connection: Connection) -> None:
    """Bring the log's pages home and cut it, unless others are in the way: then the last of them does, in closing."""
    cursor = connection.connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {LOG_SECONDS * 1000:.0f}")
    try:
        with contextlib.suppress(DRIVER.OperationalError):
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        cursor.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000:.0f}")


def dangling(connection: Connection) -> bool:
    """Tell whether any row refers to one that is not there."""
    return connection.exec_driver_sql("PRAGMA foreign_key_check").first() is not None


def damage(connection: Connection) -> str:
    """Say what to do about a damaged file; "" if it is sound, or too large to be looked through in passing."""
    if connection.exec_driver_sql("PRAGMA page_count").scalar_one() > CHECKED_PAGES:
        return ""
    sound = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar_one() == "ok"
    return "" if sound else _DAMAGED


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
