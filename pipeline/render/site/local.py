"""Tells the site's own addresses from all others, and writes them relative to a page.

Pages link to each other and to their stylesheet relatively, so that public/
can be opened from a disk or moved to any host and folder.
"""

from __future__ import annotations

import re
from html import escape
from urllib.parse import quote, unquote, urlsplit

#: An opening tag as nh3 writes it: values in double quotes, and < in text always as &lt;.
_TAG = re.compile(r'<([a-z][a-z0-9]*)(?:[^>"]|"[^"]*")*>')


class Local:
    """The site at one absolute address, which may have a path of its own."""

    def __init__(self, url: str) -> None:
        self.base = url.rstrip("/") + "/"

    @property
    def path(self) -> str:
        """The site's root on its host: "/" or "/letter/"."""
        return quote(urlsplit(self.base).path, safe="/%~!$&'()*+,;=:@")

    def file(self, url: str) -> str | None:
        """Return the file in public/ that an address of ours names; None if it is not ours."""
        if not url.startswith(self.base):
            return None
        path = unquote(re.split(r"[?#]", url.removeprefix(self.base), maxsplit=1)[0])
        return path + "index.html" if path.endswith("/") or not path else path

    def relative(self, url: str, root: str) -> str:
        """Write one of our addresses relative to `root` ("../../" from two folders down); leave others."""
        if not url.startswith(self.base):
            return url
        path, end = re.fullmatch(r"([^?#]*)(.*)", url.removeprefix(self.base), re.DOTALL).groups()  # type: ignore[union-attr]
        return root + path + ("index.html" if path.endswith("/") or not path else "") + end

    def embedded(self, html: str, root: str, url: str, mark: str = "") -> str:
        """Fit a sanitised fragment into one of our pages.

        Pictures that lie in public/ get relative sources; links within the
        fragment, which is read at `url`, stay within the page. `mark` goes
        before every id where several fragments share a page.
        """
        swaps = [(f' href="{escape(url)}#', f' href="#{mark}')]
        if mark:
            swaps.append((' id="', f' id="{mark}'))

        def fit(tag: re.Match[str]) -> str:
            text = (
                tag[0].replace(f' src="{escape(self.base)}', f' src="{root}') if tag[1] == "img" else tag[0]
            )
            for old, new in swaps:
                text = text.replace(old, new)
            return text

        return _TAG.sub(fit, html)


def root_of(path: str) -> str:
    """Return the way from a page back to public/: "../../" from "posts/snow/index.html"."""
    return "../" * path.count("/")
