"""Asks a list of links, politely: few hosts at once, one request at a time to each, within limits of time."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from importlib.util import find_spec

from pipeline.errors import NewsletterError, installing
from pipeline.links.judge import Fault
from pipeline.links.manners import Manners, host_of
from pipeline.links.places import Guard, public
from pipeline.links.request import Asker, LookUp, look_up, read
from pipeline.links.walk import walk
from pipeline.model import LinkAnswer, LinkState

#: Told of every answer as it comes.
Tell = Callable[[str, LinkAnswer], None]

OFFLINE = LinkAnswer(LinkState.NOT_CHECKED, "you are offline")


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is asked, and how fast. Times are in seconds."""

    #: Links asked in one visit.
    links: int = 500
    #: Hosts asked at the same time.
    hosts: int = 6
    #: From the end of one request to a host until the next one to it.
    pause: float = 1.0
    #: For one link: all its requests and redirects, but not the pauses between them.
    link: float = 20.0
    #: For the whole visit.
    visit: float = 180.0
    redirects: int = 5
    #: Until an address takes the connection.
    connect: float = 5.0


@dataclass(frozen=True, slots=True)
class Doors:
    """How a visit gets out, for tests: which addresses are allowed, who looks names up, whom TLS trusts."""

    allowed: Guard = public
    look_up: LookUp = look_up
    #: None: those whom the system trusts.
    trust: ssl.SSLContext | None = None


def visit(
    urls: Iterable[str],
    *,
    agent: str,
    now: datetime,
    witness: str = "",
    limits: Limits | None = None,
    doors: Doors | None = None,
    tell: Tell | None = None,
) -> dict[str, LinkAnswer]:
    """Ask every link once, and say what became of it.

    `agent` is the User-Agent. `witness` is a host that ought to exist: if no
    name can be looked up, not even that, this machine is offline. Blocks;
    Ctrl-C ends it at once. Raises NewsletterError if a package is missing.
    """
    if find_spec("httpx2") is None:
        raise NewsletterError(f"links cannot be asked, because a package is missing. {installing('online')}")
    limits, doors = limits or Limits(), doors or Doors()
    # What stands after # is found inside the page, so pages are asked, and each of them once.
    pages: dict[str, list[str]] = {}
    urls = list(dict.fromkeys(urls))
    for url in urls:
        pages.setdefault(url.partition("#")[0], []).append(url)
    answers: dict[str, LinkAnswer] = {}

    def hear(page: str, answer: LinkAnswer) -> None:
        for url in pages[page]:
            answers[url] = _with_fragment(answer, url)
            if tell:
                tell(url, answers[url])

    asked = list(pages)[: limits.links]
    for page in list(pages)[limits.links :]:
        hear(page, LinkAnswer(LinkState.NOT_CHECKED, f"there are more than {limits.links} links"))

    async def go() -> None:
        asker = Asker(agent, doors.allowed, doors.look_up, doors.trust, limits.connect)
        try:
            await _Visit(asker, limits, witness, now, hear).run(asked)
        finally:
            await asker.close()

    if asked:
        asyncio.run(go())
    return {url: answers[url] for url in urls}


def _with_fragment(answer: LinkAnswer, url: str) -> LinkAnswer:
    """Keep the part after #, as browsers do across a redirect (RFC 9110, 10.2.2)."""
    fragment = url.partition("#")[2]
    return replace(answer, url=f"{answer.url}#{fragment}") if fragment and answer.url else answer


class _Offline(Exception):
    """Nothing can be reached, so no more is asked."""


class _Visit:
    """One visit: who is asked when, and what is made of it if nothing can be reached."""

    def __init__(self, asker: Asker, limits: Limits, witness: str, now: datetime, hear: Tell) -> None:
        self.asker = asker
        self.limits = limits
        self.witness = witness
        self.now = now
        self.hear = hear
        self.manners = Manners(asker, limits.pause, limits.link, limits.redirects, now)
        self.waiting: dict[str, None] = {}
        #: What was said of links while nothing had been reached yet: true only if this machine is not offline.
        self.unsure: dict[str, LinkAnswer] = {}
        #: Proven without a server: a name could be looked up.
        self.online = False

    async def run(self, urls: list[str]) -> None:
        """Ask all links, those of one host one after the other."""
        self.waiting = dict.fromkeys(urls)
        by_host: dict[str, list[str]] = {}
        for url in urls:
            by_host.setdefault(host_of(url), []).append(url)
        # The longest queue first, so that it is not what all wait for in the end.
        queues = sorted(by_host.values(), key=len, reverse=True)
        rest = LinkAnswer(
            LinkState.NOT_CHECKED, f"there was no time left after {self.limits.visit:g} seconds"
        )
        try:
            async with asyncio.timeout(self.limits.visit):
                offline = await self._ask(queues)
        except TimeoutError:
            offline = not (self.asker.reached or self.asker.resolved)
        for url, answer in self.unsure.items():
            self._settle(url, OFFLINE if offline else answer)
        for url in list(self.waiting):
            self._settle(url, OFFLINE if offline else rest)

    async def _ask(self, queues: list[list[str]]) -> bool:
        """Ask all that is queued; tell whether this machine turned out to be offline."""

        async def work() -> None:
            while queues:
                for url in queues.pop(0):
                    await self._one(url)

        offline = False
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(min(self.limits.hosts, len(queues))):
                    group.create_task(work())
        except* _Offline:
            offline = True
        return offline or (bool(self.unsure) and not self.online and await self._is_offline())

    async def _one(self, url: str) -> None:
        try:
            read(url)
        except Fault as fault:
            self._settle(url, replace(fault.answer, url=url))
            return
        answer = await walk(url, self.manners, self.now)
        if self.asker.reached or answer.state is LinkState.NOT_CHECKED:
            self._settle(url, answer)
            return
        self.unsure[url] = answer
        # Where nothing answers at all, nobody should wait for each of a hundred hosts to be silent.
        if not self.online and len({host_of(each) for each in self.unsure}) >= self.limits.hosts:
            if await self._is_offline():
                raise _Offline
            self.online = True

    def _settle(self, url: str, answer: LinkAnswer) -> None:
        if url in self.waiting:
            del self.waiting[url]
            self.hear(url, answer)

    async def _is_offline(self) -> bool:
        """Tell whether it is this machine, not the links, to which nothing answers."""
        asker = self.asker
        if asker.reached:
            return False
        if asker.resolved:
            # Names are known (from a resolver nearby, perhaps), but no server took a connection. One that is silent
            # may be down; several that are, or no way out at all, are us.
            return len(asker.silent) != 1
        try:
            async with asyncio.timeout(self.limits.link):
                await asker.find(self.witness, 443)
        except (Fault, TimeoutError):
            return True
        return False
