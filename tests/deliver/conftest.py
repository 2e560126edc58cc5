"""What the tests of delivering share: a real ledger with readers in it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import hypothesis
import pytest
from support.sending import NOW, SomeTokens, carried, rendered, settings

from pipeline.deliver.freeze import freeze
from pipeline.deliver.message import Splicer
from pipeline.edges import Store
from pipeline.model import Subscriber, SubscriberState
from pipeline.store import open_store

# A busy machine is not a failure.
hypothesis.settings.register_profile("patient", deadline=None)
hypothesis.settings.load_profile("patient")

READERS = 20


def subscriber(number: int) -> Subscriber:
    email = f"reader{number}@example.com"
    since = NOW - timedelta(days=number)
    return Subscriber(SomeTokens().uid(email), email, f"Reader {number}", SubscriberState.CONFIRMED, since)


def fill(store: Store, readers: int = READERS) -> None:
    store.put_subscribers([subscriber(number) for number in range(1, readers + 1)])
    store.freeze(freeze(rendered(), settings(), carried()), [], NOW)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A ledger with issue 1 frozen for twenty readers."""
    opened = open_store("sqlite:///newsletter.db", tmp_path, SomeTokens())
    fill(opened)
    yield opened
    opened.close()


@pytest.fixture
def splicer(store: Store) -> Splicer:
    frozen = store.frozen(1)
    assert frozen
    return Splicer(frozen, SomeTokens())
