"""Facts about an issue as tables: its links, its pictures, its headers, its weight."""

from __future__ import annotations

import re
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote

from pipeline.clients.clip import CLIP_BYTES
from pipeline.model import Image, Link
from pipeline.preview import sample
from pipeline.preview.outline import outline

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.preview.places import Places
    from pipeline.preview.state import Look, State


@dataclass(frozen=True, slots=True)
class LinkRow:
    """One link that readers can follow."""

    text: str
    url: str
    place: str
    href: str
    #: What is worth knowing: "3 times", "same text, another target", "leads nowhere".
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PictureRow:
    """One picture."""

    name: str
    #: None: none was written.
    alt: str | None
    size: str
    place: str
    href: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Weight:
    """How heavy one reader's copy is."""

    html: int
    text: int
    message: int
    minutes: int
    links: int
    pictures: int

    @property
    def percent(self) -> int:
        """Of what Gmail shows; at most 100."""
        return min(100, round(100 * self.html / CLIP_BYTES))

    @property
    def clipped(self) -> bool:
        """Tell whether Gmail would cut it off."""
        return self.html > CLIP_BYTES


def links(look: Look, places: Places) -> list[LinkRow]:
    """List each link once per text and target, in the mail's order; a reader's own addresses as a sample's."""
    found = _links(look)
    times = Counter(link.url for link in found)
    targets: dict[str, set[str]] = {}
    for link in found:
        targets.setdefault(link.text, set()).add(link.url)
    made = []
    for link in dict.fromkeys(found):
        notes = [] if link.resolved else ["leads nowhere"]
        if times[link.url] > 1:
            notes.append(f"{times[link.url]} times")
        if len(targets[link.text]) > 1 and link.text:
            notes.append("same text, several targets")
        place = _place(link.path, link.line)
        made.append(LinkRow(link.text, link.url, place, places.source(link.path, link.line), tuple(notes)))
    return made


def _links(look: Look) -> list[Link]:
    if look.rendered is None:
        items = outline(sample.copy(look.frozen, "short").html)
        return [Link(item.detail, item.text) for item in items if item.kind == "link"]
    marks = look.rendered.marks
    own = {
        marks.unsubscribe: "the reader’s own address for leaving",
        marks.preferences: "the reader’s own settings",
    }
    return [
        Link(own[link.url], link.text)
        if link.url in own
        else Link(link.url, link.text, link.path, link.line, link.resolved)
        for link in look.rendered.links
    ]


def pictures(state: State, look: Look, places: Places) -> list[PictureRow]:
    """List the pictures, those of posts behind cards too."""
    made = []
    for image in dict.fromkeys(_pictures(look)):
        file = image.file or look.files.get(image.url, "")
        sides = f"{image.width} × {image.height}" if image.width and image.height else ""
        notes = [] if image.resolved else ["not there"]
        if image.resolved and not file:
            notes.append("blocked here: not the newsletter’s own")
        made.append(
            PictureRow(
                unquote(image.url.rpartition("/")[2]) or image.url,
                image.alt,
                " · ".join(filter(None, [sides, _weight(state.root, file)])),
                _place(image.path, image.line),
                places.source(image.path, image.line),
                tuple(notes),
            )
        )
    return made


def _pictures(look: Look) -> list[Image]:
    from pipeline.clients.markup import tags

    if look.rendered is not None:
        return list(look.rendered.images)
    made = []
    for tag in tags(sample.copy(look.frozen, "short").html):
        src, alt = tag.get("src"), tag.get("alt")
        if tag.name == "img" and src:
            made.append(Image(src.value, alt.value if alt else None))
    return made


def _weight(root: Path, file: str) -> str:
    from pipeline.preview.templating import size

    if file:
        with suppress(OSError):
            return size((root / file).stat().st_size)
    return ""


def headers(look: Look, reader: str) -> list[tuple[str, str, str]]:
    """List what the message says of itself: name, value, a remark."""
    copy = sample.copy(look.frozen, reader)
    subject = copy.header("Subject")
    made = [("From", copy.header("From"), ""), ("To", copy.header("To"), "a sample reader")]
    made.append(("Subject", subject, f"{len(subject)} characters"))
    preheader = look.preheader
    made.append(("Preheader", preheader or "none", f"{len(preheader)} characters" if preheader else ""))
    for name in ("Date", "Reply-To", "List-Id", "List-Unsubscribe", "List-Unsubscribe-Post"):
        if value := copy.header(name):
            made.append((name, " ".join(value.split()), ""))
    return made


def weight(state: State, look: Look, reader: str) -> Weight:
    """Weigh one reader's copy."""
    copy = sample.copy(look.frozen, reader)
    return Weight(
        html=len(copy.html.encode()),
        text=len(copy.text.encode()),
        message=len(copy.data),
        minutes=_minutes(state, look),
        links=len(_links(look)),
        pictures=len(set(_pictures(look))),
    )


def _minutes(state: State, look: Look) -> int:
    """Return how long the mail takes to read, as the mail itself says it."""
    from pipeline.render.issue import shown
    from pipeline.render.site.cards import issue_minutes, minutes

    if look.issue is None:
        return minutes(len(re.sub(r"https?://\S+", "", look.frozen.text.decode()).split()))
    return issue_minutes(look.issue, {post.id for post, _ in shown(look.issue, state.settings.issue.show)})


def _place(path: str, line: int | None) -> str:
    return f"{path}:{line}" if path and line else path or "theme"
