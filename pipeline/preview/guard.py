"""Stands before the preview and lets in only the editor's own browser, on this machine, on this page.

Any site that is open in the same browser can send requests to 127.0.0.1, and
can give its own name that address (DNS rebinding). So every request must name
us as its host, must not come from another site's page, and, where it changes
something, must carry the token that only our own page holds. No cookie is
involved, so there is none to ride on.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from secrets import compare_digest
from typing import TYPE_CHECKING

from starlette.responses import PlainTextResponse

from pipeline.serving.headers import SAFE, dress, values

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

#: What every answer carries unless it says otherwise itself. With `no-referrer` browsers would send our own forms
#: with `Origin: null` (Fetch standard, "append a request Origin header"), which could not be told from a stranger's.
HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
#: A document within our page: it may show what we send it, and do nothing.
FRAME_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; sandbox allow-same-origin; "
    "frame-ancestors 'self'; base-uri 'none'; form-action 'none'"
)
OURS = "A fault of the program itself. Please report it, with what the command prints if you add -v."

_log = logging.getLogger("pipeline.preview")


class Guard:
    """An ASGI application around another: refuses what is not the editor's, and dresses every answer."""

    def __init__(self, app: ASGIApp, hosts: Iterable[str]) -> None:
        """`hosts` are the names under which we may be called, as a Host header writes them."""
        self.app = app
        self.hosts = frozenset(hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] != "http":
            return
        begun = False

        async def dressed(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                message = {**message, "headers": dress(message.get("headers", []), HEADERS)}
            await send(message)

        why = self.refuses(scope)
        if why:
            await refusal(why)(scope, receive, dressed)
            return
        try:
            await self.app(scope, receive, dressed)
        except Exception as fault:
            # A fault of ours: the browser gets a sentence, and whoever asked for more words the traceback.
            _log.error(
                "newsletter: a fault of the program itself at %s: %s: %s",
                scope["path"],
                type(fault).__name__,
                fault,
                exc_info=_log.isEnabledFor(logging.DEBUG),
            )
            if not begun:
                await PlainTextResponse(f"{OURS}\n", 500)(scope, receive, dressed)

    def refuses(self, scope: Scope) -> str:
        """Say why a request is not let in; "" if it is. Puts a target in absolute form right."""
        named = values(scope, b"host")
        host = named[0] if len(named) == 1 else ""
        if host not in self.hosts:
            return f"The preview is only for this machine, at http://{sorted(self.hosts)[0]}/."
        # RFC 9112, 3.2.2: a server takes targets in absolute form too; ours only.
        path = scope["path"].removeprefix(f"http://{host}")
        if not path.startswith("/"):
            return "The preview answers only for itself."
        scope["path"] = path
        if b"websocket" in b",".join(value for name, value in scope["headers"] if name == b"upgrade").lower():
            return "The preview has no websocket."
        method = scope["method"]
        if values(scope, b"origin") not in ([], [f"http://{host}"]):
            return "This request comes from another site's page."
        if method not in SAFE and not values(scope, b"origin"):
            return "This request does not say from which page it comes."
        if not _ours(scope):
            return "This request comes from another site's page."
        return ""


def _ours(scope: Scope) -> bool:
    """Tell by the browser's own word (Fetch Metadata) that no other site's page asks.

    Coming here by a link is fine: it shows the page to the editor and to nobody else.
    """
    site = values(scope, b"sec-fetch-site")
    if site in ([], ["same-origin"], ["none"]):
        return True
    arrives = values(scope, b"sec-fetch-mode") == ["navigate"] and values(scope, b"sec-fetch-dest") == [
        "document"
    ]
    return arrives and scope["method"] in SAFE


def refusal(why: str) -> PlainTextResponse:
    """Answer 403 with a reason."""
    return PlainTextResponse(f"{why}\n", 403)


def same(one: str, other: str) -> bool:
    """Compare a secret with what was sent, in a time that tells nothing of either."""
    return compare_digest(one.encode("utf-8", "replace"), other.encode("utf-8", "replace"))
