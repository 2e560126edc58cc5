"""What rendering makes: bodies, the issue all readers share, entries of feeds, files of the site."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipeline.model.issues import Issue


@dataclass(frozen=True, slots=True)
class Link:
    """One address that rendered content points to."""

    #: Absolute where it could be resolved, else as written.
    url: str
    text: str
    #: The file and 1-based line that wrote it; "" and None for the theme's own.
    path: str = ""
    line: int | None = None
    #: False if it named a post or file that is not there.
    resolved: bool = True
    #: A file of the newsletter's that it points to (a PDF beside the post), and where that goes, as for Image.
    file: str = ""
    target: str = ""


@dataclass(frozen=True, slots=True)
class Image:
    """One picture that rendered content shows."""

    url: str
    #: None: no alternative text was written at all. "" is a decorative picture.
    alt: str | None
    path: str = ""
    line: int | None = None
    #: The file to publish, relative to the newsletter's folder; "" if it is elsewhere on the web.
    file: str = ""
    #: Where the file goes, relative to public/.
    target: str = ""
    #: False if the file is missing or outside the newsletter's folders.
    resolved: bool = True
    #: In pixels, as the mail says it; None where it does not.
    width: int | None = None
    height: int | None = None


@dataclass(frozen=True, slots=True)
class Picture:
    """What a picture's file says of itself."""

    #: In pixels, as it is shown (turned as its EXIF says); None where the file does not say.
    width: int | None
    height: int | None
    bytes: int
    #: "png", "jpeg", "gif", "webp", "avif", "svg", ...; "" if unknown.
    format: str


@dataclass(frozen=True, slots=True)
class Heading:
    """One heading of rendered content, as those hear it who jump from one to the next."""

    #: 1 to 6.
    level: int
    text: str
    #: The file and 1-based line that wrote it; "" and None for the theme's own, and for titles it puts in.
    path: str = ""
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Body:
    """A post's body in every form that is made from its Markdown."""

    #: Sanitised fragments with absolute addresses.
    web: str
    mail: str
    #: Plain text, 72 columns, links numbered `[1]` and listed at the end.
    text: str
    links: tuple[Link, ...] = ()
    images: tuple[Image, ...] = ()
    #: True if `mail` and `text` stop before the body's end.
    cut: bool = False
    #: In order; the whole body's, below the title, which is of level 1 on the post's own page.
    headings: tuple[Heading, ...] = ()


@dataclass(frozen=True, slots=True)
class Marks:
    """Strings that stand for a recipient's fields in the rendered bodies.

    Each is plain ASCII letters and digits, unguessable by any text in the
    issue, and is replaced when a message is spliced.
    """

    name: str
    unsubscribe: str
    preferences: str
    confirmed: str


@dataclass(frozen=True, slots=True)
class RenderedIssue:
    """The bodies all readers share, before a recipient is put in."""

    issue: Issue
    #: The mail, CSS inlined, with marks.
    html: str
    #: Its plain-text twin, with marks.
    text: str
    #: The issue's web page, complete; holds no mark and no personal data.
    page: str
    marks: Marks
    #: What the mail points to and shows, the theme's own included.
    links: tuple[Link, ...] = ()
    images: tuple[Image, ...] = ()
    #: The mail's headings in order, the theme's own included.
    headings: tuple[Heading, ...] = ()
    #: The note's headings and each post's, whole, also where the mail shows only a part or a card.
    outlines: tuple[tuple[Heading, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class LetterMarks:
    """Strings that stand for one reader's fields in a rendered letter, as Marks do in an issue."""

    name: str
    confirm: str
    unsubscribe: str
    preferences: str


@dataclass(frozen=True, slots=True)
class RenderedLetter:
    """A letter as all its readers share it, before one of them is put in."""

    subject: str
    #: A complete page, CSS inlined, with marks.
    html: str
    #: Its plain-text twin, with marks.
    text: str
    marks: LetterMarks


@dataclass(frozen=True, slots=True)
class Entry:
    """A post as it appears in a feed (RFC 4287, 4.1.2)."""

    #: A `tag:` URI (RFC 4151); never changes.
    id: str
    url: str
    title: str
    #: Both aware, in the newsletter's zone with the offset of that day.
    published: datetime
    updated: datetime
    authors: tuple[str, ...]
    category: str
    tags: tuple[str, ...]
    #: Plain text.
    excerpt: str
    #: Sanitised HTML fragment, every address absolute.
    html: str
    lang: str = ""
    image: str = ""


@dataclass(frozen=True, slots=True)
class Feed:
    """Entries under one title: the whole newsletter, or one category."""

    id: str
    title: str
    subtitle: str
    #: The page a person would read instead.
    url: str
    #: Where the feeds/ folder is, with a trailing slash.
    folder: str
    #: File name without its ending: "all", or a category's slug.
    name: str
    language: str
    author: str
    updated: datetime
    #: Newest first.
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class SiteFile:
    """One file of the public folder, made only if what it is made from has changed."""

    #: Relative to public/, forward slashes.
    path: str
    #: Digest of everything `make` depends on.
    inputs: str
    make: Callable[[], bytes]
