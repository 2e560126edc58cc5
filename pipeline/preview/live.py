"""Keeps the newest state of one newsletter: watches its files, looks again at each save, tells who waits."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from threading import Event, Thread
from typing import TYPE_CHECKING, TypeVar

from pipeline.errors import NewsletterError
from pipeline.preview.choices import part_of, with_part
from pipeline.preview.gather import broken, faults_of, gather
from pipeline.preview.state import State
from pipeline.preview.watching import Kind, Watcher
from pipeline.project import open_project

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from pipeline.preview.state import Part
    from pipeline.project import Project

Made = TypeVar("Made")

_log = logging.getLogger("pipeline.preview")

#: As watchfiles itself calls the variable that asks for looking instead of being told.
POLL = "WATCHFILES_FORCE_POLLING"
#: Seconds after which a listener is told that we are still there.
HEARTBEAT = 15
#: Seconds that a browser has at most to itself to fetch what changed: checks at the same time would make it slower.
HEAD_START = 0.3
#: What a page fetches of a new look.
PARTS = frozenset({"page", "frame"})
#: Past issues, and parts of the newest, that are kept ready.
KEPT = 8
#: Parts that are made ready with each look, because somebody looks at them.
AHEAD = 3


@dataclass(frozen=True)
class Wanted:
    """What the editor asked to see."""

    root: Path
    #: None: the next issue, whatever its number.
    number: int | None = None
    #: Pretended time; None: now, anew at each look.
    clock: str | None = None
    since: datetime | None = None
    latest: int | None = None


async def in_thread(function: Callable[[], Made]) -> Made:
    """Run something slow beside the loop, in a thread that cannot keep the program from ending."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[Made] = loop.create_future()

    def tell(act: Callable[[], None]) -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(lambda: None if done.done() else act())

    def run() -> None:
        try:
            made = function()
        except BaseException as fault:
            error = fault
            tell(lambda: done.set_exception(error))
        else:
            tell(lambda: done.set_result(made))

    Thread(target=run, daemon=True).start()
    return await done


