"""The preview's addresses: what is asked for, from the newest state, as a page, a frame, a file or an action."""

from __future__ import annotations

import os
import stat
from collections.abc import AsyncIterator, Callable, Mapping
from functools import partial
from mimetypes import guess_type
from pathlib import Path
from secrets import token_urlsafe
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from pipeline.errors import Refused
from pipeline.preview import actions
from pipeline.preview.frames import frame_html
from pipeline.preview.guard import FRAME_POLICY, OURS, Guard, refusal, same
from pipeline.preview.live import in_thread
from pipeline.preview.options import Options
from pipeline.preview.page import page_html
from pipeline.preview.sources import known_paths, source_html
from pipeline.serving.forms import FORM, fields_of, media_type, read_body

if TYPE_CHECKING:
    from collections.abc import Iterable

    from starlette.types import ASGIApp

    from pipeline.preview.live import Live
    from pipeline.preview.state import State

#: Bytes of a form, and of a file that is shown.
MOST_OF_A_FORM, MOST_OF_A_FILE = 64_000, 50_000_000
MOST_FIELDS = 32
#: Pictures of dots: nothing in them can act, so they may stand in a page.
RASTER = frozenset(
    {"image/png", "image/jpeg", "image/gif", "image/webp", "image/avif", "image/bmp", "image/x-icon"}
)
ASSETS = {"preview.css": "text/css", "preview.js": "text/javascript"}
#: Results of actions that can still be shown, each to the page that asked for it.
NOTICES = 32


class Desk:
    """Answers the page's questions, from the newest state."""

    def __init__(self, live: Live) -> None:
        self.live = live
        #: Stands in every form of our page; nobody else can read it.
        self.token = token_urlsafe(24)
        self.notices: dict[str, str] = {}

    # --- what is shown -----------------------------------------------------------

    async def page(self, request: Request) -> Response:
        state, options = await self._asked(request)
        notice = self.notices.get(request.query_params.get("said", ""), "")
        page = page_html(state, options, token=self.token, notice=notice)
        self.live.fetched("page")
        return HTMLResponse(page)

    async def frame(self, request: Request) -> Response:
        state, options = await self._asked(request)
        # It shows mail: what that links to must not learn where it was looked at.
        headers = {"Content-Security-Policy": FRAME_POLICY, "Referrer-Policy": "no-referrer"}
        frame = frame_html(state, options)
        self.live.fetched("frame")
        return HTMLResponse(frame, headers=headers)

    async def file(self, request: Request) -> Response:
        """Serve a picture or an attachment that the issue shows, and no other file."""
        state, _ = await self._asked(request)
        url = request.query_params.get("of", "")
        name = state.look.files.get(url) if state.look else None
        data = read_bounded(state, name) if name else None
        if name is None or data is None:
            raise HTTPException(404, "The issue shows no such file.")
        kind = guess_type(name)[0] or "application/octet-stream"
        headers = {"Content-Security-Policy": "default-src 'none'; sandbox"}
        if kind not in RASTER:
            headers["Content-Disposition"] = "attachment"
        return Response(data, media_type=kind, headers=headers)

    async def source(self, request: Request) -> Response:
        """Show one text file that the page names, with a line of it marked."""
        state, _ = await self._asked(request)
        path, line = request.query_params.get("path", ""), request.query_params.get("line", "")
        data = read_bounded(state, path) if path in known_paths(state) else None
        if data is None:
            raise HTTPException(404, "The page names no such file.")
        number = int(line) if line.isascii() and line.isdigit() and len(line) < 10 else None
        return HTMLResponse(source_html(state, path, number, data.decode("utf-8", "replace")))

    async def asset(self, request: Request) -> Response:
        name = request.path_params["name"]
        if name not in ASSETS:
            raise HTTPException(404)
        data = (Path(__file__).parent / "assets" / name).read_bytes()
        return Response(data, media_type=ASSETS[name])

    async def events(self, _request: Request) -> Response:
        """Tell the version now and at each change (HTML standard, 9.2: server-sent events)."""

        async def stream() -> AsyncIterator[str]:
            async for version in self.live.versions():
                yield f"data: {version}\n\n" if version else ": still here\n\n"

        return StreamingResponse(stream(), media_type="text/event-stream")

    # --- what is done ------------------------------------------------------------

    async def act(self, request: Request) -> Response:
        """Do what a form says, look again, and lead back to the page with the result."""
        fields = await read_form(request)
        if not same(fields.get("token", ""), self.token):
            return refusal("This form is an older preview's. Load the page again.")
        said = await in_thread(partial(actions.act, self.live.wanted, request.url.path, fields))
        await self.live.refresh()
        key = token_urlsafe(6)
        self.notices[key] = said
        while len(self.notices) > NOTICES:
            del self.notices[next(iter(self.notices))]
        back = [(name, value) for name, value in parse_qsl(fields.get("back", "")) if name != "said"]
        return RedirectResponse(f"/?{urlencode([*back, ('said', key)])}", 303)

    async def _asked(self, request: Request) -> tuple[State, Options]:
        options = Options.read(request.query_params)
        try:
            return await self.live.shown(options.issue, options.categories), options
        except Refused as fault:
            raise HTTPException(404, str(fault)) from fault


