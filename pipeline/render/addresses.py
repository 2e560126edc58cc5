"""Where everything can be read: absolute addresses of posts, issues and feeds, and of what posts point to.

Of a picture its place is asked (does it exist, and is it inside the
newsletter's own folders once symbolic links are followed), and its size.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath
from posixpath import basename, dirname, normpath, split, splitext
from typing import TYPE_CHECKING
from unicodedata import normalize
from urllib.parse import quote, unquote, urljoin, urlsplit

from pipeline.render.content.pictures import look
from pipeline.render.content.references import Kind, Target, read_target
from pipeline.slugs import slugify

if TYPE_CHECKING:
    from pipeline.model import Picture, Post
    from pipeline.settings import Settings

#: Put before every id inside a post, so that it cannot clash with the page's own ids.
ID_PREFIX = "c-"
#: Addresses with another scheme never reach a reader.
SCHEMES = frozenset({"http", "https", "mailto", "tel"})
#: A linked file is published only if it cannot act in the site's name (no pages, no scripts).
ATTACHMENTS = re.compile(
    r"\.(avif|csv|docx?|epub|flac|gif|gz|ics|jpe?g|json|m4a|mp3|mp4|od[st]|ogg|opml|pdf|png|pptx?|svg|tar|txt|vcf|wav"
    r"|webm|webp|xlsx?|xz|zip)",
    re.IGNORECASE,
)
PICTURES = re.compile(r"\.(avif|bmp|gif|ico|jpe?g|png|svg|webp)", re.IGNORECASE)
#: RFC 3986, 3.3: what may stand in a path without being percent-encoded.
PCHAR = "/:@!$&'()*+,;=-._~"
#: Pages of ours that a relative link may name without being a post.
OWN_PAGES = re.compile(r"(issues/\d+/?|feeds/.*|categories/[^/]+/?|index\.html)?")


@dataclass(frozen=True, slots=True)
class Resolved:
    """What a link or image target turned out to be."""

    #: Absolute, or as written where nothing is there.
    url: str
    #: False if it names a post or file that is not there.
    ok: bool = True
    #: The file to publish, relative to the newsletter's folder; "" if there is none.
    file: str = ""
    #: Where the file goes, relative to public/.
    target: str = ""


class Addresses:
    """Every address of one newsletter, for the posts it has.

    `root` is the newsletter's folder. Drafts may be among `posts`; a link to one counts as dead.
    """

    def __init__(self, settings: Settings, posts: Sequence[Post], root: Path) -> None:
        self.url = settings.newsletter.url.rstrip("/")
        self.language = settings.newsletter.language
        self.subscribe = f"{settings.web_url}/subscribe"
        self._settings = settings
        self._root = root
        self._folders = {
            "static": root / settings.posts.static,
            "posts": root / settings.posts.folder,
        }
        self._by_slug = {post.slug: post for post in posts}
        self._by_name = _named(posts, normalize("NFC", PurePosixPath(settings.posts.folder).as_posix()))

    # --- pages -----------------------------------------------------------------

    @property
    def index(self) -> str:
        """The site's first page."""
        return f"{self.url}/"

    @property
    def feeds_page(self) -> str:
        """The page that explains the feeds to people."""
        return f"{self.url}/feeds/"

    @property
    def elsewhere(self) -> bool:
        """True if posts are read on another site (`posts.url`)."""
        return self._settings.posts.url is not None

    def feed(self, filename: str) -> str:
        """Address of a file in feeds/, like "all.rss.xml"."""
        return f"{self.url}/feeds/{_encoded(filename)}"

    def issue(self, number: int) -> str:
        """Address of an issue's page."""
        return f"{self.url}/issues/{number}/"

    def category(self, name: str) -> str:
        """Address of a category's page."""
        return f"{self.url}/categories/{_category(name)}/"

    def post(self, post: Post) -> str:
        """Address of a post's page; dates in `posts.url` are the newsletter's own zone's."""
        pattern = self._settings.posts.url
        if pattern is None:
            return f"{self.url}/posts/{_encoded(post.slug)}/"
        day = post.published.astimezone(self._settings.newsletter.zone)
        return _normal(
            pattern.format(
                year=f"{day.year:04}",
                month=f"{day.month:02}",
                day=f"{day.day:02}",
                slug=_encoded(post.slug),
                id=_encoded(post.id),
                category=_category(post.category),
            )
        )

    def tag_id(self, post: Post) -> str:
        """Return the post's permanent `tag:` URI (RFC 4151, 2.1)."""
        specific = quote(normalize("NFC", post.id), safe=PCHAR + "?")
        return f"tag:{self._settings.tag_authority}:{specific}"

    # --- what posts point to -----------------------------------------------------

    def picture(self, file: str) -> Picture | None:
        """Return what a picture that `resolve` found says of itself; None if it cannot be read."""
        return look(self._root / file)

    def resolve(self, post: Post, target: str, *, image: bool = False) -> Resolved:
        """Turn a link or image target, as written in `post`, into an absolute address.

        Knows the ways Pelican, Hugo, Jekyll and Zola write references; a
        target that names no post and no file inside the newsletter's folders
        is `ok=False` and stays as written.
        """
        named = read_target(normalize("NFC", target))
        if named.kind is Kind.ABSOLUTE:
            usable = named.path.partition(":")[0].lower() in SCHEMES
            return Resolved(_normal(named.path) if usable else named.path)
        if named.kind is Kind.NOTHING:
            return Resolved(target, ok=False)
        if named.kind is Kind.WITHIN:
            return Resolved(self.post(post) + self._suffix(named, ours=True), ok=not image)
        found = None if image else self._post_named(post, named)
        if found is not None:
            return Resolved(self.post(found) + self._suffix(named, ours=True))
        kept = self._file_named(post, named, PICTURES if image else ATTACHMENTS)
        if kept is not None:
            return kept
        if image or named.kind is Kind.POST:
            return Resolved(target, ok=False)
        return self._page_named(post, named, target)

    def _post_named(self, post: Post, named: Target) -> Post | None:
        """Find the post a reference means: by its place, else by a name that only one post has."""
        path = named.path.removesuffix("/")
        last = PurePosixPath(path).name
        names = [] if path.startswith("/") else [normpath(f"{dirname(normalize('NFC', post.path))}/{path}")]
        names.append(normpath(path).lstrip("/"))
        if named.kind is Kind.POST:
            names.append(last)
        found = next((self._by_name[name] for name in names if name in self._by_name), None)
        slug = last.removesuffix(".html")
        if found is None and (named.kind is Kind.POST or path.removesuffix(".html") in _slug_paths(slug)):
            found = self._by_slug.get(slug)
        return None if found is None or found.draft else found

    def _file_named(self, post: Post, named: Target, endings: re.Pattern[str]) -> Resolved | None:
        """Find a file beside the post, in the posts folder or in the static folder; never outside them."""
        path = named.path
        if not endings.fullmatch(PurePosixPath(path).suffix):
            return None
        beside = self._root / dirname(post.path)
        inner = path.lstrip("/")
        if path.startswith("/"):
            static = self._settings.posts.static.strip("/")
            places = [
                self._folders["static"] / inner,
                self._folders["static"] / inner.removeprefix(f"{static}/"),
                self._folders["posts"] / inner,
            ]
        else:
            places = [beside / path, self._root / path, self._folders["static"] / path]
        for place in places:
            real = _existing(place)
            target = None if real is None else self._public_path(post, real)
            if real is not None and target is not None:
                file = Path(os.path.relpath(real, self._root.resolve())).as_posix()
                url = f"{self.url}/{_encoded(target)}" + self._suffix(named, ours=False)
                return Resolved(url, file=file, target=target)
        return None

    def _public_path(self, post: Post, real: Path) -> str | None:
        """Return where a file goes below public/; None if it is not inside our folders."""
        for name, folder in self._folders.items():
            home = folder.resolve()
            if not real.is_relative_to(home) or any(
                part.startswith(".") for part in real.relative_to(home).parts
            ):
                continue
            if name == "static":
                return real.relative_to(home).as_posix()
            if home == self._root.resolve() and not PICTURES.fullmatch(real.suffix):
                continue  # a newsletter that keeps its posts at the top has its lists of readers there too
            beside = (self._root / dirname(post.path)).resolve()
            inner = (
                real.relative_to(beside)
                if real.is_relative_to(beside)
                else Path("_") / real.relative_to(home)
            )
            return f"posts/{post.slug}/{inner.as_posix()}"
        return None

    def _page_named(self, post: Post, named: Target, target: str) -> Resolved:
        """Resolve what is neither post nor file: a page of this site, or of the one where posts live."""
        base = self.post(post)
        if named.path.startswith("/"):
            parts = urlsplit(base)
            home = f"{parts.scheme}://{parts.netloc}" if self.elsewhere else self.url
            return Resolved(home + _encoded(named.path) + self._suffix(named, ours=False))
        url = urljoin(base, _encoded(named.path) + self._suffix(named, ours=False))
        inside = urlsplit(url)._replace(query="", fragment="").geturl().removeprefix(self.index)
        if self.elsewhere or OWN_PAGES.fullmatch(inside):
            return Resolved(url)
        return Resolved(target, ok=False)

    def _suffix(self, named: Target, *, ours: bool) -> str:
        """Return query and fragment; a fragment into a page of ours carries our id prefix."""
        prefix = ID_PREFIX if ours and not self.elsewhere else ""
        query = f"?{quote(unquote(named.query), safe=PCHAR + '?')}" if named.query else ""
        fragment = unquote(named.fragment).removeprefix(prefix)
        return query + (f"#{quote(prefix + fragment, safe=PCHAR + '?')}" if fragment else "")


