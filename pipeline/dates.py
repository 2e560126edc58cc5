"""Writes dates the way people read them, in the newsletter's language."""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from babel.core import Locale


# A list of all posts asks for every day of an archive, then each of their pages does: fewer would remember none.
@lru_cache(maxsize=32_768)
def long_date(day: date, language: str) -> str:
    """Return "September 22, 2018" for `en`, "22. September 2018" for `de`; English where Babel lacks the language."""
    from babel.dates import format_date

    return format_date(day, format="long", locale=_locale(language))


@lru_cache(maxsize=256)
def _locale(language: str) -> Locale:
    from babel.core import Locale, UnknownLocaleError

    try:
        return Locale.parse(language, sep="-")
    except (UnknownLocaleError, ValueError):
        return Locale("en")
