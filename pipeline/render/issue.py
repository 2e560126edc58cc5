"""Renders an issue: the mail all readers share, its plain-text twin, and its web page."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from markupsafe import Markup

from pipeline.dates import long_date
from pipeline.errors import ThemeError
from pipeline.model import Body, Issue, Marks, Post, RenderedIssue
from pipeline.render.content.body import render_body, render_note
from pipeline.render.content.highlight import dark_rules
from pipeline.render.mail.found import found
from pipeline.render.mail.inline import inline
from pipeline.render.mail.sheets import shrink
from pipeline.render.mail.tables import fit_tables
from pipeline.render.site.cards import direction, issue_minutes
from pipeline.render.site.pages import issue_page

if TYPE_CHECKING:
    from pipeline.edges import Source
    from pipeline.render.addresses import Addresses
    from pipeline.render.theme.theme import Theme
    from pipeline.settings import Settings

#: What `render_body` does, or something that remembers what it did.
RenderBody = Callable[[Post, str, "Addresses", int | None], Body]
#: Words of the lead post that `show = "lead"` prints before the button.
LEAD_WORDS = 120
#: `show = "lead"` turns into cards only when an issue has more posts than this.
MOST_WITH_LEAD = 7


@dataclass(frozen=True, slots=True)
class Part:
    """A post as the mail's templates see it: plain text, but for its body's HTML."""

    title: str
    url: str
    date: str
    byline: str
    category: str
    excerpt: str
    #: "" where it is the newsletter's own.
    lang: str
    direction: str
    #: Both "" for a card; safe HTML, and plain text of 72 columns.
    html: str = ""
    text: str = ""
    #: True if the body stops before its end.
    cut: bool = False
    #: Front matter that only a newsletter's own templates know.
    extra: Mapping[str, object] | None = None


def render_issue(
    issue: Issue,
    source: Source,
    addresses: Addresses,
    theme: Theme,
    settings: Settings,
    previous: int | None = None,
    body: RenderBody = render_body,
    *,
    with_page: bool = True,
) -> RenderedIssue:
    """Render the bodies all readers share, with marks where a reader's fields go.

    Links and images are those of all its posts, of cards too: a card leads to
    a page, and what is wrong there is wrong with the issue. `previous` is the
    number of the issue before it; `body` makes a post's body, or remembers it.
    A variant has no page of its own: "View in browser" leads to the issue's.
    Raises PostError or DraftError for Markdown that cannot be used, ThemeError
    for a template. The same arguments give the same bytes.
    """
    limits = {post.id: limit for post, limit in shown(issue, settings.issue.show)}
    every = {post.id: body(post, source.body(post), addresses, limits.get(post.id)) for post in issue.posts}
    bodies = {name: body for name, body in every.items() if name in limits}
    note = render_note(issue, addresses) if issue.note.strip() else None
    marks = make_marks(issue, theme, settings)
    context = _context(issue, bodies, marks, addresses, settings)
    page = theme.render(
        "mail/mail.html",
        note=Markup(fit_tables(note.mail)) if note else "",  # noqa: S704 -- sanitised by render/content/body.py
        client_css=Markup(_client_css(theme, bodies)),  # noqa: S704 -- the theme's own
        **context,
    )
    if not page.strip():
        raise ThemeError(
            "makes an empty mail. Delete it, and the built-in one is used.", path="templates/mail/mail.html"
        )
    html = inline(page, theme.source("mail/mail.css"))
    text = theme.render("mail/mail.txt", note=note.text.rstrip() if note else "", **context)
    whole = [*([note] if note else []), *every.values()]
    held = found(html, whole)
    return RenderedIssue(
        issue=issue,
        html=html,
        text=_tidy(text),
        page=issue_page(issue, bodies, note.web if note else "", addresses, theme, settings, previous)
        if with_page
        else "",
        marks=marks,
        links=held.links,
        images=held.images,
        headings=held.headings,
        outlines=tuple(body.headings for body in whole),
    )


def shown(issue: Issue, show: str) -> list[tuple[Post, int | None]]:
    """List the posts whose text the mail prints, lead first, each with its limit in words; the others are cards."""
    if show == "full":
        return [(issue.lead, None), *((post, None) for post in issue.posts if post.id != issue.lead.id)]
    if show == "lead" and len(issue.posts) <= MOST_WITH_LEAD:
        return [(issue.lead, LEAD_WORDS)]
    return []


def _client_css(theme: Theme, bodies: Mapping[str, Body]) -> str:
    """Return what stays in the mail's <style>; code's colours only where there is code."""
    css = theme.source("mail/mail-client.css")
    if any('class="tok-' in body.mail for body in bodies.values()):
        rules = dark_rules()
        outlook = re.sub(r"^(?=\.)", "[data-ogsc] ", rules, flags=re.MULTILINE)
        css += f"@media (prefers-color-scheme: dark) {{ {rules} }}\n{outlook}"
    return shrink(css)


def make_marks(issue: Issue, theme: Theme, settings: Settings) -> Marks:
    """Derive the marks from all that is rendered, so that nothing in the issue can spell one."""
    posts = [(post.id, post.digest) for post in issue.posts]
    whole = repr((issue.number, issue.subject, issue.preheader, issue.note, issue.date.isoformat(), posts))
    seed = f"{whole}\0{settings.model_dump_json()}\0{theme.digest}".encode("utf-8", "surrogatepass")

    def mark(name: str) -> str:
        return f"nl{name}{sha256(name.encode() + seed).hexdigest()[:24]}"

    return Marks(
        name=mark("name"),
        unsubscribe=mark("unsubscribe"),
        preferences=mark("preferences"),
        confirmed=mark("confirmed"),
    )


def _context(
    issue: Issue,
    bodies: Mapping[str, Body],
    marks: Marks,
    addresses: Addresses,
    settings: Settings,
) -> dict[str, object]:
    """Build what mail.html and mail.txt are filled with."""
    newsletter = settings.newsletter
    whole = [post for post, _ in shown(issue, settings.issue.show)]
    printed = {post.id for post in whole}
    return {
        "newsletter": {
            "name": newsletter.name,
            "host": newsletter.host,
            "language": newsletter.language,
            "direction": direction(newsletter.language),
            "postal_address": newsletter.postal_address,
            "footer_note": newsletter.footer_note,
        },
        "issue": {
            "number": issue.number,
            "subject": issue.subject,
            "preheader": issue.preheader,
            "date": long_date(issue.date.date(), newsletter.language),
            "minutes": issue_minutes(issue, printed),
        },
        "posts": [_part(post, addresses, settings, bodies[post.id]) for post in whole],
        "cards": [_part(post, addresses, settings) for post in issue.posts if post.id not in printed],
        "links": {
            "view": addresses.issue(issue.number),
            "home": addresses.index,
            "rss": addresses.feed("all.rss.xml"),
        },
        "recipient": {
            "name": marks.name,
            "unsubscribe": marks.unsubscribe,
            "preferences": marks.preferences,
            "confirmed": marks.confirmed,
        },
    }


def _part(post: Post, addresses: Addresses, settings: Settings, body: Body | None = None) -> Part:
    newsletter = settings.newsletter
    names = ", ".join(post.authors)
    language = post.lang or newsletter.language
    return Part(
        title=post.title,
        url=addresses.post(post),
        date=long_date(post.published.astimezone(newsletter.zone).date(), newsletter.language),
        byline=f"{names}, {post.author_title}" if names and post.author_title else names,
        category=post.category,
        excerpt=post.excerpt,
        lang="" if language == newsletter.language else language,
        direction=direction(language),
        html=Markup(fit_tables(body.mail)) if body else "",  # noqa: S704 -- sanitised by render/content/body.py
        text=body.text.rstrip() if body else "",
        cut=body.cut if body else False,
        extra=post.extra,
    )


def _tidy(text: str) -> str:
    """Drop spaces at line ends, and more than two blank lines in a row."""
    lines = [line.rstrip() for line in text.strip().split("\n")]
    kept = [
        line for n, line in enumerate(lines) if line or n == 1 or (n > 1 and (lines[n - 1] or lines[n - 2]))
    ]
    return "\n".join(kept) + "\n"
