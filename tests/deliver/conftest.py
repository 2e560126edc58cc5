"""What the tests of delivering share: a real ledger with readers in it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from support.sending import NOW, SomeTokens, carried, rendered, settings

from pipeline.deliver.freeze import freeze
from pipeline.deliver.message import Splicer
from pipeline.edges import Store
from pipeline.model import Subscriber, SubscriberState
from pipeline.store import open_store

READERS = 20


def subscriber(number: int) -> Subscriber:
    email = f"reader{number}@example.com"
    since = NOW - timedelta(days=number)
    return Subscriber(SomeTokens().uid(email), email, f"Reader {number}", SubscriberState.CONFIRMED, since)


def fill(store: Store, readers: int = READERS) -> None:
    store.put_subscribers([subscriber(number) for number in range(1, readers + 1)])
    store.freeze(freeze(rendered(), settings(), carried()), [], NOW)


@pytest.fixture(scope="session")
def ledger_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("ledger")
    opened = open_store("sqlite:///newsletter.db", root, SomeTokens())
    fill(opened)
    opened.close_database()
    return root / "newsletter.db"


@pytest.fixture
def filled(ledger_file: Path) -> Iterator[Path]:
    """A newsletter's folder with issue 1 frozen for twenty readers, nothing handed over yet.

    In memory where there is such a place: every step is synced, which a busy
    disk makes slow, and a killed process, unlike a power cut, loses nothing there.
    """
    memory = Path("/dev/shm")
    with TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None) as folder:
        shutil.copy(ledger_file, folder)
        yield Path(folder)


@pytest.fixture
def store(filled: Path) -> Iterator[Store]:
    """That newsletter's ledger."""
    opened = open_store("sqlite:///newsletter.db", filled, SomeTokens())
    yield opened
    opened.close_database()


@pytest.fixture
def splicer(store: Store) -> Splicer:
    frozen = store.frozen(1)
    assert frozen
    return Splicer(frozen, SomeTokens())
