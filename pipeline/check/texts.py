"""Takes text out of what is checked: the words that readers of a page see, short and levelled forms of text."""

from __future__ import annotations

import re
from html import unescape
from unicodedata import east_asian_width

#: A tag; attribute values may hold `>`.
_TAG = re.compile(r"""<(/?)([a-zA-Z][a-zA-Z0-9]*)(?:[^>"']|"[^"]*"|'[^']*')*>""")
_COMMENT = re.compile(r"<!--.*?-->|<![^>]*>|<\?[^>]*>", re.DOTALL)
_HIDDEN = re.compile(r"<(style|script|head|title)\b.*?</\1\s*>", re.DOTALL | re.IGNORECASE)
_CODE = re.compile(r"<(pre|code|kbd|samp)\b.*?</\1\s*>", re.DOTALL | re.IGNORECASE)
#: Elements that part words from each other.
_PARTING = frozenset({"br", "p", "td", "tr", "li", "div", "h1", "h2", "h3", "h4", "h5", "h6", "dt", "dd"})
#: Joiners that a preheader is padded with, so that an inbox shows nothing after it.
_FILLER = re.compile("[\u034f\u200b\u200c\u200d\ufeff]")


def short(text: str) -> str:
    """Return the text on one line, cut where a message would run off."""
    text = " ".join(text.split())
    return text if len(text) <= 80 else text[:79] + "…"


def levelled(text: str) -> str:
    """Return the words alone, so that texts compare equal however their lines, quotes and capitals are."""
    return " ".join(re.sub(r"[^\w]+", " ", text).casefold().split())


def text_of(html: str, *, code: bool = True) -> str:
    """Return the text that readers of our own HTML see; without `code`, not that in pre and code."""
    html = _HIDDEN.sub(" ", _COMMENT.sub("", html))
    if not code:
        html = _CODE.sub(" ", html)
    text = _TAG.sub(lambda tag: " " if tag[2].lower() in _PARTING else "", html)
    return _FILLER.sub("", unescape(text))


def columns(text: str) -> int:
    """Return how wide a text is, in letters of the Latin script: Chinese ones and the like are two wide (UAX 11)."""
    return len(text) + sum(east_asian_width(letter) in "WF" for letter in text)


def said(number: int, noun: str) -> str:
    """Return "1 link", "3 links"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
