"""The pages of the site: posts, issues, the front page, lists, feeds for people, and what is not there.

Each function decides what a page holds; templates/web/ decides how it looks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby, islice
from typing import TYPE_CHECKING

from markupsafe import Markup

from pipeline.dates import long_date
from pipeline.render.site.cards import issue_minutes
from pipeline.render.site.frame import WHOLE, Frame, Page
from pipeline.render.site.local import root_of

if TYPE_CHECKING:
    from pipeline.model import Body, Issue, Post
    from pipeline.render.addresses import Addresses
    from pipeline.render.site.categories import Category
    from pipeline.render.theme.theme import Theme
    from pipeline.settings import Settings

#: Cards under a post.
CARDS = 3
#: Posts and issues on the front page.
FRONT_POSTS = 6
FRONT_ISSUES = 5
#: Posts of a category that are listed with their excerpt.
EXCERPTS = 30

FRONT_PAGE = "index.html"
ISSUES_PAGE = "issues/index.html"
POSTS_PAGE = "posts/index.html"
FEEDS_PAGE = "feeds/index.html"
NOT_FOUND_PAGE = "404.html"


@dataclass(frozen=True, slots=True)
class IssueLine:
    """An issue in a list of issues."""

    number: int
    subject: str
    url: str
    day: str
    date: str


def post_page(frame: Frame, post: Post, newest: Sequence[Post], categories: Mapping[str, Category]) -> Page:
    """Make a post's page, but for its body.

    `newest` are the newest posts, at least one more than there are cards;
    `categories` are by their addresses.
    """
    path = frame.own_file(frame.addresses.post(post))
    root = root_of(path)
    card = frame.card(post, root)
    others = islice((other for other in newest if other.id != post.id), CARDS)
    category = categories.get(frame.addresses.category(post.category)) if post.category else None
    return frame.page(
        "web/post.html",
        path,
        post.title,
        description=post.excerpt,
        kind="article",
        image=_absolute_image(frame, post),
        feeds=_category_feeds(frame, category),
        post=card,
        cards=[frame.card(other, root) for other in others],
    )


def issue_page(
    issue: Issue,
    bodies: Mapping[str, Body],
    note_html: str,
    addresses: Addresses,
    theme: Theme,
    settings: Settings,
    previous: int | None = None,
) -> str:
    """Render an issue's page: what the mail holds, without anybody's name or address.

    Posts whose id is in `bodies` are shown with their text, the others as
    cards. `previous` is the number of the issue before it, if it has a page.
    """
    frame = Frame(settings, addresses)
    path = frame.own_file(addresses.issue(issue.number))
    root = root_of(path)
    posts = sorted(issue.posts, key=lambda post: post.id != issue.lead.id)
    whole = [post for post in posts if post.id in bodies]
    page = frame.page(
        "web/issue.html",
        path,
        issue.subject,
        description=issue.preheader,
        kind="article",
        issue=issue_line(frame, issue.number, issue.subject, issue.date, root),
        minutes=issue_minutes(issue, bodies),
        # render/content/body.py reads the note as if it were a post without a slug.
        note=_embedded(frame, note_html, root, addresses.post(replace(issue.lead, slug="")), "n-"),
        whole=[
            {
                "card": frame.card(post, root),
                "body": _embedded(frame, bodies[post.id].web, root, addresses.post(post), f"p{place}-"),
            }
            for place, post in enumerate(whole, 1)
        ],
        cards=[frame.card(post, root) for post in posts if post.id not in bodies],
        previous=previous and issue_line(frame, previous, "", issue.date, root),
    )
    return theme.render(page.template, **page.context)


def front_page(
    frame: Frame, posts: Sequence[Post], issues: Sequence[IssueLine], topics: Iterable[Category]
) -> Page:
    """Make the site's first page; `posts` and `issues` newest first."""
    newsletter = frame.settings.newsletter
    return frame.page(
        "web/index.html",
        FRONT_PAGE,
        newsletter.name,
        description=newsletter.tagline,
        posts=[frame.card(post, "") for post in posts[:FRONT_POSTS]],
        issues=issues[:FRONT_ISSUES],
        topics=[
            {"name": topic.name, "url": frame.local.relative(topic.url, ""), "posts": len(topic.posts)}
            for topic in topics
        ],
    )


def issues_page(frame: Frame, issues: Sequence[IssueLine], title: str) -> Page:
    """Make the list of all issues, newest first."""
    return frame.page("web/issues.html", ISSUES_PAGE, title, issues=issues)


def posts_page(frame: Frame, posts: Sequence[Post], title: str) -> Page:
    """Make the list of all posts, newest first, by year."""
    cards = [frame.card(post, "../") for post in posts]
    years = [
        {"name": year, "posts": list(group)} for year, group in groupby(cards, lambda card: card.day[:4])
    ]
    return frame.page("web/posts.html", POSTS_PAGE, title, years=years)


def category_page(frame: Frame, category: Category) -> Page:
    """Make a category's page: all its posts, newest first."""
    path = frame.own_file(category.url)
    root = root_of(path)
    cards = [frame.card(post, root) for post in category.posts]
    return frame.page(
        "web/category.html",
        path,
        category.name,
        feeds=_category_feeds(frame, category),
        category={
            "name": category.name,
            "count": len(cards),
            "feed": frame.feed_links(category.feed, category.name, root)[0].url,
        },
        posts=cards[:EXCERPTS],
        older=cards[EXCERPTS:],
    )


def feeds_page(frame: Frame, categories: Sequence[Category], title: str, description: str) -> Page:
    """Make the page that tells people what feeds are and where."""
    names = [(WHOLE, frame.settings.newsletter.name), *((each.feed, each.name) for each in categories)]
    feeds = [
        {
            "title": label,
            "full": frame.feed_links(name, label, "../"),
            "excerpts": frame.feed_links(name, label, "../", excerpts=True),
        }
        for name, label in names
    ]
    return frame.page("web/feeds.html", FEEDS_PAGE, title, description=description, all_feeds=feeds)


def not_found_page(frame: Frame, title: str) -> Page:
    """Make the page for addresses that are not there; hosts serve it at any depth."""
    return frame.page("web/404.html", NOT_FOUND_PAGE, title, canonical="", root=frame.local.path)


def issue_line(frame: Frame, number: int, subject: str, date: datetime, root: str) -> IssueLine:
    """Describe an issue for a list on pages whose way to public/ is `root`."""
    newsletter = frame.settings.newsletter
    day = date.astimezone(newsletter.zone).date()
    url = frame.local.relative(frame.addresses.issue(number), root)
    return IssueLine(number, subject, url, day.isoformat(), long_date(day, newsletter.language))


def body(frame: Frame, page: Page, post: Post, html: str) -> Markup:
    """Fit a post's sanitised fragment into its own page."""
    return _embedded(frame, html, root_of(page.path), frame.addresses.post(post))


def _embedded(frame: Frame, html: str, root: str, url: str, mark: str = "") -> Markup:
    # Safe as markup: render/content/body.py sanitised it.
    return Markup(frame.local.embedded(html, root, url, mark))  # noqa: S704


def _category_feeds(frame: Frame, category: Category | None) -> list[tuple[str, str]]:
    if category is None:
        return []
    return [(category.feed, f"{frame.settings.newsletter.name}: {category.name}")]


def _absolute_image(frame: Frame, post: Post) -> str:
    if not post.image:
        return ""
    found = frame.addresses.resolve(post, post.image, image=True)
    return found.url if found.ok else ""
