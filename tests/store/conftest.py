"""A store on a real file, and an issue that is being sent."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.ledger import NOW, TOKENS, URL, frozen, subscriber

from pipeline.store import open_store
from pipeline.store.sql import SqlStore

Opener = Callable[[], SqlStore]


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Opener]:
    """Open the store again, as another process would."""
    stores: list[SqlStore] = []

    def opener() -> SqlStore:
        stores.append(open_store(URL, tmp_path, TOKENS))
        return stores[-1]

    yield opener
    for store in stores:
        store.close_database()


@pytest.fixture
def store(opened: Opener) -> SqlStore:
    return opened()


@pytest.fixture
def sending(store: SqlStore) -> SqlStore:
    """Issue 1 frozen for five readers, and claimed by "run"."""
    store.put_subscribers(subscriber(f"r{n}@d{n % 2}.example.com", name=f"Reader {n}") for n in range(5))
    store.freeze(frozen(), [], NOW)
    store.claim(1, "run")
    return store