async def read_form(request: Request) -> dict[str, str]:
    """Read a short form; of a field that is there twice, the last."""
    if media_type(request.headers.get("content-type", "")) != FORM:
        raise HTTPException(415, f"A form comes as {FORM}.")
    body = await read_body(request, MOST_OF_A_FORM)
    try:
        fields = fields_of(body, MOST_FIELDS)
    except ValueError as fault:
        raise HTTPException(400, "This is no form.") from fault
    return {name: values[-1] for name, values in fields.items()}


def read_bounded(state: State, name: str) -> bytes | None:
    """Read a file that the state names; None if it is gone, is none, too large, or not in a folder of ours."""
    settings = state.settings.posts
    homes = [state.root, state.root / settings.folder, state.root / settings.static]
    try:
        real = (state.root / name).resolve()
        inside = [real.relative_to(home.resolve()) for home in homes if real.is_relative_to(home.resolve())]
        # An error may well name the ledger; that and the secret beside it are for no page.
        if not inside or any(part.startswith(".") for part in inside[0].parts):
            return None
        # Opened first, then looked at: what a name leads to may be exchanged meanwhile.
        handle = os.open(real, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
        with os.fdopen(handle, "rb") as file:
            found = os.fstat(handle)
            if not stat.S_ISREG(found.st_mode) or found.st_size > MOST_OF_A_FILE:
                return None
            return file.read(MOST_OF_A_FILE)
    except (OSError, ValueError):
        return None


async def _explained(_request: Request, fault: Exception) -> Response:
    if not isinstance(fault, HTTPException):
        return PlainTextResponse(f"{OURS}\n", 500)
    return PlainTextResponse(f"{fault.detail}\n", fault.status_code, headers=fault.headers)


def make_app(live: Live, hosts: Iterable[str]) -> ASGIApp:
    """Return the preview as an ASGI application that answers under these names only."""
    desk = Desk(live)
    shown: Mapping[str, Callable[[Request], object]] = {
        "/": desk.page,
        "/state": desk.page,
        "/frame": desk.frame,
        "/file": desk.file,
        "/source": desk.source,
        "/assets/{name}": desk.asset,
        "/events": desk.events,
    }
    routes = [
        *(Route(path, answer, methods=["GET"]) for path, answer in shown.items()),
        *(Route(path, desk.act, methods=["POST"]) for path in actions.ACTIONS),
    ]
    app = Starlette(routes=routes, exception_handlers={HTTPException: _explained, Exception: _explained})
    app.router.redirect_slashes = False
    return Guard(app, hosts)
