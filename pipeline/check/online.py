"""Checks of what other people's sites answered (`check --online`). Pure: links/ asked them before.

Each takes the Material and the answers by address, and yields findings like
any check.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from urllib.parse import quote

from pipeline.check.findings import note, warning
from pipeline.check.links import split
from pipeline.check.material import TEMPLATES, Material
from pipeline.check.mend import Ground, Mended, on_line
from pipeline.check.texts import said, short
from pipeline.model import Finding, Link, LinkAnswer, LinkState

Answers = Mapping[str, LinkAnswer]
OnlineCheck = Callable[[Material, Answers], Iterator[Finding]]

#: States that say nothing about the page.
UNKNOWN = (LinkState.NOT_CHECKED, LinkState.REFUSED_ROBOTS, LinkState.THROTTLED)
#: Hosts that a note names; the others are counted.
MOST_HOSTS = 3

_MOVED = re.compile(r"(\S+) has moved for good")
_WRITE = re.compile(r"write (\S+)")
#: What an address does not begin after, or end before: it is part of a longer one.
_BEFORE = r"(?<![\w/=:%?&.-])"
_AFTER = r"(?![\w%/?#&=+~@$*(-]|[.,;:!'][\w%/?#&=+~@$*(-])"


def link_dead(m: Material, answers: Answers) -> Iterator[Finding]:
    """Every link leads to a page that is there."""
    fix = "correct the address, or take the link out"
    return _warnings(m, answers, LinkState.DEAD, "link-dead", fix)


def link_failing(m: Material, answers: Answers) -> Iterator[Finding]:
    """The sites that links lead to answer without a fault."""
    fix = "open it in a browser; after an hour it is asked again"
    return _warnings(m, answers, LinkState.FAILING, "link-failing", fix)


def link_certificate(m: Material, answers: Answers) -> Iterator[Finding]:
    """The sites that links lead to have certificates that browsers take."""
    fix = "open it in a browser: readers get the warning that you get"
    return _warnings(m, answers, LinkState.CERTIFICATE, "link-certificate", fix)


def link_moved(m: Material, answers: Answers) -> Iterator[Finding]:
    """Links lead to where their pages are now."""
    for link, answer in _with(m, answers, LinkState.MOVED):
        # Addresses are whole here, so that `--fix` can put one in the place of the other.
        yield note(
            "link-moved",
            f"{link.url} {answer.why}",
            path=link.path or TEMPLATES,
            line=link.line,
            fix=f"write {answer.url}" if answer.url else "look whether the page is gone, and link to another",
        )


def links_unchecked(m: Material, answers: Answers) -> Iterator[Finding]:
    """Say which links nobody could try, and why."""
    by_reason: dict[str, dict[str, str]] = {}
    for link in m.links():
        answer = answers.get(link.url)
        if answer and answer.state in UNKNOWN:
            # Where the site is not the reason (we are offline, say), there is no address, and no host to name.
            by_reason.setdefault(answer.why, {})[link.url] = answer.url
    for why, found in by_reason.items():
        hosts = _hosts(found.values())
        yield note(
            "links-unchecked",
            f"{said(len(found), 'link')} not checked: {why}" + (f": {hosts}" if hosts else ""),
            path=m.rendered.issue.path,
            fix="open them in a browser" if hosts else "once more, later: newsletter check --online",
        )


#: All of them, in the order in which an editor cares.
ONLINE: tuple[OnlineCheck, ...] = (link_dead, link_failing, link_certificate, link_moved, links_unchecked)


def write_new(finding: Finding, text: str, ground: Ground) -> Mended | None:  # noqa: ARG001 -- a Fix
    """Put the address to which a page has moved in the place of the old one."""
    old, new = _MOVED.fullmatch(finding.message), _WRITE.fullmatch(finding.fix)
    if not old or not new:
        return None
    # The site chose the new address: nothing in it may end the link it stands in, or mean something to Markdown.
    safe = quote(new[1], safe=":/?#@!$&,;=%+-._~")
    whole = re.compile(_BEFORE + re.escape(old[1]) + _AFTER)
    mended = on_line(text, finding.line, lambda line: whole.sub(lambda _: safe, line))
    return Mended(mended, f"{old[1]} is {safe} now")


def _warnings(m: Material, answers: Answers, state: LinkState, id: str, fix: str) -> Iterator[Finding]:
    """Yield a warning at every place of each link whose site answered so."""
    for link, answer in _with(m, answers, state):
        message = f"{short(link.url)} {answer.why}"
        yield warning(id, message, path=link.path or TEMPLATES, line=link.line, fix=fix)


def _with(m: Material, answers: Answers, state: LinkState) -> Iterator[tuple[Link, LinkAnswer]]:
    """Yield every place that holds a link with such an answer."""
    for link in m.links():
        answer = answers.get(link.url)
        if answer and answer.state is state:
            yield link, answer


def _hosts(urls: Iterable[str]) -> str:
    hosts = list(dict.fromkeys(parts.hostname for url in urls if (parts := split(url)) and parts.hostname))
    more = len(hosts) - MOST_HOSTS
    return ", ".join(hosts[:MOST_HOSTS]) + (f" and {more} more" if more > 0 else "")
