"""Keeps posts' bodies while a newsletter is open, so that whoever looks at an issue again renders only what changed."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

from pipeline.render.content.body import render_body

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.model import Body, Post
    from pipeline.render.addresses import Addresses

#: Bodies kept: several issues' worth, each as a card and at length.
KEPT = 128


class KeptBodies:
    """Bodies by everything they depend on; for the settings of one newsletter."""

    def __init__(self) -> None:
        self._bodies: OrderedDict[tuple[object, ...], Body] = OrderedDict()

    def __call__(self, post: Post, markdown: str, addresses: Addresses, limit: int | None = None) -> Body:
        """Return what `render_body` returns."""
        key = (limit, post.id, post.lang, markdown, *_surroundings(post, addresses))
        body = self._bodies.pop(key, None) or render_body(post, markdown, addresses, limit)
        self._bodies[key] = body
        if len(self._bodies) > KEPT:
            self._bodies.popitem(last=False)
        return body


def _surroundings(post: Post, addresses: Addresses) -> Iterator[object]:
    """Yield all that a body takes from elsewhere: where it stands, what it points to, how large pictures are."""
    yield from (post.path, post.body_line, post.slug, addresses.post(post))
    for target in post.references:
        for image in (False, True):
            found = addresses.resolve(post, target, image=image)
            yield found
            if found.file:
                yield addresses.picture(found.file)
