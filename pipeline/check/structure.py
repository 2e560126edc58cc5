"""Checks of the mail's build: what a screen reader hears, and what stands in the text part."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pipeline.check.findings import error, warning
from pipeline.check.material import TEMPLATES, Material, template_line
from pipeline.check.texts import levelled, short
from pipeline.model import Finding, Heading


def text_part(m: Material) -> Iterator[Finding]:
    """The text part tells as much as the HTML: no title of a post is missing from it."""
    told = levelled(m.rendered.text)
    for post in m.posts:
        if levelled(post.title) not in told:
            path, line = template_line(m, "mail.txt", "post.title")
            yield error(
                "text-part",
                f"the text part does not hold “{short(post.title)}”",
                path=path,
                line=line,
                fix="loop over all posts in the template",
            )


def heading_order(m: Material) -> Iterator[Finding]:
    """Headings go down one level at a time, as people who jump from one to the next expect (WCAG 2.2, 1.3.1)."""
    outlines = [m.rendered.headings, *m.rendered.outlines]
    for before, heading in dict.fromkeys(pair for outline in outlines for pair in _leaps(outline)):
        yield warning(
            "heading-order",
            f"“{short(heading.text)}” is a heading of level {heading.level} below one of level {before}",
            path=heading.path or TEMPLATES,
            line=heading.line,
            fix=f"make it level {before + 1}, so that no level is left out",
        )


def _leaps(outline: Sequence[Heading]) -> Iterator[tuple[int, Heading]]:
    """Yield each heading that is more than one level below the one before it, with that one's level.

    The first may be of the second level: a page's title, or a note that comes before it, stands above.
    """
    before = 1
    for heading in outline:
        if heading.level > before + 1:
            yield before, heading
        before = heading.level
