"""Keeps a frame's document at home: nothing in it is loaded from elsewhere, runs, or leads away.

The browser is told so as well (sandbox and Content-Security-Policy, which have
the last word). This is for the person who looks: what is blocked is shown, and
a click on a link does nothing instead of leaving an error in the frame.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from html import escape
from urllib.parse import quote, urljoin, urlsplit

from pipeline.clients.markup import Attribute, Edit, Tag, edited, head_start, tags

#: Where the frame finds one of the newsletter's own files, by its public address.
Find = Callable[[str], str]

#: Elements that fetch or run something; nothing of them is left, nor of what stands in them.
_GONE = frozenset(
    {"script", "link", "base", "iframe", "frame", "object", "embed", "applet", "audio", "video"}
)
_FETCHING = frozenset({"srcset", "imagesrcset", "poster", "lowsrc", "dynsrc", "ping", "formaction", "action"})
_REFERENCES = frozenset({"href", "xlink:href", "src"})
_DRAWN = frozenset({"image", "use", "feimage", "input"})
_IMPORT = re.compile(r"@import\b[^;]*;?", re.IGNORECASE)
_URL = re.compile(
    r"url\(\s*(\"[^\"]*\"|'[^']*'|[^()\"']*)\s*\)|(?:-webkit-)?image-set\([^{};]*\)", re.IGNORECASE
)
#: How a blocked picture looks, in any scheme and on any ground.
_BOX = (
    "display:inline-block;box-sizing:border-box;max-width:100%;margin:4px 0;padding:8px 12px;border:2px dashed #A61B1B;"
    "background-color:#FFFFFF;color:#7A1212;font:normal 14px/20px Arial,sans-serif;text-align:left;"
    "overflow-wrap:anywhere;white-space:normal"
)
_OUTLINE = ";outline:2px dashed #A61B1B;outline-offset:-2px"


def served(issue: int | None) -> Find:
    """Return a way to find the files that an issue shows (None: the next one) on the preview's server."""
    end = "" if issue is None else f"&issue={issue}"
    return lambda url: f"/file?of={quote(url, safe='')}{end}"


def fenced(html: str, files: Mapping[str, str], base: str, find: Find, policy: str = "") -> str:
    """Return a whole document that stays at home.

    `files` names our own pictures by their absolute address, `base` is the
    address that relative ones start from. `policy` is put in as a
    Content-Security-Policy, where no server can send one.
    """
    ours = _Ours(files, base, find)
    edits: list[Edit] = []
    for tag in tags(html):
        edits += _gone(html, tag) if tag.name in _GONE else _edits(tag, ours)
        if tag.name == "style":
            edits.append((tag.end, tag.text_end, ours.sheet(html[tag.end : tag.text_end])))
    edits = list(_outermost(edits))
    head = f'<meta http-equiv="Content-Security-Policy" content="{escape(policy)}">' if policy else ""
    edits.append((head_start(html), head_start(html), head))
    if ours.in_sheets:
        edits.append(_notice(html, ours.in_sheets))
    return edited(html, edits)


class _Ours:
    """Tells our own files from all others, and remembers which others a sheet named."""

    def __init__(self, files: Mapping[str, str], base: str, find: Find) -> None:
        self.files, self.base, self.find = files, base, find
        self.in_sheets: list[str] = []

    def address(self, url: str) -> str | None:
        """Return where the frame finds a picture; None if it is not ours."""
        url = url.strip()
        if url.lower().startswith("data:image/"):
            return url
        absolute = urljoin(self.base, url)
        return self.find(absolute) if absolute in self.files else None

    def sheet(self, css: str) -> str:
        css = _IMPORT.sub(self._imported, css)
        return _URL.sub(lambda found: self._exchanged(found, self.in_sheets), css)

    def declarations(self, css: str) -> str:
        blocked: list[str] = []
        css = _URL.sub(lambda found: self._exchanged(found, blocked), css)
        return css.rstrip("; ") + _OUTLINE if blocked else css

    def _imported(self, found: re.Match[str]) -> str:
        self.in_sheets.append(found[0][len("@import") :].strip("\"'(); \n"))
        return ""

    def _exchanged(self, found: re.Match[str], blocked: list[str]) -> str:
        url = (found[1] or "").strip("\"' ")
        if url.startswith("#"):
            return found[0]
        address = self.address(url) if url else None
        if address is None:
            blocked.append(url or found[0])
            return "none"
        return f'url("{address}")'


