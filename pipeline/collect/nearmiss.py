"""Notices front matter keys that are nearly one of ours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache

from pipeline.model import Finding, Severity

#: The keys people write, as they are best spelled.
KEYS = (
    "id", "title", "date", "publishDate", "author", "authors", "author_title", "category", "categories", "excerpt",
    "summary", "description", "slug", "permalink", "canonical_url", "tags", "draft", "published", "status", "lastmod",
    "modified", "updated", "expiryDate", "image", "image_alt", "cover", "feature_image", "lang", "newsletter",
    "featured",
)  # fmt: skip
#: Keys of other tools that look like a slip and are none.
FOREIGN = frozenset((
    "data", "images", "math", "mode", "state", "theme", "toc", "update", "updates", "subtitle", "tagline", "linktitle",
    "layout", "language", "dates", "page", "pages", "features", "authorurl",
))  # fmt: skip


def findings(unknown: Mapping[str, int], given: Mapping[str, int], path: str) -> Iterator[Finding]:
    """Yield a warning for each unknown key (with its line) that is a slip away from one of ours not `given`."""
    for key, line in unknown.items():
        meant = nearest(key)
        if meant and meant not in given:
            yield Finding(
                "front-matter-key",
                Severity.WARNING,
                f"`{key}`: did you mean `{meant}`?",
                path,
                line,
                f"Write `{meant}`; as it stands the key is only passed to the templates.",
            )


@lru_cache(maxsize=1024)
def nearest(key: str) -> str:
    """Return the key of ours that is one slip away (two in a long one), or ""."""
    word = key.lower().replace("-", "").replace("_", "")
    if word in FOREIGN or not 3 <= len(word) <= 24:
        return ""
    found = []
    for ours in KEYS:
        plain = ours.lower().replace("_", "")
        allowed = 2 if len(plain) >= 7 else 1 if len(plain) >= 4 else 0
        # A slip seldom hits the first letter, and other tools' short keys (`math`) often differ from ours by it.
        if word[0] in plain[:2] and abs(len(word) - len(plain)) <= allowed:
            found.append((distance(word, plain), ours, allowed))
    best = min(found, default=None)
    return best[1] if best and best[0] <= best[2] else ""


def distance(a: str, b: str) -> int:
    """Count the letters to add, drop, change or swap with a neighbour (optimal string alignment)."""
    before: list[int] = []
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        before, row, last = row, [i], before
        for j, y in enumerate(b, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (x != y))
            if i > 1 and j > 1 and x == b[j - 2] and a[i - 2] == y:
                cost = min(cost, last[j - 2] + 1)
            row.append(cost)
    return row[-1]
