"""Chooses which SQLite the store works with: Python's own, or a package that brings a newer one.

It matters: only with a write-ahead log does a commit cost a disk one flush
instead of four, and versions before 3.51.3 may lose what is in it.
"""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from importlib import import_module
from types import ModuleType

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


def _choose() -> ModuleType:
    if not wal_is_safe(sqlite3.sqlite_version_info):
        # There are no wheels of it for every machine; without it all works, only slower.
        with suppress(ImportError):
            return import_module("pysqlite3.dbapi2")
    return sqlite3


#: The DB-API module (PEP 249) that every connection of the store comes from.
DRIVER = _choose()
