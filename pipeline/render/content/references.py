"""How posts written for Pelican, Hugo, Jekyll and Zola name each other, read into one form.

Also used by the Markdown parser, which must know that `[x]({% post_url y %})`
is a link although its target holds spaces.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto
from urllib.parse import unquote

#: A template tag where a link's target stands; never run, only read.
TEMPLATE_TAG = r"(?:\{\{.{1,300}?\}\}|\{%.{1,300}?%\})"
#: A whole target that begins with such a tag.
TEMPLATE_TARGET = re.compile(rf"{TEMPLATE_TAG}(?:{TEMPLATE_TAG}|[^\s()<>{{}}]){{0,300}}")

SCHEME = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*:")
#: What a site's own address is called in templates; a target after it is root-relative.
_SITE = re.compile(r"\{\{-?\s*(?:site\.(?:baseurl|url)|SITEURL|\.Site\.BaseURL)\s*-?\}\}/?")
_BEFORE_TAG = re.compile(_SITE.pattern + r"(?=\{[%{])")
_FILTERED = re.compile(
    r"\{\{-?\s*([\"'])(?P<path>.+?)\1\s*\|\s*(?:relative_url|absolute_url|relURL|absURL)\s*-?\}\}"
)
_POST_URL = re.compile(r"\{%-?\s*post_url\s+(?P<name>\S+?)\s*-?%\}(?P<rest>\S*)")
_LINK = re.compile(r"\{%-?\s*link\s+(?P<name>\S+?)\s*-?%\}(?P<rest>\S*)")
_REF = re.compile(
    r"\{\{[<%]-?\s*(?:rel)?ref\s+(?:path=)?(?P<quote>[\"'`]?)(?P<name>.+?)(?P=quote)\s*/?-?[>%]\}\}(?P<rest>\S*)"
)
_PELICAN = re.compile(r"(?:\{|\|)(?P<what>filename|static|attach)(?:\}|\|)(?P<name>.*)")
_MARKDOWN = re.compile(r"\.(?:md|markdown)/?$", re.IGNORECASE)


_EDGES = "".join(map(chr, range(33)))


class Kind(Enum):
    """What sort of thing a target names."""

    #: It says nothing.
    NOTHING = auto()
    #: A complete address, with its scheme.
    ABSOLUTE = auto()
    #: A place in the same page.
    WITHIN = auto()
    #: Surely a post, by its Markdown file or a generator's own syntax.
    POST = auto()
    #: A post, a file or a page.
    PATH = auto()


@dataclass(frozen=True, slots=True)
class Target:
    """A link's target, taken apart."""

    kind: Kind
    #: Percent-decoded (except where absolute); begins with a slash where it starts at the site's root.
    path: str = ""
    query: str = ""
    fragment: str = ""


def read_target(written: str) -> Target:
    """Take a target apart, as written in a post (NFC)."""
    # As browsers do (URL Standard, 4.4): so that "java\nscript:" is seen for what it is.
    text = re.sub(r"[\t\n\r]", "", written).strip(_EDGES)
    text = _BEFORE_TAG.sub("", text)
    for pattern in (_POST_URL, _LINK, _REF):
        match = pattern.fullmatch(text)
        if match:
            return _path(match["name"] + match["rest"], Kind.POST)
    text = _FILTERED.sub(lambda match: "/" + match["path"].lstrip("/"), _SITE.sub("/", text))
    match = _PELICAN.fullmatch(text)
    if match:
        # {filename}x.md stands beside the post, {filename}/x.md in the posts folder.
        return _path(match["name"], Kind.POST if match["what"] == "filename" else Kind.PATH)
    if text.startswith("@/"):
        return _path(text[1:], Kind.POST)
    if text.startswith("//"):
        return Target(Kind.ABSOLUTE, "https:" + text)
    if SCHEME.match(text):
        return Target(Kind.ABSOLUTE, text)
    return _path(text, Kind.PATH)


def _path(text: str, kind: Kind) -> Target:
    rest, _, fragment = text.partition("#")
    path, _, query = rest.partition("?")
    path = unquote(path)
    if not path:
        return Target(Kind.WITHIN if fragment or query else Kind.NOTHING, "", query, fragment)
    if "\\" in path or "{" in path or any(ord(c) < 32 for c in path):
        # A Windows path, an unknown template tag or a control character names nothing here.
        return Target(Kind.NOTHING)
    if _MARKDOWN.search(path):
        kind = Kind.POST
    return Target(kind, path, query, fragment)
