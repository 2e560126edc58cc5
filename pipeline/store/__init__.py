"""The ledger and the audience in a database, behind the `Store` protocol of edges/."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from pipeline.edges import Identities
    from pipeline.store.sql import SqlStore

#: What to do where there is no store: make one, have an empty one in memory stand for it, or refuse.
Missing = Literal["make", "stand-in", "refuse"]


def open_store(
    url: str,
    root: Path,
    tokens: Identities,
    lease: timedelta = timedelta(minutes=20),
    missing: Missing = "make",
) -> SqlStore:
    """Open the store at `url`, brought up to date if need be; one that is `missing` is made unless told otherwise.

    A relative `sqlite:///` path starts at the newsletter's folder `root`.
    `lease` is how long a delivery that was leased may wait to be armed.
    Where none can be made in the newsletter's folder, or a "stand-in" is enough,
    an empty one that refuses every change is returned, so that looking works
    anywhere. Raises StoreError.
    """
    # SQLAlchemy takes a good part of a second to import; commands without a store never pay for it.
    from pipeline.store.engine import open_database
    from pipeline.store.sql import SqlStore

    store = SqlStore(open_database(url, root, missing), tokens)
    store.lease_time = lease
    return store
