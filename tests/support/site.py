"""A small newsletter in a folder, and its site as files: what the tests of pages build and look at."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import html5lib

from pipeline.collect.folder import Folder
from pipeline.collect.identity import settle
from pipeline.model import Body, FrozenIssue, Issue, Post, SiteFile
from pipeline.render.addresses import Addresses
from pipeline.render.content.body import render_body, render_note
from pipeline.render.site.pages import issue_page
from pipeline.render.site.site import site_files
from pipeline.render.theme.theme import Theme
from pipeline.settings import Settings

XHTML = "{http://www.w3.org/1999/xhtml}"
START = datetime(2026, 1, 1, 12, tzinfo=UTC)


class CountingSource:
    """The posts folder, which remembers whose text it was asked for."""

    def __init__(self, folder: Folder) -> None:
        self.folder = folder
        self.asked: list[str] = []

    def body(self, post: Post) -> str:
        self.asked.append(post.id)
        return self.folder.body(post)


@dataclass
class FrozenPages:
    """The store's part that knows what was frozen."""

    kept: dict[int, tuple[str, datetime, bytes]] = field(default_factory=dict)

    def pages(self) -> Iterator[tuple[int, str, datetime, str]]:
        for number, (subject, date, page) in sorted(self.kept.items()):
            yield number, subject, date, sha256(page).hexdigest()

    def frozen(self, number: int) -> FrozenIssue | None:
        subject, date, page = self.kept[number]
        return FrozenIssue(number, subject, date, b"", b"", b"", page, "")


class SmallSite:
    """A newsletter's folder with a few posts, and the site that comes of it."""

    def __init__(self, root: Path, **settings: Any) -> None:
        self.root = root
        self.settings_table: dict[str, Any] = {
            "newsletter": {"name": "The Letter", "from": "l@example.org", "url": "https://letter.example.org"}
        }
        self.set(**settings)
        self.issues = FrozenPages()
        self.updates: dict[str, datetime] = {}
        self.cache: Path | None = None
        (root / "posts").mkdir(parents=True, exist_ok=True)

    def set(self, **tables: Any) -> None:
        for name, table in tables.items():
            self.settings_table.setdefault(name, {}).update(table)
        self.settings = Settings.model_validate(self.settings_table)

    def write(self, name: str, body: str = "Some words.", day: int = 0, **head: Any) -> None:
        """Write a post; `day` counts from the first of January 2026."""
        head = {"title": f"Title of {name}", "date": (START + timedelta(days=day)).isoformat()} | head
        lines = [f"{key}: {json.dumps(value)}" for key, value in head.items() if value is not None]
        file = self.root / "posts" / f"{name}.md"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("---\n" + "\n".join(lines) + "\n---\n" + body, "utf-8")

    def freeze(
        self, number: int, *ids: str, note: str = "", whole: int = 1, previous: int | None = None
    ) -> None:
        """Keep an issue of these posts; the first `whole` are shown with their text."""
        by_id = {post.id: post for post in self.posts()}
        posts = tuple(by_id[each] for each in ids)
        issue = Issue(number, f"Subject {number}", "What it holds", posts, posts[0], note, START)
        addresses = self.addresses()
        bodies = {post.id: render_body(post, self.folder().body(post), addresses) for post in posts[:whole]}
        note_body = render_note(issue, addresses) if note else Body("", "", "")
        page = issue_page(
            issue, bodies, note_body.web, addresses, self.theme(), self.settings, previous=previous
        )
        self.issues.kept[number] = (issue.subject, issue.date, page.encode())

    def folder(self) -> Folder:
        return Folder(self.root, self.settings)

    def posts(self) -> tuple[Post, ...]:
        collection = settle(self.folder().read(), ())
        assert not collection.unreadable, collection.unreadable
        return collection.posts

    def addresses(self) -> Addresses:
        return Addresses(self.settings, self.posts(), self.root)

    def theme(self) -> Theme:
        return Theme([self.root / "templates"], self.settings)

    def list(self) -> list[SiteFile]:
        self.source = CountingSource(self.folder())
        posts = self.posts()
        return site_files(
            posts=posts,
            issues=self.issues,
            source=self.source,
            addresses=self.addresses(),
            theme=self.theme(),
            settings=self.settings,
            updates=self.updates,
            root=self.root,
            cache_folder=self.cache,
        )

    def inputs(self) -> dict[str, str]:
        return {file.path: file.inputs for file in self.list()}

    def build(self) -> dict[str, bytes]:
        """Make every file."""
        return {file.path: file.make() for file in self.list()}

    def write_out(self, public: Path) -> Path:
        """Lay the site out on the disk."""
        for path, data in self.build().items():
            (public / path).parent.mkdir(parents=True, exist_ok=True)
            (public / path).write_bytes(data)
        return public


def parse(page: bytes) -> Any:
    """Parse a page by the HTML standard; the first error is an exception."""
    return html5lib.HTMLParser(strict=True).parse(page.decode())


def texts(page: bytes, tag: str) -> list[str]:
    """The texts of all elements of a kind, in order."""
    return [" ".join("".join(found.itertext()).split()) for found in parse(page).iter(XHTML + tag)]


def targets(page: bytes) -> Iterator[str]:
    """Every address a page names: links, stylesheets, pictures."""
    for found in parse(page).iter():
        for attribute in ("href", "src"):
            if found.get(attribute) is not None:
                yield found.get(attribute)


def file_of(target: str, page: str, site: str) -> str | None:
    """The file in public/ that a target on `page` names; None if it is elsewhere.

    `site` is the site's absolute address.
    """
    base = f"{site.rstrip('/')}/"
    parts = urlsplit(target)
    if parts.scheme and not target.startswith(base):
        return None
    if parts.scheme:
        path = target.removeprefix(base).partition("#")[0]
        return unquote(path) + ("index.html" if path.endswith("/") or not path else "")
    if target.startswith("/"):
        return unquote(parts.path.removeprefix(urlsplit(base).path))
    folder = page.split("/")[:-1]
    for step in parts.path.split("/") if parts.path else []:
        if step == "..":
            assert folder, f"{target} on {page} leaves the site"
            folder.pop()
        else:
            folder.append(step)
    return unquote("/".join(folder)) if parts.path else page
