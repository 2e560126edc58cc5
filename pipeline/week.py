"""The week's noun: what the next issue would take now, and everything that stays out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from pipeline.model import CarriedPost, Choice, Collection, Draft, IssueRecord


@dataclass(frozen=True)
class Week:
    """What the next issue would take now, and everything that stays out."""

    number: int
    #: The issue before it, if there is one.
    last: IssueRecord | None
    collection: Collection
    #: Narrowed to the draft, if there is one.
    choice: Choice
    draft: Draft | None
    drafts: Mapping[int, Draft]
    carried: tuple[CarriedPost, ...]
    since: datetime | None = None
    latest: int | None = None
