"""Sorts front matter into the keys we know, under each name that people give them, and the rest."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, tzinfo

from pipeline.collect import dates
from pipeline.errors import PostError
from pipeline.frontmatter import heads
from pipeline.frontmatter.text import one_line

#: Our key -> the names it is read under, ours first, which wins. Letter case, `-` and `_` make no difference.
ALIASES: Mapping[str, tuple[str, ...]] = {
    "id": ("id",),
    "title": ("title",),
    "date": ("date", "publish_date", "published_date", "pubdate"),
    "author": ("author", "authors"),
    "author_title": ("author_title",),
    "category": ("category", "categories"),
    "excerpt": ("excerpt", "summary", "description"),
    "slug": ("slug", "permalink", "url", "path", "canonical_url"),
    "tags": ("tags",),
    "draft": ("draft", "published", "status"),
    "lastmod": ("lastmod", "modified", "updated"),
    "expiryDate": ("expiryDate",),
    "image": ("image", "cover", "feature_image"),
    "image_alt": ("image_alt",),
    "lang": ("lang",),
    "newsletter": ("newsletter",),
    "featured": ("featured",),
}
#: Zola refuses keys it does not know outside `[extra]`, so ours are looked for there; its lists are taxonomies.
TABLES: Mapping[str, tuple[str, ...]] = {
    "extra": ("author", "author_title", "category", "excerpt", "expiryDate", "image", "image_alt", "lang", "newsletter",
              "featured"),
    "taxonomies": ("author", "category", "tags"),
}  # fmt: skip

_YES = frozenset(("true", "yes", "on", "1"))
_NO = frozenset(("false", "no", "off", "0"))


def squash(key: str) -> str:
    """Return a key as it is compared: `publishDate`, `publish-date` and `Publish_Date` are one."""
    return key.replace("_", "").replace("-", "").lower()


_OURS = {squash(alias): (key, alias) for key, aliases in ALIASES.items() for alias in aliases}


@dataclass(frozen=True, slots=True)
class Given:
    """One value as an author gave it."""

    key: str
    value: object
    line: int

    def fault(self, why: str) -> PostError:
        return PostError(f"{self.key} {why}", line=self.line)

    def text(self) -> str:
        """Return the value as one line of text; "" for an empty one."""
        return text_of(self, self.value)

    def items(self) -> tuple[str, ...]:
        """Return a list, or text divided by commas (by semicolons, if it has any), each item once."""
        if isinstance(self.value, list):
            parts = [
                text_of(self, item.get("name") if isinstance(item, dict) else item) for item in self.value
            ]
        elif isinstance(self.value, str):
            mark = r"[;\n]" if ";" in self.value else r"[,\n]"
            parts = [
                one_line(part)
                for part in re.split(mark, self.value.strip().removeprefix("[").removesuffix("]"))
            ]
        else:
            parts = [self.text()]
        return tuple(dict.fromkeys(filter(None, parts)))

    def flag(self) -> bool:
        """Return a yes or no."""
        word = self.text().lower()
        if word not in _YES | _NO:
            raise self.fault(f'is "{word[:40]}". Write true or false.')
        return word in _YES

    def moment(self, zone: tzinfo, *, last: bool = False) -> datetime:
        """Return a date in UTC."""
        try:
            return dates.moment(self.value, zone, last=last)
        except ValueError as fault:
            raise self.fault(str(fault)) from fault


@dataclass(slots=True)
class Keys:
    """Front matter sorted into the keys we know and the rest."""

    #: Our key -> alias -> what was given under it.
    known: dict[str, dict[str, Given]] = field(default_factory=dict)
    extra: dict[str, object] = field(default_factory=dict)
    #: Line of each of `extra`.
    extra_lines: dict[str, int] = field(default_factory=dict)

    def get(self, key: str) -> Given | None:
        """Return what counts for one of our keys: the first alias that was given a value."""
        return next(self.all(key), None) if key in self.known else None

    def all(self, key: str) -> Iterator[Given]:
        """Yield everything that was given for one of our keys, in order of rank."""
        given = self.known.get(key, {})
        for alias in ALIASES[key]:
            if alias in given and given[alias].value not in (None, "", []):
                yield given[alias]

    def lines(self) -> dict[str, int]:
        """Return the line of each of our keys that was given."""
        return {key: found.line for key in self.known if (found := self.get(key))}

    def text(self, key: str) -> str:
        """Return one of our keys as one line of text; "" if it was not given."""
        found = self.get(key)
        return found.text() if found else ""


def sort(head: heads.Head) -> Keys:
    """Tell our keys from the rest, whatever they are called. Raises PostError for a key given twice."""
    keys = Keys()
    for key, value in head.values.items():
        line = head.lines.get(key, 1)
        ours, alias = _OURS.get(squash(key), ("", ""))
        if key in TABLES and isinstance(value, dict):
            continue
        if not ours:
            keys.extra[key], keys.extra_lines[key] = value, line
        elif alias in keys.known.setdefault(ours, {}):
            first = keys.known[ours][alias]
            raise PostError(f"`{key}` is given twice, first in line {first.line}. Delete one.", line=line)
        else:
            keys.known[ours][alias] = Given(key, value, line)
    for table, allowed in TABLES.items():
        inner = head.values.get(table)
        for key, value in inner.items() if isinstance(inner, dict) else ():
            line = head.lines.get(f"{table}.{key}", head.lines.get(table, 1))
            ours, alias = _OURS.get(squash(key), ("", ""))
            if ours not in allowed:
                keys.extra.setdefault(key, value)
                keys.extra_lines.setdefault(key, line)
            else:
                keys.known.setdefault(ours, {}).setdefault(alias, Given(f"{table}.{key}", value, line))
    return keys


def text_of(given: Given, value: object) -> str:
    """Return a value, or a part of it, as one line of text. Raises PostError for a list or table."""
    if isinstance(value, list | dict):
        raise given.fault(f"is a {'list' if isinstance(value, list) else 'table'}. Write one line of text.")
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return one_line(value if isinstance(value, str) else str(value))
