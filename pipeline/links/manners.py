"""How one visit behaves towards sites: a turn for each request, pauses, robots.txt, and rest where it is asked for."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from pipeline.links.judge import REDIRECTS, Fault, fault, judge
from pipeline.links.request import Asker, Reply, follow
from pipeline.links.robots import MOST_BYTES, Rules, read_robots
from pipeline.model import LinkState


@dataclass(slots=True)
class Budget:
    """Seconds that all requests for one link may still take together."""

    left: float


class Manners:
    """Lets requests through one at a time to each host, and none that a site does not want."""

    def __init__(self, asker: Asker, pause: float, seconds: float, redirects: int, now: datetime) -> None:
        self.redirects = redirects
        self._asker = asker
        self._pause = pause
        self._seconds = seconds
        self._now = now
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._free_at: dict[str, float] = {}
        self._pauses: dict[str, float] = {}
        #: scheme://host:port -> its rules, or why it is not asked.
        self._robots: dict[str, Rules | Fault] = {}
        self._reading: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        #: Hosts that asked to be left alone for a while.
        self._resting: dict[str, Fault] = {}

    def budget(self) -> Budget:
        """Return a new link's time."""
        return Budget(self._seconds)

    async def ask(self, method: str, url: str, budget: Budget) -> Reply:
        """Send one request when it is its turn, if the site lets us. Raises Fault."""
        host = host_of(url)
        rules = await self._rules(url)
        if not rules.allows(url):
            raise fault(LinkState.REFUSED_ROBOTS, "the site refuses robots")
        if host in self._resting:
            raise self._resting[host]
        return await self._send(method, url, budget)

    async def _send(self, method: str, url: str, budget: Budget, keep: int = 0) -> Reply:
        host = host_of(url)
        async with self._turn(host):
            loop = asyncio.get_running_loop()
            started = loop.time()
            try:
                async with asyncio.timeout(budget.left):
                    reply = await self._asker.ask(method, url, keep)
            except TimeoutError:
                raise fault(LinkState.FAILING, f"did not answer within {self._seconds:g} seconds") from None
            finally:
                budget.left -= loop.time() - started
        answer = judge(reply.code, reply.retry_after, self._now)
        if answer.state is LinkState.THROTTLED:
            self._resting[host] = Fault(answer)
        return reply

    @asynccontextmanager
    async def _turn(self, host: str) -> AsyncIterator[None]:
        """Wait until nobody else asks this host, and the pause after the last request to it is over."""
        loop = asyncio.get_running_loop()
        async with self._turns[host]:
            await asyncio.sleep(self._free_at.get(host, 0.0) - loop.time())
            try:
                yield
            finally:
                self._free_at[host] = loop.time() + max(self._pause, self._pauses.get(host, 0.0))

    async def _rules(self, url: str) -> Rules:
        """Return a site's rules, asked for once; raise the Fault that stood in the way, once and always."""
        parts = urlsplit(url)
        origin = f"{parts.scheme}://{parts.netloc}"
        async with self._reading[origin]:
            if origin not in self._robots:
                try:
                    self._robots[origin] = await self._read_robots(f"{origin}/robots.txt")
                except Fault as failed:
                    self._robots[origin] = failed
        known = self._robots[origin]
        if isinstance(known, Fault):
            raise known
        self._pauses[host_of(url)] = known.pause
        return known

    async def _read_robots(self, url: str) -> Rules:
        """Fetch and read a robots.txt. What each status means is RFC 9309, 2.3.1."""
        budget = self.budget()
        for _ in range(self.redirects + 1):
            reply = await self._send("GET", url, budget, MOST_BYTES)
            if reply.code not in REDIRECTS or not reply.location:
                break
            url = follow(url, reply.location)
        if 200 <= reply.code < 300:
            return read_robots(reply.body)
        if reply.code >= 500:
            raise fault(LinkState.NOT_CHECKED, "the site's robots.txt cannot be read")
        return Rules()


def host_of(url: str) -> str:
    """Return the host a request would go to, the same for every spelling of it."""
    try:
        return (urlsplit(url).hostname or "").rstrip(".")
    except ValueError:
        return ""
