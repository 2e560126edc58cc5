"""Gathers what the preview shows: a newsletter's folder as it is now, turned into a State; nothing is written.

Whatever cannot be shown becomes a Fault over the last look that could.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from hashlib import sha256
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from pipeline import approving, papers, publishing, weekly
from pipeline.approve import records
from pipeline.compose.cut import categories
from pipeline.errors import DraftError, NewsletterError, Refused, SettingsError, StoreError
from pipeline.model import Circulation, Post, Standing, uncut
from pipeline.preview.state import Fault, Look, State

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

    from pipeline.model import Entry, FrozenIssue, LeftOut, RenderedIssue
    from pipeline.project import Project
    from pipeline.week import Week

#: So many variants are checked at every look, those with the most readers; `check` and `send` look at all.
CHECKED = 6
#: Lines of a file that are shown before and after the one at fault.
AROUND = 3
#: A file in which no line is looked for.
TOO_LARGE = 2_000_000
_PLACE = re.compile(r"(?P<path>[\w.-]+):(?P<line>\d+): (?P<message>.*)")


def gather(
    project: Project,
    number: int | None = None,
    since: datetime | None = None,
    latest: int | None = None,
    before: State | None = None,
    early: Callable[[State], bool] | None = None,
) -> State:
    """Return the state of the next issue, or of issue `number`; with `before`, its look stays over a fault.

    `early` is given the look before it is checked, with the checks' last word
    in the meantime; if it says no, that is all. Checks take as long as all else.
    Raises Refused if there is no issue of that number, and StoreError if the
    ledger cannot be read.
    """
    frozen = project.store.frozen(number) if number is not None else None
    if frozen is not None:
        return sealed(_past(project, frozen))
    try:
        week = weekly.collect(project, since, latest)
    except StoreError:
        raise
    except (NewsletterError, OSError) as fault:
        known = number or (before.number if before else _following(project))
        return broken(
            _bare(project, known), before, [*_causes(project, fault), *faults_of(project.root, fault)]
        )
    if number not in (None, week.number):
        raise Refused(f"there is no issue {number}; the next one is {week.number}: newsletter preview")
    return sealed(_next(project, week, before, early))


def _next(project: Project, week: Week, before: State | None, early: Callable[[State], bool] | None) -> State:
    """Look at the issue that would be sent now."""
    state = replace(_bare(project, week.number), week=week, circulation=weekly.circulation(project, week))
    stopping = [_unreadable(project.root, item) for item in week.choice.left_out if item.stops]
    if stopping:
        return broken(state, before, stopping)
    if not week.choice.chosen:
        return state
    try:
        prepared, build, standing = approving.look(project, week, "preview", CHECKED)
        entries = publishing.feed_entries(project, week, prepared.issue.posts)
        look = Look(
            frozen=build.frozen,
            hash=build.hash,
            preheader=prepared.issue.preheader,
            entries=entries,
            files=own_files(prepared.rendered),
            issue=prepared.issue,
            rendered=prepared.rendered,
            report=before.look.report if before and before.look else None,
            build=build,
            variants=prepared.variants,
            categories=prepared.variants.categories,
            entry_posts=tuple(post.id for post in prepared.issue.posts),
        )
        circulation = prepared.variants.circulation
        state = replace(state, look=look, standing=standing, circulation=circulation)
        # If a file changes from here on, its fault stands over this look, not over the one before.
        before = state
        if early is not None and look.report is not None and not early(sealed(state)):
            return state
        return replace(state, look=replace(look, report=prepared.report))
    except StoreError:
        raise
    except (NewsletterError, OSError) as fault:
        return broken(state, before, faults_of(project.root, fault))


def _past(project: Project, frozen: FrozenIssue) -> State:
    """Look at an issue as it was frozen; nothing is rendered again."""
    state = _bare(project, frozen.number)
    entries: tuple[Entry, ...] = ()
    preheader, approval, posts = "", None, list[Post]()
    # Its own bytes can be shown whatever has become of the posts since.
    with suppress(NewsletterError, OSError):
        week = weekly.collect(project)
        draft = week.drafts.get(frozen.number)
        preheader, approval = (draft.preheader, draft.approval) if draft else ("", None)
        by_id = {post.id: post for post in week.collection.posts}
        posts = [by_id[post.id] for post in frozen.posts if post.id in by_id]
        entries = publishing.feed_entries(project, week, posts)
    trials = records.read_trials(papers.folder_of(project, frozen.number))
    look = Look(
        frozen=frozen,
        hash=frozen.hash,
        preheader=preheader or frozen.text.decode().partition("\n")[0],
        categories=_categories(frozen, posts),
        entries=entries,
        entry_posts=tuple(post.id for post in posts[: len(entries)]),
        files=published_files(project, [frozen.html.decode(), *(entry.html for entry in entries)]),
    )
    skipped = state.record.skipped if state.record else {}
    return replace(
        state,
        look=look,
        standing=Standing(trials, approval),
        circulation=Circulation(project.store.by_variant(frozen.number), skipped),
    )


def _categories(frozen: FrozenIssue, posts: Sequence[Post]) -> dict[str, str]:
    """Return the categories that a past issue's variants name, as its posts call them now, where they still do."""
    slugs = {slug for variant in frozen.variants for slug in variant.name.split()}
    now = categories(posts)
    return {slug: now.get(slug, slug) for slug in sorted(slugs)}


