"""Renders posts' bodies for pages and feeds, each at most once, and remembers them between runs."""

from __future__ import annotations

from collections import OrderedDict
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.render.content.body import render_web
from pipeline.render.site.inputs import digest, program

if TYPE_CHECKING:
    from pipeline.edges import Source
    from pipeline.model import Post
    from pipeline.render.addresses import Addresses
    from pipeline.settings import Settings

#: Bodies kept in memory: enough for the posts of the feeds, which need them several times.
KEPT = 256


class Bodies:
    """Sanitised web fragments by post.

    Three cards under every post name the newest ones, so a new post makes
    every page of an archive anew; `cache`, a private folder, spares rendering
    their unchanged Markdown again. It may be deleted at any time.
    """

    def __init__(
        self, source: Source, addresses: Addresses, settings: Settings, cache: Path | None = None
    ) -> None:
        self._source = source
        self._addresses = addresses
        self._cache = cache
        self._shared = digest(program(), settings.newsletter.model_dump(), settings.posts.model_dump())
        self._inputs: dict[str, str] = {}
        self._html: OrderedDict[str, str] = OrderedDict()

    def inputs(self, post: Post) -> str:
        """Return a digest of everything the post's fragment depends on; opens no file."""
        if post.id not in self._inputs:
            pointed_to = [
                self._addresses.resolve(post, target, image=image)
                for target in post.references
                for image in (False, True)
            ]
            own = (post.digest, post.body_line, post.path, post.slug, post.lang, self._addresses.post(post))
            self._inputs[post.id] = digest(self._shared, own, pointed_to)
        return self._inputs[post.id]

    def web(self, post: Post) -> str:
        """Return the post's fragment. Raises PostError if its file has gone or changed."""
        key = self.inputs(post)
        if key in self._html:
            self._html.move_to_end(key)
            return self._html[key]
        html = self._remembered(post, key)
        self._html[key] = html
        if len(self._html) > KEPT:
            self._html.popitem(last=False)
        return html

    def _render(self, post: Post) -> str:
        return render_web(post, self._source.body(post), self._addresses)

    def _remembered(self, post: Post, key: str) -> str:
        """Look for the fragment in the cache folder; render it, and put it there, if it is not."""
        if self._cache is None:
            return self._render(post)
        file = self._cache / f"{sha256(post.id.encode()).hexdigest()[:32]}.html"
        try:
            seal, _, html = file.read_bytes().decode().partition("\n")
            # What a crash left half written must not become a page: the first line vouches for the rest.
            if seal == digest(key, html):
                return html
        except (OSError, UnicodeDecodeError):
            pass
        html = self._render(post)
        # A full disk costs time here, never a page.
        with suppress(OSError):
            self._cache.mkdir(parents=True, exist_ok=True)
            file.write_text(f"{digest(key, html)}\n{html}", "utf-8", newline="")
        return html
