"""The readers' addresses: what is asked for, as a page, one line, a file of the site, or a provider's report."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, request_response

from pipeline.errors import NewsletterError
from pipeline.serving.forms import FORM, MULTIPART, fields_of, media_type, parts_of, read_body
from pipeline.serving.headers import SAFE, values
from pipeline.web import choosing, hooks, joining, leaving
from pipeline.web.guard import Guard, named
from pipeline.web.keeper import Crowded
from pipeline.web.limits import Limits
from pipeline.web.pages import Place
from pipeline.web.site import Site
from pipeline.web.visit import Answer, Visit
from pipeline.web.visitors import Visitors

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from starlette.requests import Request
    from starlette.types import ASGIApp

    from pipeline.web.keeper import Keeper, Open

#: Bytes and fields of a form; there may be many categories.
MOST_OF_A_FORM, MOST_FIELDS = 16_000, 500
#: Seconds that the store has to say that it is there.
PULSE = 5
#: When to come back, in seconds: if there is something to be mended, and if there are only too many.
AGAIN, SOON = "30", "5"
#: Threads that read the site's files; not the store's, so that a page is there though that is held.
FILE_THREADS = 4

_log = logging.getLogger("pipeline.web")


@dataclass(frozen=True)
class Desk:
    """What the answers share."""

    keeper: Keeper
    limits: Limits
    #: Told when there may be something to send.
    wake: Callable[[], None]
    site: Site | None = None
    files: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(FILE_THREADS, "file"))

    def page(
        self, show: Answer, act: Answer, *, counted: bool = True, writes: bool = False
    ) -> Callable[[Request], Awaitable[Response]]:
        """Return the endpoint of a reader's page: `show` for GET and HEAD, `act` for POST.

        `counted` is whether a client may only post so much, `writes` whether a letter may follow.
        """

        async def endpoint(request: Request) -> Response:
            if request.method in SAFE:
                return await self._visit(request, show, {})
            fields = await _posted(request, strict=counted)
            wait = self.limits.post(request.scope["visitor"].client) if counted else 0
            if wait:
                return too_often(
                    self.keeper.pages.say_too_often(self._place(request), math.ceil(wait / 60)), wait
                )
            answer = await self._visit(request, act, fields)
            if writes:
                self.wake()
            return answer

        return endpoint

    async def _visit(self, request: Request, answer: Answer, fields: Mapping[str, list[str]]) -> Response:
        place, client = self._place(request), request.scope["visitor"].client
        token = request.path_params.get("token", "")
        elsewhere = values(request.scope, b"sec-fetch-site") == ["cross-site"]

        def work(opened: Open, now: datetime) -> Response:
            visit = Visit(
                opened.project,
                opened.pages,
                now,
                place,
                client,
                self.limits,
                opened.categories,
                token,
                fields,
                from_elsewhere=elsewhere,
            )
            return answer(visit)

        try:
            return await self.keeper.ask(work)
        except (NewsletterError, Crowded) as fault:
            sorry = self.keeper.pages.say("not_now", place, status=503)
            sorry.headers["Retry-After"] = _later(request, fault)
            return sorry

    async def hook(self, request: Request) -> Response:
        """Take in what a provider reports."""
        mailer, headers = request.path_params["mailer"], dict(request.headers)
        if mailer not in self.keeper.hooks:
            # Before the body: nobody gets our memory for it.
            return PlainTextResponse("There is no such hook.\n", 404)
        body = await read_body(request, hooks.MOST)
        try:
            return await self.keeper.ask(lambda opened, now: hooks.hear(opened, mailer, headers, body, now))
        except (NewsletterError, Crowded) as fault:
            return PlainTextResponse("Not now.\n", 503, headers={"Retry-After": _later(request, fault)})

    async def pulse(self, _request: Request) -> Response:
        """Say whether the store answers."""
        try:
            async with asyncio.timeout(PULSE):
                await self.keeper.ask(lambda opened, _: opened.store.next_letter())
        except (NewsletterError, Crowded, TimeoutError):
            return PlainTextResponse("The store does not answer.\n", 503, headers={"Retry-After": AGAIN})
        return PlainTextResponse("ok\n")

    async def elsewhere(self, request: Request) -> Response:
        """Serve the site, if it is served at all, and say that anything else is not here."""
        found = None
        if self.site is not None:
            if request.method not in SAFE:
                raise HTTPException(405, headers={"Allow": "GET, HEAD"})
            look = partial(
                self.site.answer, request.scope["path"], request.headers, head=request.method == "HEAD"
            )
            loop = asyncio.get_running_loop()
            # A slash that is written %2F parts nothing (RFC 3986, 2.2): what is relative on such a page leads astray.
            if b"%2f" not in request.scope["raw_path"].lower():
                found = await loop.run_in_executor(self.files, look)
            found = found or await loop.run_in_executor(self.files, self.site.not_found)
        return found or self.keeper.pages.say_not_found(self._place(request))

    async def straightened(self, request: Request) -> Response:
        """Lead from a reader's page with a slash at its end to the page; relative, so that it leads nowhere else."""
        to = quote(request.path_params.get("token", "subscribe"), safe="")
        return Response(status_code=308, headers={"Location": f"../{to}"})

    async def explained(self, request: Request, fault: Exception) -> Response:
        """Say what is wrong with a request."""
        if not isinstance(fault, HTTPException):
            raise fault
        page = self.keeper.pages.say("not_understood", self._place(request), status=fault.status_code)
        for name, value in (fault.headers or {}).items():
            page.headers[name] = ", ".join(sorted(value.split(", ")))
        return page

    def _place(self, request: Request) -> Place:
        return Place.of(request.scope["raw_path"].decode("latin-1"), site=self.site is not None)

    def close(self) -> None:
        """Let go of everything, once what is under way is done."""
        self.files.shutdown()
        self.keeper.close()


