"""What of an issue remains for readers who chose categories, cut from the same build, and who gets what."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING

from pipeline import cutting
from pipeline.compose.cut import categories, title, variant_of
from pipeline.errors import NewsletterError
from pipeline.model import Circulation, Issue, Post, RenderedIssue, Variant

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from pipeline.project import Project
    from pipeline.week import Week


def circulation(project: Project, posts: Sequence[Post], date: datetime) -> Circulation:
    """Return whom an issue of these posts and that date goes to, as readers have chosen by now."""
    slugs = categories(posts)
    return project.store.audience(date).circulation(lambda choice: variant_of(slugs, choice))


class Variants:
    """The variants of one issue, each rendered once, when somebody asks for it."""

    def __init__(self, project: Project, week: Week, issue: Issue) -> None:
        self._project, self._week, self._issue = project, week, issue
        #: Slug -> name of the issue's categories.
        self.categories = categories(issue.posts)
        self._rendered: dict[str, RenderedIssue] = {}
        self._frozen: dict[str, Variant] = {}

    @cached_property
    def circulation(self) -> Circulation:
        """Whom the issue goes to, as readers had chosen when somebody asked for it first."""
        return circulation(self._project, self._issue.posts, self._issue.date)

    @property
    def names(self) -> tuple[str, ...]:
        """Those that somebody gets, the one with the most readers first."""
        counts = self.circulation.variants
        return tuple(sorted(filter(None, counts), key=lambda name: (-counts[name], name)))

    def of(self, choice: str) -> str | None:
        """Name the variant that readers of a choice get; "" is the whole issue, None nothing."""
        return variant_of(self.categories, choice)

    def title(self, variant: str) -> str:
        """Say for people whom a variant is for: "Cluster headaches + Sleep"."""
        return title(self.categories, variant)

    def rendered(self, variant: str) -> RenderedIssue:
        """Return a variant as the issue itself is rendered. Raises as that does, naming the variant."""
        if variant not in self._rendered:
            with self._named(variant):
                issue = cutting.compose_variant(self._project, self._week, self._issue, variant, self._usual)
                self._rendered[variant] = cutting.render(self._project, self._week, issue, with_page=False)
        return self._rendered[variant]

    def frozen(self, variant: str) -> Variant:
        """Return a variant as bytes, proven as those of the issue are. Raises Refused for an impossible subject."""
        if variant not in self._frozen:
            rendered = self.rendered(variant)
            with self._named(variant):
                made = cutting.frozen_bytes(self._project, rendered)
            posts = tuple(post.id for post in rendered.issue.posts)
            self._frozen[variant] = Variant(variant, made.template, made.html, made.text, posts)
        return self._frozen[variant]

    def all_frozen(self, names: Iterable[str] | None = None) -> tuple[Variant, ...]:
        """Return variants as bytes, by name: these, or all that somebody gets."""
        return tuple(self.frozen(name) for name in sorted(self.names if names is None else names))

    def told(self, most: int | None = None) -> Iterator[tuple[str, RenderedIssue]]:
        """Yield whom a variant is for, and the variant: at most so many, those with the most readers first."""
        for name in islice(self.names, most):
            yield self.title(name), self.rendered(name)

    @cached_property
    def _usual(self) -> Issue:
        return cutting.usual(self._project, self._week, self._issue.date)

    @contextmanager
    def _named(self, variant: str) -> Iterator[None]:
        """Say of an error which variant it is about."""
        try:
            yield
        except NewsletterError as fault:
            fault.message = f"for readers of {self.title(variant)}: {fault.message}"
            raise
