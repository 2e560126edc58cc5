"""What tests of links share: a visit that gets to servers on loopback, and to no other place."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from support import elsewhere
from support.certificates import ca_file

from pipeline.links.places import public
from pipeline.links.visit import Doors, Limits, visit
from pipeline.model import LinkAnswer

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
#: As politeness has it, but in a hurry.
QUICK = Limits(pause=0.0, link=3.0, visit=10.0)


def on_loopback(address: str, port: int) -> str:
    """Let everything through to this machine's servers; all else as for readers."""
    return "" if address == "127.0.0.1" else public(address, port)


@pytest.fixture(scope="module", autouse=True)
def no_loop() -> Iterator[None]:
    """Put the loop aside that Playwright keeps for a session's browser: a command never has one when it asks."""
    held = asyncio._get_running_loop()
    asyncio._set_running_loop(None)
    yield
    asyncio._set_running_loop(held)


@pytest.fixture(scope="session")
def doors() -> Doors:
    return Doors(on_loopback, elsewhere.look_up, ssl.create_default_context(cafile=ca_file()))


@pytest.fixture(scope="session")
def go(doors) -> Callable[..., dict[str, LinkAnswer]]:
    """Visit links; keywords change limits, or are visit's own."""

    def call(*urls: str, agent: str = "newsletter-pipeline/1", **others: Any) -> dict[str, LinkAnswer]:
        own = {name: others.pop(name) for name in ("witness", "tell") if name in others}
        way = replace(
            doors, **{name: others.pop(name) for name in ("look_up", "allowed", "trust") if name in others}
        )
        return visit(urls, agent=agent, now=NOW, limits=replace(QUICK, **others), doors=way, **own)

    return call
