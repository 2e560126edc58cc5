"""Decides what a site's answer means for a link. Pure: numbers and words in, a LinkAnswer out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from urllib.parse import urlsplit

from pipeline.model import LinkAnswer, LinkState

PERMANENT = frozenset({301, 308})
REDIRECTS = frozenset({301, 302, 303, 307, 308})
#: What sites answer to programs they do not want, though a reader may be welcome (RFC 9110, 15.5;
#: 451 is RFC 7725; 999 is no standard, but what LinkedIn says).
UNWELCOME = frozenset({401, 402, 403, 407, 451, 999})
GONE = frozenset({404, 410})
TOO_MANY = frozenset({425, 429})

#: However long a site asks to be left alone, it is asked again after a day; and not within a minute.
LEAST_REST, LONGEST_REST = timedelta(minutes=1), timedelta(days=1)
USUAL_REST = timedelta(hours=1)


class Fault(Exception):
    """There is no HTTP answer that counts; holds what is to be said of the link instead."""

    def __init__(self, answer: LinkAnswer, *, connected: bool = False) -> None:
        super().__init__(answer.why)
        self.answer = answer
        #: True if the server took the connection, so that a request of another kind may fare better.
        self.connected = connected


def fault(state: LinkState, why: str, *, connected: bool = False) -> Fault:
    """Return a Fault to raise."""
    return Fault(LinkAnswer(state, why), connected=connected)


def named(code: int) -> str:
    """Return a status with its name: "404 (Not Found)". The name is the standard's, never the server's words."""
    try:
        return f"{code} ({HTTPStatus(code).phrase})"
    except ValueError:
        return str(code)


def unhurried(code: int, retry_after: str) -> bool:
    """Tell whether the site asked to be left alone for a while (RFC 6585, 4; RFC 9110, 15.6.4)."""
    return code in TOO_MANY or (code == 503 and bool(retry_after.strip()))


def judge(code: int, retry_after: str, now: datetime) -> LinkAnswer:
    """Say what a final status means (RFC 9110, 15)."""
    if 200 <= code < 300:
        return LinkAnswer(LinkState.ALIVE, f"answers {named(code)}", code)
    if unhurried(code, retry_after):
        return LinkAnswer(
            LinkState.THROTTLED,
            "the site asked to be left alone for a while",
            code,
            until=rest(retry_after, now),
        )
    if code in GONE:
        return LinkAnswer(LinkState.DEAD, f"answers {named(code)}", code)
    if code in UNWELCOME:
        return LinkAnswer(LinkState.REFUSED_ROBOTS, f"the site answers programs with {named(code)}", code)
    return LinkAnswer(LinkState.FAILING, f"answers {named(code)}", code)


def rest(retry_after: str, now: datetime) -> datetime:
    """Read Retry-After, seconds or a date (RFC 9110, 10.2.3), within reason."""
    wait = USUAL_REST
    try:
        if retry_after.strip().isdecimal():
            wait = timedelta(seconds=min(int(retry_after.strip()[:9]), 10**8))
        elif retry_after.strip():
            moment = parsedate_to_datetime(retry_after)
            wait = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - now
    except (ValueError, TypeError, OverflowError):
        pass
    return now + min(max(wait, LEAST_REST), LONGEST_REST)


def moved(start: str, hops: Sequence[tuple[int, str]], answer: LinkAnswer) -> LinkAnswer:
    """Say what a chain of redirects makes of the answer at its end.

    `hops` are statuses and where each led. Only redirects for good count, from
    the first one on: after one that may change tomorrow, nothing is known.
    """
    new = ""
    for code, url in hops:
        if code not in PERMANENT:
            break
        new = url
    if answer.state is not LinkState.ALIVE or not new or _unencrypted(start, new):
        return answer
    if _to_first_page(start, new):
        # What a site does with pages it has removed: the address is no use to put in place.
        return LinkAnswer(LinkState.MOVED, "leads to the site's first page now", answer.code)
    return LinkAnswer(LinkState.MOVED, "has moved for good", answer.code, new)


def _unencrypted(old: str, new: str) -> bool:
    return old.lower().startswith("https:") and not new.lower().startswith("https:")


def _to_first_page(old: str, new: str) -> bool:
    first, then = urlsplit(old), urlsplit(new)
    return then.path in ("", "/") and not then.query and (first.path not in ("", "/") or bool(first.query))