def _named(posts: Sequence[Post], folder: str) -> dict[str, Post]:
    """Index posts by every name a reference may use: path, path below the posts folder, file name, stem.

    A file name or stem that several posts share names none of them; paths always win.
    """
    exact: dict[str, Post] = {}
    short: dict[str, set[str]] = {}
    by_path = {post.path: post for post in posts}
    for post in posts:
        path = normalize("NFC", post.path)
        inner = path.removeprefix(f"{folder}/")
        above, last = split(inner)
        stem = splitext(last)[0]
        bundle = basename(above) if stem in ("index", "readme") else ""
        for name in (path, inner, splitext(path)[0], splitext(inner)[0]):
            exact.setdefault(name, post)
        for name in (bundle,) if bundle else (last, stem):
            short.setdefault(name, set()).add(post.path)
        if bundle:
            exact.setdefault(above, post)
            exact.setdefault(dirname(path), post)
    unique = {name: by_path[next(iter(paths))] for name, paths in short.items() if len(paths) == 1}
    return unique | exact


def _slug_paths(slug: str) -> tuple[str, ...]:
    """Every way a page's address below public/ is written from another post."""
    return (slug, f"/posts/{slug}", f"posts/{slug}", f"../{slug}", f"../posts/{slug}", f"../../posts/{slug}")


def _existing(place: Path) -> Path | None:
    """Return the real file behind a path, trying both Unicode forms of its name; None if there is none."""
    name = str(place)
    for form in (name, normalize("NFC", name), normalize("NFD", name)):
        try:
            real = Path(form).resolve()
            if real.is_file():
                return real
        except (OSError, ValueError, RuntimeError):  # NUL, too long, a loop of links
            continue
    return None


@lru_cache(maxsize=1024)
def _category(name: str) -> str:
    return _encoded(slugify(name) or "category")


def _encoded(path: str) -> str:
    return quote(normalize("NFC", unquote(path)), safe=PCHAR)


def _normal(url: str) -> str:
    """Percent-encode what an address may not hold, and turn an international host into its ASCII form."""
    from markdown_it.common.normalize_url import normalizeLink

    return normalizeLink(url)
