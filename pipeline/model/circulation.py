"""Whom an issue goes to: everybody who is confirmed, by what it has for them, and why it does not go to the others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

#: Names the variant that readers of a choice (Preferences.choice) get of an issue: "" is the whole of it, None nothing.
Cut = Callable[[str], str | None]


def uncut(_choice: str) -> str:
    """Cut nothing: everybody gets the whole issue."""
    return ""


class Skip(StrEnum):
    """Why an issue does not go to somebody who is confirmed."""

    SUPPRESSED = "suppressed"
    FEED_ONLY = "feed-only"
    PAUSED = "paused"
    #: None of their categories is in it.
    NOTHING_CHOSEN = "nothing-chosen"

    def said(self, count: int) -> str:
        """Say it of so many: "1 has chosen nothing that is in it", "1,204 paused"."""
        one, many = _SKIPPED[self]
        return f"{count:,} {one if count == 1 else many}"


_SKIPPED = {
    Skip.SUPPRESSED: ("suppressed", "suppressed"),
    Skip.FEED_ONLY: ("reads by feed", "read by feed"),
    Skip.PAUSED: ("paused", "paused"),
    Skip.NOTHING_CHOSEN: ("has chosen nothing that is in it", "have chosen nothing that is in it"),
}


def every_skip(counts: Mapping[Skip, int]) -> dict[str, int]:
    """Return the count of every reason, as scripts rely on it: nobody is 0."""
    return {str(skip): counts.get(skip, 0) for skip in Skip}


def skipped(counts: Mapping[Skip, int]) -> str:
    """Say how many are not among an issue's readers, and why: "2 paused, 6 suppressed"; "" if nobody is missing."""
    return ", ".join(skip.said(counts[skip]) for skip in reversed(Skip) if counts.get(skip))


@dataclass(frozen=True, slots=True)
class Audience:
    """Everybody who is confirmed, by what an issue of a certain date has for them."""

    #: Preferences.choice -> how many take an issue under it; "" are those who get everything.
    choices: Mapping[str, int] = field(default_factory=dict)
    #: How many take none, whatever is in it.
    skipped: Mapping[Skip, int] = field(default_factory=dict)

    def circulation(self, cut: Cut) -> Circulation:
        """Return whom an issue goes to that is cut in this way."""
        variants, skipped = Counter[str](), Counter(self.skipped)
        for choice, count in self.choices.items():
            variant = cut(choice)
            if variant is None:
                skipped[Skip.NOTHING_CHOSEN] += count
            else:
                variants[variant] += count
        return Circulation(dict(variants), dict(skipped))


@dataclass(frozen=True, slots=True)
class Circulation:
    """Whom one issue goes to, as what, and why other confirmed subscribers do not get it."""

    #: Name of the variant -> how many readers get it; "" is the whole issue.
    variants: Mapping[str, int] = field(default_factory=dict)
    skipped: Mapping[Skip, int] = field(default_factory=dict)

    @property
    def readers(self) -> int:
        """How many get it, in whatever variant."""
        return sum(self.variants.values())
