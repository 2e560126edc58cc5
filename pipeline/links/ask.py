"""Chooses which links of an issue are asked, and asks those of which too little is known."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from pipeline import __version__
from pipeline.links.memory import Memory
from pipeline.links.robots import PRODUCT
from pipeline.links.visit import Doors, Limits, visit
from pipeline.model import LinkAnswer, RenderedIssue

if TYPE_CHECKING:
    from pipeline.settings import Settings

#: Told how many links are answered, of how many.
Progress = Callable[[int, int], None]

#: What publishing makes below the newsletter's address, and what `newsletter serve` answers to: the first part of
#: the path. It may not be there before the issue is out, and whether it will be is seen from the files.
OWN = frozenset({"", "index.html", "issues", "posts", "categories", "feeds"})
SERVED = frozenset({"subscribe", "confirm", "unsubscribe", "preferences", "hooks", "healthz"})


def answers_for(
    rendered: RenderedIssue,
    settings: Settings,
    cache_file: Path,
    now: datetime,
    progress: Progress | None = None,
    *,
    limits: Limits | None = None,
    doors: Doors | None = None,
) -> dict[str, LinkAnswer]:
    """Say what became of every link of an issue that leads to somebody else's site.

    What was asked lately is not asked again. Blocks for a while; if it is
    stopped, what was found out until then is remembered. Raises
    NewsletterError if a package is missing.
    """
    memory = Memory(cache_file)
    links = list(foreign(rendered, settings))
    known = {url: answer for url in links if (answer := memory.get(url, now))}
    fresh: dict[str, LinkAnswer] = {}

    def tell(url: str, answer: LinkAnswer) -> None:
        fresh[url] = answer
        if progress:
            progress(len(known) + len(fresh), len(links))

    try:
        visit(
            [url for url in links if url not in known],
            agent=agent(settings),
            now=now,
            witness=settings.newsletter.host,
            limits=limits,
            doors=doors,
            tell=tell,
        )
    finally:
        if fresh:
            memory.keep(fresh, now)
    both: Mapping[str, LinkAnswer] = known | fresh
    return {url: both[url] for url in links}


def agent(settings: Settings) -> str:
    """Return the User-Agent: this program, and where those who wonder about it find its owner (RFC 9110, 10.1.5)."""
    return f"{PRODUCT}/{__version__} (+{quote(settings.newsletter.url, safe=':/?#[]@!$&*,;=%~')})"


def foreign(rendered: RenderedIssue, settings: Settings) -> Iterator[str]:
    """Yield the web addresses of an issue, each once, that are not made by publishing it.

    A reader's own links are marks until a message is spliced, so they are no addresses yet.
    """
    own = OWN if settings.posts.url is None else OWN - {"posts"}
    seen = {rendered.marks.unsubscribe, rendered.marks.preferences}
    for link in rendered.links:
        if link.url in seen or link.file or not link.url.startswith(("http://", "https://")):
            continue
        seen.add(link.url)
        if not (_below(link.url, settings.newsletter.url, own) or _below(link.url, settings.web_url, SERVED)):
            yield link.url


def _below(url: str, site: str, parts: frozenset[str]) -> bool:
    """Tell whether an address is one of a site's own pages, by the first part of its path below the site."""
    try:
        found, ours = urlsplit(url), urlsplit(site)
    except ValueError:
        return False
    base = ours.path.rstrip("/") + "/"
    path = found.path if found.path.endswith("/") or found.path != base[:-1] else base
    if (found.scheme, found.netloc) != (ours.scheme, ours.netloc) or not path.startswith(base):
        return False
    return path[len(base) :].partition("/")[0] in parts
