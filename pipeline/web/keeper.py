"""Keeps one newsletter open for weeks: works in a few threads, tells the time, opens anew what has failed."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Set
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, TypeVar

from pipeline import subscribing
from pipeline.edges import Hook
from pipeline.errors import PostError, StoreError
from pipeline.project import hook_makers
from pipeline.web.pages import Pages

if TYPE_CHECKING:
    from pipeline.project import Project

Made = TypeVar("Made")
Clock = Callable[[], datetime]

#: Threads that ask the store, which answers one at a time anyway.
THREADS = 4
#: Requests that may wait for them: more would wait for longer than anybody does.
MOST = 100
#: For so many seconds the posts' categories are not looked at again.
FRESH = 60


def clock_of(project: Project, *, pretends: bool) -> Clock:
    """Return what tells the time in the newsletter's zone; it begins at the project's own if that is pretended."""
    began, zone = time.monotonic(), project.settings.newsletter.zone
    if pretends:
        return lambda: project.now + timedelta(seconds=time.monotonic() - began)
    return lambda: datetime.now(zone)


class Crowded(Exception):
    """So many wait for the newsletter already that one more would wait in vain."""


class Open:
    """A newsletter that is open, all of it, so that threads find nothing half made."""

    def __init__(self, project: Project) -> None:
        """Raises what opening raises: SettingsError, StoreError, ThemeError."""
        self.project = project
        self.store, self.tokens = project.store, project.tokens
        self.pages = Pages(project)
        self._makers, self._hooks = hook_makers(), dict[str, Hook]()
        #: The names of the hooks there are.
        self.hooks = frozenset(self._makers)
        self._categories: tuple[float, tuple[tuple[str, str], ...]] | None = None

    def categories(self) -> tuple[tuple[str, str], ...]:
        """Return slug and name of each category that posts have, or had a moment ago."""
        kept, now = self._categories, time.monotonic()
        if kept is None or now - kept[0] > FRESH:
            try:
                found = subscribing.choosable(self.project)
            except PostError:
                # Readers may well be served where the posts are not.
                found = ()
            kept = self._categories = now, found
        return kept[1]

    def hook(self, name: str) -> Hook:
        """Return one of the hooks, made at its first use."""
        if name not in self._hooks:
            self._hooks[name] = self._makers[name](self.project)
        return self._hooks[name]


class Keeper:
    """Lends the newsletter to one thread after the other."""

    def __init__(self, first: Open, again: Callable[[], Open], clock: Clock) -> None:
        """`again` opens the newsletter anew."""
        self._again, self.clock = again, clock
        self._open: Open | None = first
        #: The last one that was open: pages can still be made without its store.
        self._last = first
        self._opening = threading.Lock()
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="reader")
        self._waiting = 0

    @property
    def pages(self) -> Pages:
        """What makes pages, whatever became of the store."""
        return self._last.pages

    @property
    def hooks(self) -> Set[str]:
        """The names of the hooks there are, whatever became of the store."""
        return self._last.hooks

    async def ask(self, work: Callable[[Open, datetime], Made]) -> Made:
        """Have a thread do something with the newsletter, at the moment it begins.

        After a StoreError the store answers nothing any more, so the next one
        opens it anew. Raises Crowded.
        """
        if self._waiting >= MOST:
            raise Crowded
        self._waiting += 1
        done = asyncio.get_running_loop().run_in_executor(self._threads, self._do, work)
        # Not when whoever asked has lost patience: the thread goes on.
        done.add_done_callback(self._one_less)
        return await asyncio.shield(done)

    def _one_less(self, _done: object) -> None:
        self._waiting -= 1

    def _do(self, work: Callable[[Open, datetime], Made]) -> Made:
        opened = self._opened()
        try:
            return work(opened, self.clock())
        except StoreError:
            with self._opening:
                if self._open is opened:
                    self._open = None
            raise

    def _opened(self) -> Open:
        with self._opening:
            if self._open is None:
                self._open = self._last = self._again()
            return self._open

    def close(self) -> None:
        """Let go of everything, once what is under way is done."""
        self._threads.shutdown()
        self._open = None