def blocked_words(url: str, alt: str | None) -> str:
    """Say what a picture that is not shown would have been."""
    try:
        host = urlsplit(url.strip()).hostname or ""
    except ValueError:
        host = ""
    words = " ".join((alt or "").split())
    return f"Blocked: picture from {host or 'an unknown place'} — {words or 'no alt text'}"


def _edits(tag: Tag, ours: _Ours) -> Iterator[Edit]:
    """Yield what has to change in one tag, its style apart."""
    if tag.name == "img":
        yield from _picture(tag, ours)
        return
    if tag.name == "source" or (tag.name == "meta" and tag.get("http-equiv")):
        yield tag.start, tag.end, ""
        return
    for attribute in tag.attributes:
        if attribute.name in _FETCHING or attribute.name.startswith("on"):
            yield attribute.start, attribute.end, ""
        elif attribute.name == "style":
            if "(" in attribute.value:
                yield attribute.rewritten(ours.declarations(attribute.value))
        elif attribute.name == "background":
            address = ours.address(attribute.value)
            if address is None:
                ours.in_sheets.append(attribute.value)
            yield attribute.rewritten(address) if address else (attribute.start, attribute.end, "")
        elif attribute.name in _REFERENCES and tag.name in _DRAWN and not attribute.value.startswith("#"):
            yield attribute.start, attribute.end, ""
    href = tag.get("href")
    if tag.name in ("a", "area") and href and not href.value.startswith("#"):
        yield from _link(tag, href, urljoin(ours.base, href.value.strip()))


def _link(tag: Tag, href: Attribute, target: str) -> Iterator[Edit]:
    """Yield what lets a link show its target and lead nowhere: a sandboxed frame opens no window."""
    title = "" if tag.get("title") else f' title="{escape(target)}"'
    # The first attribute of a name counts.
    place = tag.start + 1 + len(tag.name)
    yield place, place, f' target="_blank" rel="noopener noreferrer"{title}'
    if target != href.value:
        yield href.rewritten(target)


def _picture(tag: Tag, ours: _Ours) -> Iterator[Edit]:
    src, alt = tag.get("src"), tag.get("alt")
    url = src.value if src else ""
    address = ours.address(url) if src else None
    if src is None or address is None:
        words = blocked_words(url, alt.value if alt else None)
        yield tag.start, tag.end, f'<span style="{_BOX}" title="{escape(url)}">{escape(words)}</span>'
        return
    yield src.rewritten(address)
    for attribute in tag.attributes:
        if attribute.name in _FETCHING or attribute.name.startswith("on"):
            yield attribute.start, attribute.end, ""
        elif attribute.name == "style" and "(" in attribute.value:
            yield attribute.rewritten(ours.declarations(attribute.value))


def _gone(html: str, tag: Tag) -> Iterator[Edit]:
    closing = re.compile(rf"</{tag.name}[^>]*>", re.IGNORECASE)
    found = closing.match(html, tag.text_end) or (
        closing.search(html, tag.end) if tag.name in ("audio", "video", "object", "applet") else None
    )
    yield tag.start, found.end() if found else tag.text_end, ""


def _outermost(edits: list[Edit]) -> Iterator[Edit]:
    """Yield those edits that lie in no other: what goes with its element needs no change of its own."""
    reach = -1
    for edit in sorted(edits, key=lambda edit: (edit[0], -edit[1])):
        if edit[0] >= reach:
            yield edit
            reach = max(reach, edit[1])


def _notice(html: str, urls: list[str]) -> Edit:
    """Return a box at the body's beginning for what only style sheets name."""
    place = next((tag.end for tag in tags(html) if tag.name == "body"), head_start(html))
    items = "; ".join(
        dict.fromkeys(blocked_words(url, "named in a style sheet or as a background") for url in urls)
    )
    return place, place, f'<div style="{_BOX};display:block;margin:8px">{escape(items)}</div>'
