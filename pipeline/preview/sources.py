"""The page of one file's text with numbered lines, where a finding leads."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.preview.state import State
from pipeline.preview.templating import fill

SETTINGS = "newsletter.toml"


def known_paths(state: State) -> frozenset[str]:
    """Return the files, relative to the newsletter's folder, that the page has something to say about."""
    return frozenset(filter(None, _paths(state)))


def _paths(state: State) -> Iterator[str]:
    yield SETTINGS
    look, week = state.look, state.week
    if week is not None:
        yield from (item.path for item in week.choice.left_out)
        yield from (post.path for post in week.choice.chosen)
        yield week.draft.path if week.draft else ""
    yield from (fault.path for fault in state.faults)
    if look is not None and look.issue is not None:
        yield from (post.path for post in look.issue.posts)
        yield look.issue.path
    if look is not None and look.rendered is not None:
        yield from (link.path for link in look.rendered.links)
        yield from (image.path for image in look.rendered.images)
    if look is not None and look.report is not None:
        yield from (finding.path for finding in look.report.findings)


def source_html(state: State, path: str, line: int | None, text: str) -> str:
    """Return the page of a file's text, one line of it marked."""
    lines = text.split("\n")
    return fill(
        "source.html",
        name=state.settings.newsletter.name,
        number=state.number,
        path=path,
        lines=list(enumerate(lines[:-1] if len(lines) > 1 and not lines[-1] else lines, 1)),
        marked=line,
        faults=[fault for fault in state.faults if fault.path == path],
        findings=[
            finding
            for finding in (state.look.report.findings if state.look and state.look.report else ())
            if finding.path == path
        ],
    )