class Live:
    """The newest state, and those who wait for the next."""

    def __init__(self, wanted: Wanted, note: Callable[[str], None]) -> None:
        """Take the first look. `note` is told what a person should know besides.

        Raises SettingsError, StoreError, or Refused if there is no such issue.
        """
        self.wanted = wanted
        self._note = note
        self._project = self._open()
        self._past: OrderedDict[tuple[int, str], State] = OrderedDict()
        #: Choices whose part of the newest look somebody has asked for, and parts that were not ready then.
        self._choices: set[str] = set()
        self._parts: OrderedDict[tuple[str, str], Part] = OrderedDict()
        self.state = self._look(None)
        self._stale: set[Kind] = set()
        self._closing = False
        self._listeners = 0
        #: Set when a look under way is out of date already.
        self._newer = Event()
        #: Set when checks may begin: the look that they are about is fetched, or is out of date.
        self._checkable = Event()
        self._fetched: set[str] = set()

    # --- the loop's side ---------------------------------------------------------

    async def run(self) -> None:
        """Look again at every save, until `close`."""
        self._loop = asyncio.get_running_loop()
        self._saved, self._news, self._looking = asyncio.Event(), asyncio.Event(), asyncio.Lock()
        watcher = self._watch()
        try:
            # What was saved between the first look and now.
            self._saved.set()
            while True:
                await self._saved.wait()
                if self._closing:
                    return
                folders = self.state.settings.posts
                await self._look_again(self._early)
                if self.state.settings.posts != folders:
                    watcher.stop()
                    watcher = self._watch()
                    # What was saved there in between.
                    self._saved.set()
        finally:
            watcher.stop()

    async def refresh(self) -> State:
        """Look now; return when a state is there that knows of everything saved before the call."""
        self._outdate()
        await self._look_again(None)
        return self.state

    async def _look_again(self, early: Callable[[State], bool] | None) -> None:
        async with self._looking:
            self._saved.clear()
            self._newer.clear()
            self._checkable.clear()
            stale, self._stale = self._stale, set()
            self._publish(await in_thread(lambda: self._renewed(stale, early)))

    def _publish(self, state: State) -> None:
        if state.version != self.state.version:
            self.state = state
            self._fetched.clear()
            self._choices.clear()
            self._wake()

    def fetched(self, part: str) -> None:
        """Take note that a browser has the newest look's page or frame."""
        self._fetched.add(part)
        if self._fetched >= PARTS:
            self._checkable.set()

    def _outdate(self) -> None:
        self._newer.set()
        self._checkable.set()

    def _wake(self) -> None:
        self._news.set()
        self._news = asyncio.Event()

    async def versions(self) -> AsyncIterator[str]:
        """Yield the state's version now and at each change, and "" as a sign of life between."""
        told = ""
        self._listeners += 1
        try:
            while not self._closing:
                news = self._news
                if self.state.version != told:
                    told = self.state.version
                    yield told
                    continue
                try:
                    async with asyncio.timeout(HEARTBEAT):
                        await news.wait()
                except TimeoutError:
                    yield ""
        finally:
            self._listeners -= 1

    async def shown(self, number: int | None, choice: str = "") -> State:
        """Return the state of a past issue by its number, or the newest one; with what is shown for a choice.

        Raises Refused if there is no such issue.
        """
        state = await self._issue(number)
        if not choice:
            return state
        if state.look is None or state.look.variants is None:
            return with_part(state, part_of(state, choice))
        if len(self._choices) < AHEAD:
            self._choices.add(choice)
        key = (choice, state.version)
        part = state.parts.get(choice) or self._parts.get(key)
        if part is None:
            async with self._looking:
                part = await in_thread(lambda: part_of(state, choice))
            self._parts[key] = part
            while len(self._parts) > KEPT:
                self._parts.popitem(last=False)
        return with_part(state, part)

    async def _issue(self, number: int | None) -> State:
        state = self.state
        if number is None or number == state.number:
            return state
        key = (number, state.version)
        if key not in self._past:
            async with self._looking:
                past = await in_thread(lambda: gather(self._project, number))
            # It changes when the newsletter does, so that one page needs to listen to one thing only.
            self._past[key] = replace(past, version=state.version)
            while len(self._past) > KEPT:
                self._past.popitem(last=False)
        return self._past[key]

    def close(self) -> None:
        """Send everybody home; may be called from a signal handler."""
        self._closing = True
        if not hasattr(self, "_loop"):
            return  # told to end before it began

        def wake() -> None:
            self._saved.set()
            self._wake()

        self._loop.call_soon_threadsafe(wake)

    def _watch(self) -> Watcher:
        polling = self._project.environ.get(POLL, "").lower() not in ("", "false", "disable", "disabled")
        return Watcher(self.wanted.root, self.state.settings, self._told, self._note, polling=polling)

    def _told(self, kinds: set[Kind]) -> None:
        def heed() -> None:
            self._stale |= kinds
            self._outdate()
            self._saved.set()

        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(heed)

    # --- the worker's side: one thread at a time ---------------------------------------

    def _open(self) -> Project:
        return open_project(self.wanted.root, self.wanted.clock)

    def _renewed(self, stale: set[Kind], early: Callable[[State], bool] | None = None) -> State:
        """Look again, at a newsletter opened anew if its settings or templates were saved."""
        state = self.state
        try:
            if Kind.FRAME in stale:
                self._project = self._open()
            elif self.wanted.clock is None:
                self._project.now = datetime.now(self._project.now.tzinfo).replace(microsecond=0)
            return self._look(state, early)
        except (NewsletterError, OSError) as fault:
            # Settings that cannot be read, a ledger that failed and is not asked again: the next save opens both anew.
            self._stale.add(Kind.FRAME)
            return broken(self.state, self.state, faults_of(state.root, fault))
        except Exception as fault:
            # A fault of ours must not end the preview: the next save may not meet it.
            if _log.isEnabledFor(logging.DEBUG):
                _log.warning("while looking", exc_info=True)
            self._stale.add(Kind.FRAME)
            return broken(self.state, self.state, faults_of(state.root, fault))

    def _look(self, before: State | None, early: Callable[[State], bool] | None = None) -> State:
        wanted = self.wanted
        return self._with_parts(
            gather(self._project, wanted.number, wanted.since, wanted.latest, before, early)
        )

    def _with_parts(self, state: State) -> State:
        """Make ready what is looked at of the issue, so that the look and its part come together."""
        # A copy: the loop's side adds to it.
        return replace(state, parts={choice: part_of(state, choice) for choice in tuple(self._choices)})

    def _early(self, state: State) -> bool:
        """Show the look first and check it when the browser has fetched it; say no if there is a newer one to come."""
        if self._loop.is_closed():
            return False
        self._loop.call_soon_threadsafe(self._publish, self._with_parts(state))
        if self._listeners:
            self._checkable.wait(HEAD_START)
        return not self._newer.is_set()
