"""Where a page of the preview finds everything else: on its server, or in an exported folder."""

from __future__ import annotations

import base64
from functools import cache
from pathlib import Path
from typing import Protocol
from urllib.parse import urlencode

from pipeline.preview import sample
from pipeline.preview.options import Options
from pipeline.preview.state import Look


class Places(Protocol):
    """Addresses for one page's links; "" where there is nothing to lead to."""

    def page(self, options: Options) -> str:
        """Return the page that shows an issue in this way, or in the nearest there is."""

    def frame(self, options: Options) -> str:
        """Return the document in that page's frame."""

    def source(self, path: str, line: int | None) -> str:
        """Return the page of a file's text."""

    def message(self, name: str, look: Look, options: Options) -> str:
        """Return the whole message, to be kept as a file of that name."""

    def asset(self, name: str) -> str:
        """Return a stylesheet or script."""


class Served:
    """On the preview's own server; `root` is the newsletter's folder."""

    def __init__(self, root: Path) -> None:
        self._is_file = cache(lambda path: (root / path).is_file())

    def page(self, options: Options) -> str:
        query = options.query()
        return f"/?{query}" if query else "/"

    def frame(self, options: Options) -> str:
        query = options.query()
        return f"/frame?{query}" if query else "/frame"

    def source(self, path: str, line: int | None) -> str:
        # A finding may also name a variable of the environment, or a template that is built in.
        if not path or not self._is_file(path):
            return ""
        place = {"path": path} | ({"line": str(line)} if line else {})
        return f"/source?{urlencode(place)}" + (f"#L{line}" if line else "")

    def message(self, name: str, look: Look, options: Options) -> str:  # noqa: ARG002 -- the link says it
        # A frame that may run nothing may not save anything either, so the page carries the file itself.
        data = sample.copy(look.frozen, options.reader).data
        return f"data:message/rfc822;base64,{base64.b64encode(data).decode('ascii')}"

    def asset(self, name: str) -> str:
        return f"/assets/{name}"
