"""A newsletter is lent to one after the other, and only so many wait for it."""

from __future__ import annotations

import asyncio
import threading
from datetime import UTC, datetime, timedelta

import pytest

from pipeline.project import Project
from pipeline.web import keeper as keeping
from pipeline.web.keeper import Crowded, Keeper, clock_of


def test_more_than_can_be_served_are_sent_away_at_once(
    keeper: Keeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "MOST", 6)
    go = threading.Event()

    async def crowd() -> None:
        waiting = [asyncio.create_task(keeper.ask(lambda opened, now: go.wait(10))) for _ in range(6)]
        await asyncio.sleep(0.05)
        with pytest.raises(Crowded):
            await keeper.ask(lambda opened, now: True)
        # One who lost patience still has a thread at work.
        waiting[0].cancel()
        await asyncio.sleep(0)
        with pytest.raises(Crowded):
            await keeper.ask(lambda opened, now: True)
        go.set()
        assert all(await asyncio.gather(*waiting[1:]))
        assert await keeper.ask(lambda opened, now: True)

    asyncio.run(asyncio.wait_for(crowd(), 60))


def test_a_pretended_clock_goes_on(project: Project) -> None:
    clock = clock_of(project, pretends=True)
    first, second = clock(), clock()
    assert project.now <= first <= second
    assert first.tzinfo is project.now.tzinfo
    assert abs(clock_of(project, pretends=False)() - datetime.now(UTC)) < timedelta(minutes=1)