def _later(request: Request, fault: NewsletterError | Crowded) -> str:
    """Write down why there is no answer now; return when there may be one."""
    if isinstance(fault, Crowded):
        _log.warning("warning: %s: too many at once", named(request.scope))
        return SOON
    _log.error("newsletter: %s: %s", named(request.scope), fault)
    return AGAIN


def too_often(answer: Response, wait: int) -> Response:
    """Say in how many seconds it will be fine."""
    answer.headers["Retry-After"] = str(wait)
    return answer


async def _posted(request: Request, *, strict: bool) -> Mapping[str, list[str]]:
    """Read a form. What is none counts as an empty one, unless `strict`: then it raises HTTPException."""
    body = await read_body(request, MOST_OF_A_FORM)
    told = request.headers.get("content-type", "")
    kind = media_type(told)
    if kind == MULTIPART:
        return parts_of(told, body, MOST_FIELDS)
    try:
        if kind == FORM:
            return fields_of(body, MOST_FIELDS)
    except ValueError as fault:
        if strict:
            raise HTTPException(400) from fault
    if strict:
        raise HTTPException(415)
    return {}


def make_app(desk: Desk, visitors: Visitors, web_url: str) -> ASGIApp:
    """Return the readers' addresses as an ASGI application; `web_url` is how the world knows them."""
    pages = {
        "/subscribe": desk.page(joining.form, joining.ask, writes=True),
        "/confirm/{token}": desk.page(joining.confirmation, joining.confirm, writes=True),
        "/preferences/{token}": desk.page(choosing.form, choosing.choose),
        # Mail providers post for all of their readers from a few addresses, and nobody may be kept from leaving.
        "/unsubscribe/{token}": desk.page(leaving.question, leaving.leave, counted=False),
    }
    routes = [
        *(Route(path, endpoint, methods=["GET", "POST"]) for path, endpoint in pages.items()),
        *(Route(f"{path}/", desk.straightened, methods=["GET"]) for path in pages),
        Route("/hooks/{mailer}", desk.hook, methods=["POST"]),
        Route("/healthz", desk.pulse, methods=["GET"]),
    ]
    app = Starlette(routes=routes, exception_handlers={HTTPException: desk.explained})
    app.router.redirect_slashes = False
    # Not a route of its own, which would be a better match than one of ours with another method.
    app.router.default = request_response(desk.elsewhere)
    return Guard(app, visitors, secure=urlsplit(web_url).scheme == "https")
