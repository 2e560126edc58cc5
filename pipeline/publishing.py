"""Brings the public folder up to date: which posts have a page, which pages stay, what the feeds hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from pipeline.model import Entry, Post, SiteFile

if TYPE_CHECKING:
    from pipeline.project import Project
    from pipeline.publish.tree import Published
    from pipeline.render.addresses import Addresses
    from pipeline.week import Week


def publish(project: Project, week: Week) -> Published:
    """Bring public/ up to date: pages, issues as they were frozen, feeds."""
    from pipeline.publish.tree import publish as publish_tree
    from pipeline.render.site.site import site_files

    posts = public_posts(week, project.now)
    files = site_files(
        posts=posts,
        issues=project.store,
        source=project.source,
        addresses=addresses(project, week),
        theme=project.theme,
        settings=project.settings,
        updates=project.store.entry_updates(posts, project.now),
        root=project.root,
        cache_folder=project.private / "bodies",
    )
    return publish_tree(project.public, files, project.private / "site.json", keep=kept_pages(week))


def feeds(project: Project, week: Week, updates: Mapping[str, datetime]) -> list[SiteFile]:
    """List the feeds as they would be published; `updates` say when a post's text (by id) really changed."""
    from pipeline.render.site.site import feed_files

    return feed_files(
        public_posts(week, project.now),
        project.source,
        addresses(project, week),
        project.theme,
        project.settings,
        updates,
        project.private / "bodies",
    )


def feed_entries(project: Project, week: Week, posts: Sequence[Post]) -> tuple[Entry, ...]:
    """Return posts as the feeds would hold them."""
    from pipeline.render.site.site import feed_entries as entries

    return entries(
        posts, project.source, addresses(project, week), project.settings, project.private / "bodies"
    )


def public_posts(week: Week, now: datetime) -> list[Post]:
    """Posts with a page: out by now, or carried by an issue; never drafts."""
    carried = {post.id for post in week.carried}
    return [p for p in week.collection.posts if not p.draft and (p.published <= now or p.id in carried)]


def kept_pages(week: Week) -> list[str]:
    """Pages that stay though nothing makes them now: past issues, posts unreadable for the moment."""
    by_path = {post.path: post for post in week.carried}
    unreadable = [by_path[file.path] for file in week.collection.unreadable if file.path in by_path]
    return ["issues/*", *(f"posts/{post.id}/*" for post in unreadable)]


def addresses(project: Project, week: Week) -> Addresses:
    """Where every post, issue, page and feed can be read."""
    from pipeline.render.addresses import Addresses

    return Addresses(project.settings, week.collection.posts, project.root)
