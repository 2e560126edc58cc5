"""Alembic runs this file: it migrates within the transaction that migrate.py has begun."""

from alembic import context

from pipeline.store.tables import metadata

# Batch mode: SQLite cannot alter most of a table, so Alembic makes a new one and copies.
context.configure(
    connection=context.config.attributes["connection"], target_metadata=metadata, render_as_batch=True
)
context.run_migrations()
