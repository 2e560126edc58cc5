"""Gathers what checks may look at, so that checks themselves open nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from html.parser import HTMLParser
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from pipeline import __version__, settings_file
from pipeline.atomic import write_atomic
from pipeline.check.material import EarlierIssue, Material, Place

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from pipeline.check.mend import Ground
    from pipeline.check.run import Report
    from pipeline.model import Change, Finding, Issue, LinkAnswer, Picture, RenderedIssue
    from pipeline.project import Project

#: Issues that are remembered: half a year of a weekly letter.
EARLIER = 26
#: Links of issues that are out, by number; may be deleted at any time.
CACHE = "cache/earlier.json"
#: What sites answered, by address; may be deleted at any time.
LINKS = "cache/links.json"
#: Told how many links are answered, of how many.
Asked = Callable[[int, int], None]


def material(project: Project, issue: Issue, rendered: RenderedIssue) -> Material:
    """Return an issue with everything around it that a check may ask about.

    Raises PostError if a post has changed since it was read.
    """
    written = sources(project, issue)
    settings = written.get(settings_file.FILE, "")
    return Material(
        rendered=rendered,
        settings=project.settings,
        markdown={post.id: project.source.body(post) for post in issue.posts},
        sources=written,
        theme=project.theme.texts("mail/"),
        untranslated=project.theme.untranslated,
        pictures=pictures(project.root, rendered),
        earlier=earlier(project, issue.number),
        setting=places(settings, project.environ),
    )


def report(
    project: Project,
    issue: Issue,
    rendered: RenderedIssue,
    beside: Sequence[Finding] = (),
    answers: Mapping[str, LinkAnswer] | None = None,
    variants: Iterable[tuple[str, RenderedIssue]] = (),
) -> Report:
    """Run all checks over a rendered issue.

    `beside` is what else there is to say, `answers` what `ask` found out,
    `variants` are its variants, each after whom it is for.
    """
    from pipeline.check.run import run

    whole = material(project, issue, rendered)
    reading = [finding for post in issue.posts for finding in post.findings]
    cut = ((whom, replace(whole, rendered=variant)) for whom, variant in variants)
    return run(whole, project.settings.checks, [*reading, *beside], answers, cut)


def ask(project: Project, rendered: RenderedIssue, progress: Asked) -> Mapping[str, LinkAnswer]:
    """Ask the sites that an issue's links lead to. Takes its time. Raises NewsletterError if a package is missing."""
    from pipeline.links.ask import answers_for

    return answers_for(rendered, project.settings, project.private / LINKS, project.now, progress)


def sources(project: Project, issue: Issue) -> dict[str, str]:
    """Return path -> text of every post of the issue, of its draft and of newsletter.toml, line by line as written."""
    paths = [*(post.path for post in issue.posts), issue.path, settings_file.FILE]
    return {path: text for path in paths if path and (text := _text(project.root / path)) is not None}


def _text(path: Path) -> str | None:
    """Read a file as posts are read; None if it cannot be, which others have said by then."""
    from pipeline.errors import PostError
    from pipeline.frontmatter.text import decode

    try:
        return decode(path.read_bytes())
    except (OSError, PostError):
        return None


def pictures(root: Path, rendered: RenderedIssue) -> dict[str, Picture]:
    """Return what is known of every picture that lies in the newsletter, by its file."""
    from pipeline.render.content.pictures import look

    files = {image.file for image in rendered.images if image.file}
    return {file: found for file in sorted(files) if (found := look(root / file)) is not None}


def places(source: str, environ: Mapping[str, str]) -> Callable[[str], Place]:
    """Return a function that says where a setting like "newsletter.from" is set.

    In a line of newsletter.toml, or in a variable of the environment, whose
    name it returns instead of a path. What is not set has its table's line.
    """
    variables = {keys: name for name, keys in settings_file.names(environ)}

    @lru_cache(maxsize=64)
    def place(key: str) -> Place:
        keys = tuple(key.split("."))
        if keys in variables:
            return variables[keys], None
        line = settings_file.line_of(source, keys) or settings_file.line_of(source, keys[:-1])
        return settings_file.FILE, line

    return place


# --- mending -------------------------------------------------------------------


def mend(project: Project, findings: Sequence[Finding]) -> list[Change]:
    """Mend in posts, drafts and templates what a machine can mend without guessing; say what was changed.

    Each file is written whole or not at all, and only if it can still be
    used; every other byte of it stays.
    """
    changes = []
    for file in _mendable(project, findings):
        mended, made = file.mend(findings)
        if made:
            write_atomic(file.file, mended.encode(file.encoding), file.file.stat().st_mode & 0o777)
            changes += made
    return changes