def _bare(project: Project, number: int) -> State:
    """Return what is known before anything is rendered."""
    settings, store = project.settings, project.store
    relay = f" ({settings.mail.smtp.host})" if settings.mail.mailer == "smtp" else ""
    return State(
        root=project.root,
        settings=settings,
        now=project.now,
        number=number,
        mailer=f"{settings.mail.mailer}{relay}",
        circulation=store.audience(project.now).circulation(uncut),
        record=store.issue(number),
        past=tuple((issue.number, issue.subject) for issue in reversed(store.issues())),
    )


def _following(project: Project) -> int:
    last = project.store.last_issue()
    return last.number + 1 if last else 1


# --- faults --------------------------------------------------------------------


def broken(state: State, before: State | None, faults: Sequence[Fault]) -> State:
    """Return a state with faults over the last good look."""
    if before is None:
        return sealed(replace(state, faults=tuple(faults)))
    # A look belongs to its number: a fault just after an issue went out has nothing to be shown over.
    same = before.number == state.number
    kept = replace(
        state,
        week=state.week or before.week,
        look=before.look if same else None,
        standing=before.standing if same else state.standing,
        faults=tuple(faults),
    )
    return sealed(kept)


def faults_of(root: Path, fault: Exception) -> list[Fault]:
    """Turn an error into what the page shows of it."""
    if isinstance(fault, SettingsError) and not fault.path:
        # All that is wrong with the settings at once, one a line, each with its place.
        found = [_PLACE.fullmatch(line) for line in fault.message.splitlines()]
        placed = [(match["path"], int(match["line"]), match["message"]) for match in found if match]
        if placed and len(placed) == len(found):
            return [Fault(said, path, line, around(root, path, line)) for path, line, said in placed]
    if isinstance(fault, NewsletterError):
        return [Fault(fault.message, fault.path, fault.line, around(root, fault.path, fault.line))]
    if isinstance(fault, OSError):
        return [Fault(fault.strerror or str(fault), str(fault.filename or ""))]
    return [Fault(f"a fault of the program itself: {type(fault).__name__}: {fault}. Please report this.")]


def _causes(project: Project, fault: Exception) -> list[Fault]:
    """Return what may be behind a fault: a draft names a post in vain if the post's file cannot be read."""
    if isinstance(fault, DraftError):
        with suppress(NewsletterError, OSError):
            files = project.source.read().unreadable
            return [
                Fault(file.why, file.path, file.line, around(project.root, file.path, file.line))
                for file in files
            ]
    return []


def _unreadable(root: Path, item: LeftOut) -> Fault:
    return Fault(item.why, item.path, item.line, around(root, item.path, item.line))


def around(root: Path, path: str, line: int | None) -> tuple[tuple[int, str], ...]:
    """Return the lines of a file near one of them, with their numbers; nothing if it cannot be read."""
    if not path or line is None:
        return ()
    file = root / path
    try:
        if not file.is_file() or file.stat().st_size > TOO_LARGE:
            return ()
        lines = file.read_text("utf-8", "replace").splitlines()
    except OSError:
        return ()
    first = max(line - AROUND, 1)
    return tuple(enumerate(lines[first - 1 : line + AROUND], first))


# --- files ---------------------------------------------------------------------


def own_files(rendered: RenderedIssue) -> dict[str, str]:
    """Map addresses of pictures and attachments of ours to their files."""
    found = {image.url: image.file for image in rendered.images if image.file}
    return found | {link.url: link.file for link in rendered.links if link.file}


def published_files(project: Project, pages: Sequence[str]) -> dict[str, str]:
    """Map addresses of pictures that a past issue shows to what was published there, where that still is."""
    site = f"{project.settings.newsletter.url.rstrip('/')}/"
    public = project.public.resolve()
    found = {}
    for url in {url for page in pages for url in _sources(page)}:
        if url.startswith(site):
            file = public / unquote(urlsplit(url.removeprefix(site)).path)
            with suppress(OSError, ValueError):
                real = file.resolve()
                if real.is_relative_to(public) and real.is_file():
                    found[url] = f"public/{real.relative_to(public).as_posix()}"
    return found


def _sources(page: str) -> Iterator[str]:
    for match in re.finditer(r"""\bsrc=(?:"([^"]*)"|'([^']*)')""", page):
        yield html.unescape(match[1] or match[2] or "")


# --- version -------------------------------------------------------------------


def sealed(state: State) -> State:
    """Give a state its version: the same for all that would be shown alike, whatever the time of day."""
    look, week = state.look, state.week
    shown: Mapping[str, object] = {
        "settings": state.settings.model_dump_json(),
        "who": (state.number, state.mailer, state.circulation, state.record, state.past),
        "week": week and (week.number, week.choice, week.draft),
        "look": look and (look.hash, look.preheader, look.entries, sorted(look.files.items()), look.report),
        "faults": state.faults,
        "standing": state.standing,
    }
    return replace(state, version=sha256(repr(shown).encode("utf-8", "backslashreplace")).hexdigest()[:16])
