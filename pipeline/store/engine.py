"""Opens the database and guards every transaction: an error becomes a StoreError, and is the last thing done."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from pipeline.errors import StoreError
from pipeline.store import sqlite
from pipeline.store.driver import DRIVER
from pipeline.store.lock import RunLocks
from pipeline.store.migrate import bring_up_to_date, create
from pipeline.store.witness import Witness

if TYPE_CHECKING:
    from pipeline.edges import Identities
    from pipeline.store import Missing


class Database:
    """A database, and whether it can still be trusted.

    After any error from the driver it is not: a connection that saw an I/O
    error may report later commits as done that are not.
    """

    def __init__(self, engine: Engine, place: str, path: Path | None, unwritable: str = "") -> None:
        self._engine = engine
        #: The file as people know it.
        self.place = place
        self._path = path
        #: What runs of this process hold; None in memory, where nobody else is.
        self.locks = None if path is None else RunLocks(path.with_name("runs"))
        #: None in memory: such a ledger has no copies.
        self.witness = None if path is None else Witness(path)
        self._file = self.witness and self.witness.file()
        #: Why nothing can be written; "" if it can.
        self.unwritable = unwritable
        self._broken = ""
        # Whoever forgets to close: the file and the locks go with the last reference to this.
        weakref.finalize(self, _close, engine, self.locks)

    @property
    def broken(self) -> bool:
        """True once anything failed; nothing more is read or written then."""
        return bool(self._broken)

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One transaction, durable when the block ends, undone if it raises."""
        if self.unwritable:
            raise self.error(self.unwritable)
        with self._transaction(self._engine) as connection:
            self._demand_in_place()
            yield connection

    @contextmanager
    def erase(self) -> Iterator[Connection]:
        """One writing transaction that leaves nothing to be read of what it deletes, in free pages or the log."""
        with self.write() as connection, sqlite.overwriting(connection):
            yield connection
        with self._engine.connect() as connection:
            sqlite.empty_log(connection)

    @contextmanager
    def change_tables(self) -> Iterator[Connection]:
        """One writing transaction in which tables may be made and altered."""
        with self._transaction(self._engine.execution_options(schema=True)) as connection:
            yield connection
            if sqlite.dangling(connection):
                raise self.error(
                    "was not migrated: rows would be left that belong to nothing. Report this as a bug."
                )
        # The next connection guards references again.
        self._engine.dispose()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One transaction that sees one state of things and waits for nobody."""
        with self._transaction(self._engine.execution_options(reads=True)) as connection:
            yield connection

    @contextmanager
    def read_beside(self) -> Iterator[Connection]:
        """The same with an empty database beside this one; it may go on to write in this one at the end."""
        if self._broken:
            raise self._no_more()
        try:
            with (
                self._engine.execution_options(reads=True).connect() as connection,
                sqlite.beside(connection, self._path),
                connection.begin(),
            ):
                yield connection
        except (SQLAlchemyError, DRIVER.Error) as fault:
            raise self.stop(sqlite.explain(fault)) from fault
        except OSError as fault:
            raise self.stop(f"no room could be made beside it: {fault.strerror}.") from fault

    @contextmanager
    def _transaction(self, engine: Engine) -> Iterator[Connection]:
        if self._broken:
            raise self._no_more()
        try:
            with engine.begin() as connection:
                yield connection
        except (SQLAlchemyError, DRIVER.Error) as fault:
            raise self.stop(sqlite.explain(fault)) from fault

    def _no_more(self) -> StoreError:
        return self.error(f"{self._broken} Nothing more is done with it until the next run.")

    def _demand_in_place(self) -> None:
        """Stop if the file is gone or another: the system would let us go on writing what nobody will ever find."""
        try:
            if self.witness is None or self.witness.file() == self._file:
                return
        except OSError:
            pass
        raise self.stop(
            "was removed or replaced while it was in use. Put it back before anything else is sent: without it "
            "nobody knows who has had which issue."
        )

    def stop(self, what: str) -> StoreError:
        """Trust it no more, from now on; return the error that says so.

        The locks go too: nothing can be armed from here any longer, so another
        run may clear up.
        """
        self._broken = what
        self.close()
        return self.error(what)

    def demand_sound(self, connection: Connection) -> None:
        """Look through the file before much is built upon it. Raises StoreError if it is damaged."""
        damage = sqlite.damage(connection)
        if damage:
            raise self.stop(damage)

    def note(self, generation: int) -> None:
        """Let the witness know of a generation that was committed."""
        try:
            if self.witness is not None:
                self.witness.note(generation)
        except OSError as fault:
            raise self.stop(
                f"{self.witness and self.witness.path.name} beside it cannot be written: {fault.strerror}. Make sure "
                "of the disk and of the file's rights, then run the command again."
            ) from fault

    def error(self, what: str) -> StoreError:
        """Return an error about this store."""
        return StoreError(what, path=self.place)

    def close(self) -> None:
        """Let go of the file and the locks."""
        _close(self._engine, self.locks)


def _close(engine: Engine, locks: RunLocks | None) -> None:
    engine.dispose()
    if locks is not None:
        locks.drop_all()


def open_database(url: str, root: Path, missing: Missing = "make") -> Database:
    """Open the database at `url`, brought up to date if need be; made if it is missing, unless told otherwise.

    One that cannot be made is stood for by an empty one in memory if it would
    be in the newsletter's own folder: a clone can be looked at where nobody may
    write. Raises StoreError.
    """
    path = _path(url, root)
    if path is None:
        return _in_memory("memory", "")
    place = str(path.relative_to(root)) if path.is_relative_to(root) else str(path)
    if missing != "make" and not _there(path):
        if missing == "refuse":
            raise StoreError(
                "is not there. If it was, put it back: nobody's name is anywhere else. If it never was, make its "
                "folder one you may write to.",
                path=place,
            )
        return _in_memory(place, "was not to be made.")
    try:
        sqlite.prepare(path)
    except OSError as fault:
        if _there(path):
            raise StoreError(f"cannot be opened: {fault.strerror}.", path=place) from fault
        why = f"cannot be made: {fault.strerror}. Make its folder one you may write to, or set store.url."
        if not path.is_relative_to(root):
            # Somebody said where it is: an empty one would be a lie about who is on the list.
            raise StoreError(why, path=place) from fault
        return _in_memory(place, why)
    database = Database(sqlite.make_engine(path), place, path)
    bring_up_to_date(database)
    return database


def _there(path: Path) -> bool:
    """Tell whether there is a file; also if we may not look, for then opening it says why."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
    return True