def mendable(project: Project, findings: Sequence[Finding]) -> int:
    """Return how many faults `mend` would mend; nothing is written."""
    return sum(len(file.mend(findings)[1]) for file in _mendable(project, findings))


def sarif(project: Project, report: Report) -> dict[str, Any]:
    """Return a report as one SARIF document, with what `mend` would change."""
    from pipeline.check.sarif import document

    files = {file.path: file for file in _mendable(project, report.findings)}
    texts = {path: _text(project.root / path) for path in {finding.path for finding in report.findings}}

    def mended(finding: Finding) -> str | None:
        file = files.get(finding.path)
        text, made = file.mend([finding]) if file else ("", [])
        return text if made else None

    sources = {path: files[path].text if path in files else text for path, text in texts.items() if text}
    return document(report, sources, __version__, project.settings.checks, mended)


@dataclass(frozen=True)
class _File:
    """A file that could be mended."""

    file: Path
    path: str
    encoding: str
    #: With every character and line end.
    text: str
    ground: Ground
    usable: Callable[[str], bool]

    def mend(self, findings: Sequence[Finding]) -> tuple[str, list[Change]]:
        from pipeline.check.catalogue import FIXES
        from pipeline.check.mend import mend

        return mend(self.path, self.text, findings, self.ground, FIXES, self.usable)


def _mendable(project: Project, findings: Sequence[Finding]) -> Iterator[_File]:
    """Yield every file for which there is a fix among the findings' checks; never newsletter.toml."""
    from pipeline.check.catalogue import FIXES
    from pipeline.check.mend import Ground

    paths = sorted({finding.path for finding in findings if finding.id in FIXES} - {settings_file.FILE})
    posts = {post.path: post for post in project.source.read().posts} if paths else {}
    slugs = frozenset(post.slug for post in posts.values() if not post.draft)
    for path in paths:
        read = _raw(project.root / path)
        if read is not None:
            usable = partial(_usable, project, path, read[0]) if path in posts else bool
            yield _File(
                project.root / path, path, *read, Ground(project.settings, posts.get(path), slugs), usable
            )


def _raw(file: Path) -> tuple[str, str] | None:
    """Return a file's encoding and its text with every character and line end; None if it is no file of text."""
    try:
        data = b"" if file.is_symlink() else file.read_bytes()
        encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8"
        if encoding == "utf-16":
            encoding = "utf-16-le" if data[:2] == b"\xff\xfe" else "utf-16-be"
        return encoding, data.decode(encoding)
    except (OSError, UnicodeDecodeError):
        return None


def _usable(project: Project, path: str, encoding: str, text: str) -> bool:
    """Tell whether a post's file could still be read if it held this text."""
    from pipeline.collect.fields import post_of
    from pipeline.errors import PostError

    try:
        return post_of(text.encode(encoding), PurePosixPath(path), path, project.source.zone) is not None
    except PostError:
        return False


# --- earlier issues ----------------------------------------------------------


def earlier(project: Project, number: int) -> tuple[EarlierIssue, ...]:
    """Return the issues before `number`, by number, at most the last 26, each with what it linked to.

    What was once read out of an issue's frozen bytes is kept in a file, so
    that a preview at every save does not read them again.
    """
    known = [row for row in project.store.pages() if row[0] < number][-EARLIER:]
    if not known:
        return ()
    file = project.private / CACHE
    kept = _kept(file)
    found = {}
    for each, _, _, mark in known:
        held = kept.get(str(each))
        if held is None or held[0] != mark:
            frozen = project.store.frozen(each)
            held = (mark, sorted(_addresses(frozen.html)) if frozen else [])
        found[str(each)] = held
    if found != kept:
        _keep(file, found)
    return tuple(EarlierIssue(each, subject, frozenset(found[str(each)][1])) for each, subject, _, _ in known)


def _kept(file: Path) -> dict[str, tuple[str, list[str]]]:
    try:
        data = json.loads(file.read_bytes())
        return {str(number): (str(mark), [str(url) for url in urls]) for number, (mark, urls) in data.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def _keep(file: Path, found: Mapping[str, tuple[str, list[str]]]) -> None:
    # A full disk, or a folder that may only be read, costs time and nothing else.
    with suppress(OSError):
        file.parent.mkdir(mode=0o700, exist_ok=True)
        write_atomic(file, json.dumps(found, ensure_ascii=False).encode(), 0o600)


def _addresses(html: bytes) -> set[str]:
    reader = _Links()
    reader.feed(html.decode("utf-8", "replace"))
    reader.close()
    return reader.found


class _Links(HTMLParser):
    """Collects where a mail's links lead."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        url = dict(attrs).get("href") if tag == "a" else None
        if url and url.startswith(("http://", "https://")):
            self.found.add(url)
