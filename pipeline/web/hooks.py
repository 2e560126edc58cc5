"""Takes in what providers report: each checks its own signature, the rest is the same for all."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from starlette.responses import PlainTextResponse, Response

if TYPE_CHECKING:
    from pipeline.project import Project

#: Bytes of a report; providers batch events.
MOST = 1_000_000


def hear(
    project: Project,
    mailer: str,
    headers: Mapping[str, str],  # noqa: ARG001
    body: bytes,  # noqa: ARG001
    now: datetime,  # noqa: ARG001
) -> Response:
    """Take in one report."""
    hooks: Mapping[str, object] = getattr(project, "hooks", {})
    if mailer not in hooks:
        return PlainTextResponse("There is no such hook.\n", 404)
    raise NotImplementedError