def _path(url: str, root: Path) -> Path | None:
    """Return the database's file; None for a store in memory."""
    try:
        parsed = make_url(url)
    except ArgumentError as fault:
        raise StoreError(f"store.url {url!r} is not a database's address: write sqlite:///FILE") from fault
    if parsed.get_backend_name() != "sqlite":
        raise StoreError(
            f"store.url names {parsed.get_backend_name()}; this version keeps its store in sqlite:///FILE"
        )
    if not parsed.database or parsed.database == ":memory:":
        return None
    path = root / parsed.database
    if not path.name or path.is_dir():
        raise StoreError(f"store.url {url!r} names a folder: write sqlite:///FILE")
    return path


def _in_memory(place: str, unwritable: str) -> Database:
    database = Database(sqlite.make_engine(None), place, None, unwritable)
    with database.read() as connection:
        create(connection)
    return database


class Part:
    """One part of the store: what all parts hold."""

    def __init__(self, database: Database, tokens: Identities) -> None:
        self._database = database
        self._tokens = tokens

    def _error(self, what: str) -> StoreError:
        return self._database.error(what)

    def _seal(self, number: int) -> str:
        """Return what only this installation's secret can make of an issue; nobody's uid is "seal"."""
        return self._tokens.message_id(number, "seal")
