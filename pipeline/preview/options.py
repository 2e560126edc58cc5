"""What of an issue is looked at, and how: the preview's switches, as they stand in its addresses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any
from urllib.parse import urlencode

from pipeline.slugs import slugify

#: What each switch can be set to, its default first.
VIEWS = ("html", "text", "web", "feed", "source", "outline")
WIDTHS = ("600", "320", "375", "full")
SCHEMES = ("light", "dark", "forced")
READERS = ("short", "long", "none")
#: Name of a switch in an address, where it is not the field's own.
_SHORT = {"width": "w", "zoom": "text", "categories": "for"}
#: An address names so many categories at most.
MOST = 100


@dataclass(frozen=True, slots=True)
class Options:
    """One way of looking at an issue."""

    view: str = "html"
    #: Of the frame, in pixels, or "full".
    width: str = "600"
    #: "forced": dark as a client makes it that does not ask the mail.
    scheme: str = "light"
    images: bool = True
    #: False: without `<style>`, as Gmail shows mail of other providers' accounts.
    style: bool = True
    #: Size of text, in percent.
    zoom: int = 100
    #: Which sample reader the mail is addressed to.
    reader: str = "short"
    #: Whose copy is looked at: slugs of categories, sorted, spaces between them; "" for readers of everything.
    categories: str = ""
    #: None: the next one.
    issue: int | None = None

    @staticmethod
    def read(query: Mapping[str, str]) -> Options:
        """Read an address's parameters; what is not known is as if it were not there."""
        issue = query.get("issue", "")
        return Options(
            view=_one_of(VIEWS, query.get("view")),
            width=_one_of(WIDTHS, query.get("w")),
            scheme=_one_of(SCHEMES, query.get("scheme")),
            images=query.get("images") != "off",
            style=query.get("style") != "off",
            zoom=200 if query.get("text") == "200" else 100,
            reader=_one_of(READERS, query.get("reader")),
            categories=_slugs(query.get("for", "")),
            issue=int(issue) if issue.isascii() and issue.isdigit() and len(issue) < 10 else None,
        )

    @property
    def colours(self) -> str:
        """Return the scheme as this view has it: only mail is made dark by force, all else is then just dark."""
        return "dark" if self.scheme == "forced" and self.view != "html" else self.scheme

    def query(self, **changes: Any) -> str:
        """Write the parameters, those only that differ from the default; `changes` are made first."""
        options, usual = replace(self, **changes), Options()
        named = ((field.name, getattr(options, field.name)) for field in fields(Options))
        return urlencode(
            [
                (_SHORT.get(name, name), "off" if value is False else str(value))
                for name, value in named
                if value != getattr(usual, name)
            ]
        )


def _slugs(given: str) -> str:
    """Read slugs with spaces or commas between them; what cannot be one is as if it were not there."""
    found = {slugify(word) for word in given.replace(",", " ").split()[:MOST]} - {""}
    return " ".join(sorted(found))


def _one_of(values: tuple[str, ...], given: str | None) -> str:
    return given if given in values else values[0]
