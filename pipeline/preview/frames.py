"""The document inside the preview's frame: what one reader gets, as one client shows it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from markupsafe import Markup

from pipeline.preview import fence, sample
from pipeline.preview.outline import outline
from pipeline.preview.templating import asset, fill

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.clients.scheme import Scheme
    from pipeline.model import Entry
    from pipeline.preview.options import Options
    from pipeline.preview.state import Look, State


#: Views of what is one for all readers: a look at a part has the whole of it.
WHOLE = frozenset({"web", "feed"})


def frame_html(state: State, options: Options, *, find: fence.Find | None = None, policy: str = "") -> str:
    """Return the document of one view, with every switch set.

    Nothing in it loads from elsewhere, runs or leads away. `find` says where
    our own pictures are, if not on the preview's server; `policy` is put in as its Content-Security-Policy.
    """
    find = find or fence.served(options.issue)
    if state.shown is None:
        return _small("empty", options, find=find, policy=policy, files={}, base="")
    return _VIEWS[options.view](state, state.shown, options, find, policy)


def _mail(state: State, look: Look, options: Options, find: fence.Find, policy: str) -> str:
    html = sample.copy(look.frozen, options.reader).html
    return fence.fenced(_shown(html, options), look.files, _base(state, look), find, policy)


def _web(state: State, look: Look, options: Options, find: fence.Find, policy: str) -> str:
    html = look.frozen.page.decode()
    sheet = f"<style>{_site_style(state)}</style>"
    html = re.sub(r'<link\b[^>]*\bhref="[^"]*style\.css"[^>]*>', lambda _: sheet, html, count=1)
    return fence.fenced(_shown(html, options), look.files, _base(state, look), find, policy)


def _text(state: State, look: Look, options: Options, find: fence.Find, policy: str) -> str:
    text = sample.copy(look.frozen, options.reader).text
    return _small(
        "text",
        options,
        find,
        policy,
        look.files,
        _base(state, look),
        text=text,
        language=look.frozen.language,
    )


def _source(state: State, look: Look, options: Options, find: fence.Find, policy: str) -> str:
    copy = sample.copy(look.frozen, options.reader)
    return _small("source", options, find, policy, look.files, _base(state, look), copy=copy)


def _outline(state: State, look: Look, options: Options, find: fence.Find, policy: str) -> str:
    items = outline(sample.copy(look.frozen, options.reader).html)
    return _small(
        "outline",
        options,
        find,
        policy,
        look.files,
        _base(state, look),
        items=items,
        language=look.frozen.language,
    )


def _feed(state: State, look: Look, options: Options, find: fence.Find, policy: str) -> str:
    entries = [
        (entry, _day(entry, look.frozen.language), Markup(entry.html), raw)  # noqa: S704 -- sanitised by render/content/body.py
        for entry, raw in zip(look.entries, _atom(state, look), strict=True)
    ]
    return _small(
        "feed",
        options,
        find,
        policy,
        look.files,
        _base(state, look),
        entries=entries,
        language=look.frozen.language,
    )


_VIEWS: dict[str, Callable[[State, Look, Options, fence.Find, str], str]] = {
    "html": _mail,
    "text": _text,
    "web": _web,
    "feed": _feed,
    "source": _source,
    "outline": _outline,
}


def _shown(html: str, options: Options) -> str:
    """Return a page as a client with these switches shows it."""
    from pipeline.clients.degrade import text_doubled, without_images, without_style
    from pipeline.clients.forced_dark import force_dark
    from pipeline.clients.scheme import in_scheme

    if not options.images:
        html = without_images(html)
    if not options.style:
        html = without_style(html)
    if options.zoom == 200:
        html = text_doubled(html)
    # Always one or the other: a frame follows the dark mode of whoever looks, whatever the iframe says.
    return force_dark(html) if options.colours == "forced" else in_scheme(html, _scheme(options))


def _small(
    name: str,
    options: Options,
    find: fence.Find,
    policy: str,
    files: dict[str, str],
    base: str,
    **context: object,
) -> str:
    """Return a document of our own."""
    from pipeline.clients.degrade import without_images

    html = fill(
        f"frame-{name}.html",
        style=Markup(asset("frame.css")),  # noqa: S704 -- our own
        scheme=_scheme(options),
        zoom=options.zoom,
        **context,
    )
    return fence.fenced(html if options.images else without_images(html), files, base, find, policy)


def _scheme(options: Options) -> Scheme:
    return "light" if options.colours == "light" else "dark"


def _base(state: State, look: Look) -> str:
    """Return the address at which the issue's page will be."""
    return f"{state.settings.newsletter.url}/issues/{look.frozen.number}/"


def _site_style(state: State) -> str:
    """Return the site's stylesheet as it is published."""
    from pipeline.errors import ThemeError
    from pipeline.render.content.highlight import dark_rules
    from pipeline.render.theme.theme import Theme

    try:
        sheet = Theme([state.root / "templates"], state.settings).source("web/site.css")
    except ThemeError:  # at this moment; the banner says so
        sheet = Theme((), state.settings).source("web/site.css")
    return f"{sheet}\n@media screen and (prefers-color-scheme: dark) {{\n{dark_rules()}\n}}\n"


def _day(entry: Entry, language: str) -> str:
    from pipeline.dates import long_date

    return long_date(entry.published.date(), entry.lang or language)


def _atom(state: State, look: Look) -> Sequence[str]:
    """Return each entry as it stands in the Atom feed."""
    from pipeline.model import Feed
    from pipeline.render.feeds.xml import atom

    if not look.entries:
        return []
    newsletter = state.settings.newsletter
    feed = Feed(
        id=f"tag:{state.settings.tag_authority}:feed:all",
        title=newsletter.name,
        subtitle=newsletter.tagline,
        url=f"{newsletter.url}/",
        folder=f"{newsletter.url}/feeds/",
        name="all",
        language=newsletter.language,
        author=newsletter.name,
        updated=max(entry.updated for entry in look.entries),
        entries=look.entries,
    )
    return list(_raw_entries(atom(feed).decode()))


def _raw_entries(xml: str) -> Iterator[str]:
    for found in re.finditer(r"^ *<entry\b.*?</entry>", xml, re.DOTALL | re.MULTILINE):
        yield found[0]
