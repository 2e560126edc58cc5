"""What the preview shows at one moment: everything a page is made from, gathered once, never changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from pipeline.model import Standing

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.check.run import Report
    from pipeline.model import Build, Circulation, Entry, FrozenIssue, Issue, IssueRecord, RenderedIssue
    from pipeline.settings import Settings
    from pipeline.variants import Variants
    from pipeline.week import Week


@dataclass(frozen=True)
class Fault:
    """Why the files as they stand now cannot be shown."""

    #: What is wrong and what to do.
    message: str
    #: Relative to the newsletter's folder; "" where no file is at fault.
    path: str = ""
    line: int | None = None
    #: Lines of that file around the one at fault: number, text.
    around: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True)
class Look:
    """One issue as readers would get it: the next one, or a past one from its frozen bytes."""

    frozen: FrozenIssue
    #: Hash that names what is looked at: the build's, or the frozen bytes'.
    hash: str
    preheader: str
    #: Its posts as feed entries, in the issue's order; those that can still be read.
    entries: tuple[Entry, ...] = ()
    #: Absolute address of a picture or attachment of ours -> its file, relative to the newsletter's folder.
    files: dict[str, str] = field(default_factory=dict)
    # None for a past issue:
    issue: Issue | None = None
    rendered: RenderedIssue | None = None
    report: Report | None = None
    build: Build | None = None
    #: Its variants, each rendered when somebody looks at it.
    variants: Variants | None = None
    #: Slug -> name of its categories; under "" if a post is in none. Of a past issue what can still be known.
    categories: Mapping[str, str] = field(default_factory=dict)
    #: Ids of the posts that `entries` are of.
    entry_posts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Part:
    """What of an issue readers of chosen categories get."""

    #: As in Preferences.choice.
    choice: str
    #: Whom it is for, in words.
    title: str
    #: The variant's name; "" is the whole issue, None nothing of it.
    variant: str | None
    #: None: nothing, or a variant that cannot be made, or that was not frozen with a past issue.
    look: Look | None = None
    #: Why it cannot be made.
    faults: tuple[Fault, ...] = ()


@dataclass(frozen=True)
class State:
    """Everything the page shows."""

    root: Path
    settings: Settings
    #: The clock of the preview: real, or pretended by --clock; in the newsletter's zone.
    now: datetime
    number: int
    #: Name of the mailer; its host, if it is a relay.
    mailer: str
    circulation: Circulation
    #: Chosen and left-out posts; for a past issue None. The last one that could be read, if there is a fault.
    week: Week | None = None
    #: None while nothing is new, or nothing could be rendered yet.
    look: Look | None = None
    #: Not empty: `look` is the last good one.
    faults: tuple[Fault, ...] = ()
    standing: Standing = field(default_factory=Standing)
    #: What the ledger knows of the issue, once it is frozen.
    record: IssueRecord | None = None
    #: Numbers and subjects of past issues, newest first.
    past: tuple[tuple[int, str], ...] = ()
    #: What is looked at, if that is not the whole issue.
    part: Part | None = None
    #: By choice, what was looked at of the state before, made ready; changes only when all else does.
    parts: Mapping[str, Part] = field(default_factory=dict)
    #: Changes whenever anything else here does; short, safe in a URL.
    version: str = ""

    @property
    def shown(self) -> Look | None:
        """What is in the frame: the issue, or what some of its readers get of it."""
        return self.part.look if self.part else self.look
