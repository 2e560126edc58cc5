"""Posts: what an author wrote, and which of them an issue takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipeline.model.findings import Finding


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What a post's text looks like, so that it is known again under another name."""

    #: Digest of the title and body with Unicode form, white space and line ends levelled.
    exact: str
    #: One `digest:words` for each sentence or list item, in order of digest, spaces between them; tells how
    #: much two texts share. Packed, because an archive's are read every week and hardly ever looked into.
    sketch: str = ""


@dataclass(frozen=True, slots=True)
class Post:
    """One article's head: all that is known of it without keeping its body."""

    #: Permanent; front matter `id`, else the slug. Never the path (RFC 4287, 4.2.6).
    id: str
    #: Last part of its address; unique among posts.
    slug: str
    title: str
    #: Aware, in UTC.
    published: datetime
    #: The file, relative to the newsletter's folder, with forward slashes.
    path: str
    #: SHA-256 of the file's bytes, hexadecimal.
    digest: str
    fingerprint: Fingerprint
    #: 1-based line of the file on which the body begins.
    body_line: int = 1
    #: When the author says it was last changed (`lastmod`); None if they do not.
    updated: datetime | None = None
    #: Last moment to send it.
    expires: datetime | None = None
    authors: tuple[str, ...] = ()
    author_title: str = ""
    category: str = ""
    #: One sentence for a card, plain text.
    excerpt: str = ""
    #: False if the excerpt was taken from the body's first sentence.
    excerpt_given: bool = False
    tags: tuple[str, ...] = ()
    #: BCP 47; "" means the newsletter's language.
    lang: str = ""
    image: str = ""
    image_alt: str = ""
    draft: bool = False
    #: False for `newsletter: false`: pages and feeds only.
    in_newsletter: bool = True
    featured: bool = False
    #: Body length in words.
    words: int = 0
    #: Front matter keys we do not know, as written; templates see them.
    extra: Mapping[str, object] = field(default_factory=dict)
    #: Link and image targets without a scheme found in the body, as written.
    references: tuple[str, ...] = ()
    #: Front matter key (ours, not the alias) -> its 1-based line.
    lines: Mapping[str, int] = field(default_factory=dict)
    #: What reading it had to say (near-miss keys, an excerpt that was derived).
    findings: tuple[Finding, ...] = ()
    #: False where the slug came from the file name or title, so a clash may be settled by adding the date.
    slug_given: bool = False


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A file in the posts folder that cannot be used, and why."""

    path: str
    line: int | None
    #: What is wrong and what to do, without the place.
    why: str


@dataclass(frozen=True, slots=True)
class Collection:
    """All that the posts folder holds."""

    #: In order of path.
    posts: tuple[Post, ...]
    unreadable: tuple[Unreadable, ...] = ()


@dataclass(frozen=True, slots=True)
class CarriedPost:
    """A post some issue carried, or that counts as published before the first."""

    id: str
    #: None: it counts as published before (`--since`, `--latest`).
    issue: int | None
    fingerprint: Fingerprint | None = None
    #: Where it was then.
    path: str = ""


class Reason(StrEnum):
    """Why a post is not in the issue."""

    CARRIED = "carried"
    DRAFT = "draft"
    FUTURE = "future"
    EXPIRED = "expired"
    WEB_ONLY = "web-only"
    BEFORE_FIRST = "before-first"
    UNREADABLE = "unreadable"
    NOT_CHOSEN = "not-chosen"


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A file that the next issue does not take, with its reason for people."""

    path: str
    #: None where the file cannot be read.
    id: str | None
    reason: Reason
    why: str
    #: An unreadable file that no issue carried stops build and send.
    stops: bool = False
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """Posts split into those the next issue takes and those it leaves."""

    #: In the issue's order: lead first, then newest first.
    chosen: tuple[Post, ...]
    #: In order of path.
    left_out: tuple[LeftOut, ...]
    #: Those of `left_out` that `--since` or `--latest` declare published before.
    before_first: tuple[Post, ...] = ()
