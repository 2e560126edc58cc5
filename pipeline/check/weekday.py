"""The check that a weekday and the date beside it belong together."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from pipeline.check.findings import warning
from pipeline.check.material import Material
from pipeline.model import Finding


@dataclass(frozen=True, slots=True)
class _Names:
    """A language's names of days and months, and how they are found in text."""

    #: Lower case name -> 0 for Monday.
    days: Mapping[str, int]
    #: Lower case name -> 1 for January.
    months: Mapping[str, int]
    dates: re.Pattern[str]


def weekday(m: Material) -> Iterator[Finding]:
    """A weekday belongs to the date that is written beside it. Where no year is written, the issue's counts."""
    around = m.rendered.issue.date.date()
    languages = {post.path: post.lang for post in m.posts}
    own = m.settings.newsletter.language
    for lines in (m.heads(), m.lines()):
        for path, line, text in lines:
            for written, day, right in _wrong(text, around, languages.get(path) or own):
                yield warning(
                    "weekday",
                    f"“{written}”: {day.day} {day:%B %Y} is a {right}",
                    path=path,
                    line=line,
                    fix="correct the weekday or the date",
                )


def _wrong(text: str, around: date, language: str) -> Iterator[tuple[str, date, str]]:
    """Yield each date of a line whose weekday is another: as written, the day meant, its true weekday."""
    small = text.lower()
    for tag in dict.fromkeys(("en", language)):
        names = _names(tag)
        # Nearly every line holds no weekday, and this costs a twentieth of a search.
        if not any(name in small for name in names.days):
            continue
        for found in names.dates.finditer(text):
            parts = found.groupdict()
            said = names.days[parts["weekday"].lower()]
            month = names.months[(parts["month"] or parts["month2"]).lower().rstrip(".")]
            year = parts["year"] or parts["year2"]
            day = _day(int(parts["day"] or parts["day2"]), month, int(year) if year else None, around)
            if day and day.weekday() != said:
                yield found[0], day, f"{day:%A}"


def _day(day: int, month: int, year: int | None, around: date) -> date | None:
    """Return the day; without a year the one nearest to the issue's, so that January is next year's in December."""
    try:
        if year:
            return date(year, month, day)
        near = [date(each, month, day) for each in (around.year - 1, around.year, around.year + 1)]
    except ValueError:  # 31 June; the 29th of February of some years
        return None
    return min(near, key=lambda each: abs((each - around).days))


@lru_cache(maxsize=16)
def _names(language: str) -> _Names:
    from babel import Locale, UnknownLocaleError

    try:
        locale = Locale.parse(language, sep="-")
    except (UnknownLocaleError, ValueError):
        locale = Locale("en")
    days: dict[str, int] = {}
    months: dict[str, int] = {}
    for kind in ("format", "stand-alone"):
        for width in ("wide", "abbreviated"):
            days |= {name.lower().rstrip("."): n for n, name in locale.days[kind][width].items()}
            months |= {name.lower().rstrip("."): n for n, name in locale.months[kind][width].items()}
    if locale.language == "en":
        days |= {"tues": 1, "thur": 3, "thurs": 3}
        months |= {"sept": 9}
    weekday = rf"(?P<weekday>{_any(days)})\.?"
    month, month2 = (rf"(?P<{name}>{_any(months)})\.?" for name in ("month", "month2"))
    # A day's number may carry its ending (24th, 24., 1er); a year its comma or preposition.
    day, day2 = (rf"(?P<{name}>\d{{1,2}})(?:st|nd|rd|th|er|\.|º|ª)?" for name in ("day", "day2"))
    year, year2 = (rf"(?:,?\s+(?:de\s+)?(?P<{name}>(?:19|20)\d\d)\b)?" for name in ("year", "year2"))
    between = r",?\s+(?:(?:the|den|dem|le|el|il|de|em|dia)\s+)?"
    pattern = (
        rf"(?<!\w){weekday}{between}(?:{day}\s+(?:(?:of|de|di)\s+)?{month}(?!\w){year}"
        rf"|{month2}\s+{day2}(?!\w){year2})"
    )
    return _Names(days, months, re.compile(pattern, re.IGNORECASE))


def _any(names: Mapping[str, int]) -> str:
    return "|".join(sorted(map(re.escape, names), key=len, reverse=True))
