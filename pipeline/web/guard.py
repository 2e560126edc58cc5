"""Stands before the readers' pages: dresses every answer, keeps tokens out of the log, and owns up to our faults.

Nothing is taken from the Host header: whatever a page links to comes from
newsletter.toml, or is relative.
"""

from __future__ import annotations

import logging
import time
import traceback
from typing import TYPE_CHECKING

from starlette.requests import ClientDisconnect
from starlette.responses import PlainTextResponse

from pipeline.errors import NewsletterError
from pipeline.serving.forms import CLOSE
from pipeline.serving.headers import dress
from pipeline.web.headers import HSTS, PLAIN

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from pipeline.web.visitors import Visitors

#: What is written about a request instead of its path, which may hold a token.
NAMED = frozenset({"subscribe", "confirm", "unsubscribe", "preferences", "hooks", "healthz"})
OURS = "A fault of the program itself. Please try again later."

_log = logging.getLogger("pipeline.web")


class Guard:
    """An ASGI application around another."""

    def __init__(self, app: ASGIApp, visitors: Visitors, *, secure: bool) -> None:
        """`secure` says that the public address is an https one."""
        self.app, self.visitors = app, visitors
        self.secure = secure
        self._warned = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        began, status = time.perf_counter(), 0
        visitor = scope["visitor"] = self.visitors.who(scope)
        usual = {**PLAIN, **(HSTS if self.secure and not visitor.in_the_clear else {})}
        self._mind(visitor.spoken_for)
        _put_right(scope)

        async def dressed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message = {**message, "headers": dress(message.get("headers", []), usual)}
            await send(message)

        try:
            await (_muddled if _is_muddled(scope) else self.app)(scope, receive, dressed)
        except ClientDisconnect:
            pass  # it went away in the middle of what it said
        except Exception as fault:
            _confess(scope, fault)
            if not status:
                await PlainTextResponse(f"{OURS}\n", 500)(scope, receive, dressed)
        finally:
            took = (time.perf_counter() - began) * 1000
            _log.info("%s %s %d %.0f ms", scope["method"][:20], named(scope), status, took)

    def _mind(self, spoken_for: bool) -> None:
        if spoken_for and not self._warned:
            self._warned = True
            _log.warning(
                "warning: requests come through a proxy that web.trusted_proxies does not name, so all who come "
                "through it count as one client. Name its address in newsletter.toml."
            )


def named(scope: Scope) -> str:
    """Return what may be written about a request's path: never a token."""
    first, _, more = scope["path"].lstrip("/").partition("/")
    if first in NAMED:
        return f"/{first}/…" if more else f"/{first}"
    return "elsewhere"


def _is_muddled(scope: Scope) -> bool:
    """Tell whether a request says twice where it ends: a proxy may have read it otherwise (RFC 9112, 6.3)."""
    return {b"transfer-encoding", b"content-length"} <= {name for name, _ in scope["headers"]}


async def _muddled(scope: Scope, receive: Receive, send: Send) -> None:
    """Refuse it, and whatever follows on the same connection."""
    answer = PlainTextResponse("Either Transfer-Encoding or Content-Length.\n", 400, headers=CLOSE)
    await answer(scope, receive, send)


def _put_right(scope: Scope) -> None:
    """Take a target in absolute form, whatever host it names, for its path (RFC 9112, 3.2.2)."""
    scope["path"] = _path_of(scope["path"])
    scope["raw_path"] = _path_of(scope["raw_path"].decode("latin-1")).encode("latin-1")


def _path_of(target: str) -> str:
    if target.startswith("/") or "://" not in target:
        return target
    return "/" + target.partition("://")[2].partition("/")[2]


def _confess(scope: Scope, fault: Exception) -> None:
    if isinstance(fault, NewsletterError):
        _log.error("newsletter: %s: %s", named(scope), fault)
        return
    # No words of the fault's own: they may hold what somebody sent. The way it took is for whoever asked for more.
    way = traceback.extract_tb(fault.__traceback__)
    place = f" at {way[-1].filename.rpartition('/')[2]}:{way[-1].lineno}" if way else ""
    ours = "a fault of the program itself"
    _log.error("newsletter: %s: %s: %s%s", named(scope), ours, type(fault).__name__, place)
    _log.debug("%s", "".join(traceback.format_list(way)))
