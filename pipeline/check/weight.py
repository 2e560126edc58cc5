"""Checks of how heavy a mail is, and how long it takes to read."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.check.findings import error, note, warning
from pipeline.check.material import Material, Place
from pipeline.check.texts import said
from pipeline.clients.clip import CLIP_BYTES
from pipeline.model import Finding

#: Relays and mail programs add to a message on its way, so the last tenth is kept free.
NEAR_BYTES = 90_000
#: Words a minute that people read (Brysbaert 2019, doi:10.1016/j.jml.2019.104047: 238 for English prose).
PACE = 230


def clipping(m: Material) -> Iterator[Finding]:
    """The HTML stays under the size at which Gmail clips it."""
    size = len(m.rendered.html.encode())
    if size > CLIP_BYTES:
        path, line = _of_the_issue(m)
        yield error(
            "clipping",
            f"the HTML is {size:,} bytes; Gmail clips at {CLIP_BYTES:,}",
            path=path,
            line=line,
            fix='carry fewer posts, or set [issue] show = "lead" or "cards"',
        )


def weight(m: Material) -> Iterator[Finding]:
    """The HTML stays clear of that size, since it grows a little on its way."""
    size = len(m.rendered.html.encode())
    if NEAR_BYTES < size <= CLIP_BYTES:
        path, line = _of_the_issue(m)
        yield warning(
            "weight",
            f"the HTML is {size:,} bytes, near the {CLIP_BYTES:,} at which Gmail clips",
            path=path,
            line=line,
            fix='carry a post less, or set [issue] show = "lead" or "cards"',
        )


def reading_time(m: Material) -> Iterator[Finding]:
    """Say how many words the mail has, and how long they take."""
    count = len(m.html_text.split())
    minutes = max(1, round(count / PACE))
    yield note(
        "reading-time",
        f"the mail has {said(count, 'word')}, {said(minutes, 'minute')} to read",
        path=m.rendered.issue.path,
    )


def _of_the_issue(m: Material) -> Place:
    """Return where the editor decides what the issue holds: the draft, or how posts are shown."""
    issue = m.rendered.issue
    return (issue.path, 1) if issue.path else m.setting("issue.show")
