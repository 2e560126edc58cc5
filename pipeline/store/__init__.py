"""The ledger and the audience in a database, behind the `Store` protocol of edges.py."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipeline.edges import Identities
    from pipeline.store.sql import SqlStore


def open_store(
    url: str,
    root: Path,
    tokens: Identities,
    lease: timedelta = timedelta(minutes=20),
    *,
    make: bool = True,
) -> SqlStore:
    """Open the store at `url`, made (unless not `make`) or brought up to date if need be.

    A relative `sqlite:///` path starts at the newsletter's folder `root`.
    `lease` is how long a delivery that was leased may wait to be armed.
    Where no store exists and none can or is to be made, an empty one that refuses every
    change is returned, so that looking works anywhere. Raises StoreError.
    """
    # SQLAlchemy takes a good part of a second to import; commands without a store never pay for it.
    from pipeline.store.engine import open_database
    from pipeline.store.sql import SqlStore

    store = SqlStore(open_database(url, root, make=make), tokens)
    store.lease_time = lease
    return store
