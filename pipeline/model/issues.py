"""An issue before it is rendered: the editor's draft, and what it becomes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipeline.model.frozen import Approval
    from pipeline.model.posts import Post


@dataclass(frozen=True, slots=True)
class Draft:
    """issues/NNNN.md as the editor left it."""

    number: int
    path: str
    subject: str
    preheader: str
    #: Post ids in order.
    posts: tuple[str, ...]
    #: Id of the lead post; "" means the first.
    lead: str = ""
    #: Markdown.
    note: str = ""
    #: 1-based line on which the note begins.
    note_line: int = 1
    #: The first issue's baseline, as `newsletter draft --since` was given it.
    since: datetime | None = None
    #: The first issue's baseline, as `newsletter draft --latest` was given it.
    latest: int | None = None
    #: Set when the issue was frozen; a frozen file is a record, no longer a draft.
    frozen: datetime | None = None
    #: Set when the last delivery became final.
    sent: datetime | None = None
    #: Set when the issue was called off.
    cancelled: datetime | None = None
    #: Set when somebody approved it.
    approval: Approval | None = None
    #: Post id -> exact fingerprint, written when the issue is frozen.
    fingerprints: Mapping[str, str] = field(default_factory=dict)
    #: Front matter key, or `posts.0` for the first listed post -> its 1-based line.
    lines: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Issue:
    """One numbered instalment, ready to be rendered."""

    number: int
    subject: str
    preheader: str
    #: In order; the lead is among them.
    posts: tuple[Post, ...]
    lead: Post
    #: The editor's note, Markdown; "" if there is none.
    note: str
    #: The moment of cutting, in the newsletter's zone.
    date: datetime
    #: The draft it came from; "" if it was composed by itself.
    path: str = ""
    note_line: int = 1
