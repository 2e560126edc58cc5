"""Makes a store, or brings an older one up to date, in one transaction.

A store that is as it should be costs one query: Alembic takes half a second to
import, so it is only asked when there is something to change.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Column, Connection, MetaData, String, Table, insert, inspect, select

from pipeline.errors import installing
from pipeline.store.tables import metadata

if TYPE_CHECKING:
    from pipeline.store.engine import Database

#: The newest file in migrations/versions; a test holds it to be Alembic's head.
REVISION = "0003"

#: Alembic's own table, as Alembic makes it.
_version = Table(
    "alembic_version", MetaData(), Column("version_num", String(32), primary_key=True), comment=None
)


def bring_up_to_date(database: Database) -> None:
    """Make the tables, or migrate them. Raises StoreError if the database is not ours or is newer than we are.

    Killed anywhere, it leaves the store as it was, and the next run begins again.
    """
    with database.read() as connection:
        if _revision(connection) == REVISION:
            return
    with database.change_tables() as connection:
        # Looked at again: another process may have been faster.
        revision = _revision(connection)
        if revision == REVISION:
            return
        if revision is None and not inspect(connection).get_table_names():
            create(connection)
        elif revision is None:
            raise database.error(
                "is a database, but not a newsletter's store. Set store.url to another file."
            )
        else:
            _migrate(connection, database, revision)


def create(connection: Connection) -> None:
    """Make all tables as they are today."""
    metadata.create_all(connection)
    _version.create(connection)
    connection.execute(insert(_version).values(version_num=REVISION))


def _revision(connection: Connection) -> str | None:
    """Return the revision the tables are at, "" for the time before the first; None if nobody said."""
    if not inspect(connection).has_table(_version.name):
        return None
    return connection.execute(select(_version.c.version_num)).scalar() or ""


def _migrate(connection: Connection, database: Database, revision: str) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")).replace("%", "%%"))
    config.attributes["connection"] = connection
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if revision and revision not in known:
        raise database.error(
            f"was written by a newer version of newsletter (its tables are at {revision}, ours at {REVISION}). "
            f"Upgrade to it. {installing()}"
        )
    command.upgrade(config, "head")
