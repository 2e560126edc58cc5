"""Turns a post's Markdown into its three bodies: safe HTML for the web and for mail, and plain text."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pipeline.errors import PostError
from pipeline.model import Body, Issue
from pipeline.render.content import flavour
from pipeline.render.content.cut import cut
from pipeline.render.content.markdown import to_html
from pipeline.render.content.sanitise import normalise, sanitise
from pipeline.render.content.settle import settle
from pipeline.render.content.text import to_text
from pipeline.render.content.tree import Element, TooDeep, parse, serialise

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.model import Image, Post
    from pipeline.render.addresses import Addresses


def render_body(post: Post, markdown: str, addresses: Addresses, limit: int | None = None) -> Body:
    """Render a post's body; with `limit`, mail and text stop after about that many words.

    `web` is always whole, and `links` and `images` are the whole body's. Every
    address is absolute. Raises PostError where the body is too large or too
    deep to be read in good time.
    """
    root = _tree(post, markdown, addresses.language)
    found = settle(root, post, addresses)
    sizes = _sizes(found.images, addresses)
    short = None if limit is None else cut(root, limit)
    shown = short or root
    return Body(
        web=sanitise(serialise(flavour.web(root))),
        mail=sanitise(serialise(flavour.mail(shown, sizes))),
        text=to_text(shown),
        links=found.links,
        images=_sized(found.images, root, sizes),
        cut=short is not None,
        headings=found.headings,
    )


def render_web(post: Post, markdown: str, addresses: Addresses) -> str:
    """Render a post's body for pages and feeds alone: `web` of render_body, in two thirds of its time."""
    root = _tree(post, markdown, addresses.language)
    settle(root, post, addresses)
    return sanitise(serialise(flavour.web(root)))


def _sizes(images: Sequence[Image], addresses: Addresses) -> dict[str, tuple[int, int]]:
    """Return the true size of every picture that lies in the newsletter, by its address."""
    sizes = {}
    for image in images:
        picture = addresses.picture(image.file) if image.file else None
        if picture and picture.width and picture.height:
            sizes[image.url] = picture.width, picture.height
    return sizes


def _sized(images: Sequence[Image], root: Element, sizes: flavour.Sizes) -> tuple[Image, ...]:
    """Note on every picture the size that mail says it has, also where the mail stops before it."""
    if not images:
        return ()
    shown = [each for each in flavour.mail(root, sizes).walk() if each.tag == "img"]
    sized = []
    for image in images:
        attrs: dict[str, str] = {}
        if shown and shown[0].attrs.get("src") == image.url:
            attrs = shown.pop(0).attrs
        width, height = (int(attrs[side]) if side in attrs else None for side in ("width", "height"))
        sized.append(replace(image, width=width, height=height))
    return tuple(sized)


def _tree(post: Post, markdown: str, language: str) -> Element:
    try:
        html = to_html(markdown, path=post.path, line=post.body_line, language=post.lang or language)
        return parse(normalise(html))
    except TooDeep as fault:
        raise PostError(
            "too many HTML elements are open at once; close them", path=post.path, line=fault.line
        ) from None


def render_note(issue: Issue, addresses: Addresses) -> Body:
    """Render the editor's note of an issue; its links are reported with the draft's path and lines."""
    place = replace(issue.lead, path=issue.path, body_line=issue.note_line, slug="", lang="")
    return render_body(place, issue.note, addresses)
