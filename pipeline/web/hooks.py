"""Takes in what providers report: each checks its own signature, the rest is the same for all."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from starlette.responses import PlainTextResponse, Response

from pipeline import hearing
from pipeline.errors import HookRefused

if TYPE_CHECKING:
    from pipeline.web.keeper import Open

#: Bytes of a report; providers gather events.
MOST = 1_000_000

_log = logging.getLogger("pipeline.web")


def hear(opened: Open, mailer: str, headers: Mapping[str, str], body: bytes, now: datetime) -> Response:
    """Take in one report; what is wrong with it is told to nobody but the log.

    Raises StoreError: the provider sends it again.
    """
    hook = opened.hook(mailer)
    try:
        heard = hook.hear(headers, body, now)
    except HookRefused as fault:
        _log.warning("warning: /hooks/%s: %s", mailer, fault)
        return PlainTextResponse("This is not proven to be yours.\n", 403)
    hearing.take(opened.project, heard, now)
    return PlainTextResponse("ok\n")
