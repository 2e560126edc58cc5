"""Writes dates the way people read them, in the newsletter's language."""

from __future__ import annotations

from datetime import date
from functools import lru_cache


@lru_cache(maxsize=4096)
def long_date(day: date, language: str) -> str:
    """Return "September 22, 2018" for `en`, "22. September 2018" for `de`; English where Babel lacks the language."""
    from babel.core import Locale, UnknownLocaleError
    from babel.dates import format_date

    try:
        locale = Locale.parse(language, sep="-")
    except (UnknownLocaleError, ValueError):
        locale = Locale("en")
    return format_date(day, format="long", locale=locale)
