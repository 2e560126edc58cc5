"""What a check may look at: everything has been read before, so that a check opens nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from pipeline.check.prose import numbered
from pipeline.check.texts import text_of
from pipeline.model import Image, Link, Picture, Post, RenderedIssue

if TYPE_CHECKING:
    from pipeline.settings import Settings

#: A file's path as people are shown it, and its 1-based line where one can be named.
Place = tuple[str, int | None]

SETTINGS = "newsletter.toml"
#: Where templates are, for what no single one of them wrote.
TEMPLATES = "templates/mail/"


@dataclass(frozen=True, slots=True)
class EarlierIssue:
    """What an issue that is out said."""

    number: int
    subject: str
    #: Every address its mail links to, the newsletter's own pages included.
    links: frozenset[str] = frozenset()


def _unplaced(key: str) -> Place:  # noqa: ARG001 -- as `Material.setting` is called
    return SETTINGS, None


@dataclass(frozen=True)
class Material:
    """An issue and everything around it that a check may ask about."""

    rendered: RenderedIssue
    settings: Settings
    #: Post id -> its Markdown body.
    markdown: Mapping[str, str] = field(default_factory=dict)
    #: Path -> whole text of every post of the issue, of its draft and of newsletter.toml.
    sources: Mapping[str, str] = field(default_factory=dict)
    #: Path -> text of the mail's templates and stylesheets, the newsletter's own where it has some.
    theme: Mapping[str, str] = field(default_factory=dict)
    #: `Image.file` -> what is known of it.
    pictures: Mapping[str, Picture] = field(default_factory=dict)
    #: Issues before this one, by number; the last few.
    earlier: Sequence[EarlierIssue] = ()
    #: Keys of the interface's words that are English since nobody wrote them in the newsletter's language.
    untranslated: Sequence[str] = ()
    #: Where a setting like "newsletter.from" is set: a line of the file, or the environment variable's name.
    setting: Callable[[str], Place] = _unplaced

    @property
    def posts(self) -> tuple[Post, ...]:
        """The issue's posts, in its order."""
        return self.rendered.issue.posts

    @cached_property
    def html_text(self) -> str:
        """What readers of the HTML part see."""
        return text_of(self.rendered.html)

    @cached_property
    def prose(self) -> str:
        """The same without code."""
        return text_of(self.rendered.html, code=False)

    def lines(self) -> Iterator[tuple[str, int, str]]:
        """Yield path, line and text of every line that an author or editor wrote to be read.

        Bodies and the note, without code, comments and the targets of links.
        """
        for path, first in self.bodies():
            for number, line in numbered(self.sources[path], first):
                yield path, number, line

    def bodies(self) -> Iterator[tuple[str, int]]:
        """Yield path and first line of every body that was read, and of the note."""
        issue = self.rendered.issue
        own = [(post.path, post.body_line) for post in issue.posts]
        for path, first in [*own, (issue.path, issue.note_line)]:
            if path in self.sources:
                yield path, first

    def heads(self) -> Iterator[tuple[str, int, str]]:
        """Yield path, line and text of what stands in heads: subject and preheader of a draft, titles, excerpts."""
        issue = self.rendered.issue
        for key in ("subject", "preheader"):
            path, line = self.head(key)
            if path == issue.path and line:
                yield path, line, str(getattr(issue, key))
        for post in self.posts:
            for key in ("title", "excerpt"):
                line = post.lines.get(key) or self._heading(post, key)
                if line:
                    yield post.path, line, str(getattr(post, key))

    def _heading(self, post: Post, key: str) -> int | None:
        """Return the line of the heading that is a post's title where it has no front matter."""
        above = self.sources.get(post.path, "").split("\n")[: post.body_line - 1] if key == "title" else []
        return next(
            (number for number, line in enumerate(above, 1) if post.title and post.title in line), None
        )

    def head(self, key: str) -> Place:
        """Return where the issue's subject or preheader is written: the draft, the lead post, or the setting."""
        issue = self.rendered.issue
        line = key_line(self.sources.get(issue.path, ""), key)
        if issue.path and line:
            return issue.path, line
        theirs = {"subject": "title", "preheader": "excerpt"}[key]
        if getattr(issue, key) == getattr(issue.lead, theirs) and theirs in issue.lead.lines:
            return issue.lead.path, issue.lead.lines[theirs]
        return self.setting(f"issue.{key}")

    def links(self) -> Iterator[Link]:
        """Yield every link but the reader's own ones."""
        marks = self.rendered.marks
        for link in self.rendered.links:
            if link.url not in (marks.unsubscribe, marks.preferences):
                yield link

    def images(self) -> tuple[Image, ...]:
        """Every picture of the mail and of the posts behind its cards."""
        return self.rendered.images


def key_line(text: str, key: str) -> int | None:
    """Return the line of a front matter that gives a key a value; None if none does."""
    for number, line in enumerate(text.split("\n"), 1):
        if number > 1 and line.rstrip() == "---":
            return None
        name, colon, value = line.partition(":")
        if colon and name == key and value.strip().strip("\"'"):
            return number
    return None


def where(m: Material, text: str) -> Iterator[Place]:
    """Find who wrote a piece of text that readers see: lines of posts and note, heads, settings, else the theme."""
    found: list[Place] = [(path, line) for path, line, written in m.lines() if text in written]
    found += [(path, line) for path, line, written in m.heads() if text in written]
    # Typography may have changed quotes and dashes inside; the opening stays as written.
    near = [(path, line) for path, line, written in m.lines() if text[:2] in written]
    found = found or list(near[:1])
    newsletter = m.settings.newsletter
    for key in ("name", "footer_note", "postal_address"):
        if not found and text in getattr(newsletter, key):
            found = [m.setting(f"newsletter.{key}")]
    for post in m.posts:
        for key, value in (("category", post.category), ("author", ", ".join(post.authors))):
            if not found and text in value:
                found = [(post.path, post.lines.get(key))]
    yield from dict.fromkeys(found) or [(TEMPLATES, None)]


def template_line(m: Material, name: str, word: str) -> Place:
    """Return where in one of the mail's templates a word stands, last first; else the template's last line."""
    for path, text in m.theme.items():
        if path.endswith(f"/{name}"):
            lines = text.rstrip("\n").split("\n")
            found = [number for number, line in enumerate(lines, 1) if word in line]
            return path, found[-1] if found else len(lines)
    return f"{TEMPLATES}{name}", None
