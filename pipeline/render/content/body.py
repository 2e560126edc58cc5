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
    from pipeline.model import Post
    from pipeline.render.addresses import Addresses


def render_body(post: Post, markdown: str, addresses: Addresses, limit: int | None = None) -> Body:
    """Render a post's body; with `limit`, mail and text stop after about that many words.

    `web` is always whole, and `links` and `images` are the whole body's. Every
    address is absolute. Raises PostError where the body is too large or too
    deep to be read in good time.
    """
    root = _tree(post, markdown, addresses.language)
    links, images = settle(root, post, addresses)
    short = None if limit is None else cut(root, limit)
    shown = short or root
    return Body(
        web=sanitise(serialise(flavour.web(root))),
        mail=sanitise(serialise(flavour.mail(shown))),
        text=to_text(shown),
        links=links,
        images=images,
        cut=short is not None,
    )


def render_web(post: Post, markdown: str, addresses: Addresses) -> str:
    """Render a post's body for pages and feeds alone: `web` of render_body, in two thirds of its time."""
    root = _tree(post, markdown, addresses.language)
    settle(root, post, addresses)
    return sanitise(serialise(flavour.web(root)))


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
