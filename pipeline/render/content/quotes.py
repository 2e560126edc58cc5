"""Quotation marks as each language writes them."""

from __future__ import annotations

_NARROW = "\u202f"
_ENGLISH = ("“", "”", "‘", "’")
_LOW = ("„", "“", "‚", "‘")
_LOW_HIGH = ("„", "”", "‚", "’")
_GUILLEMETS = ("«", "»", "“", "”")
#: Language or language-region -> double and single marks, opening and closing (CLDR, "delimiters").
_QUOTES: dict[str, tuple[str, str, str, str]] = {
    **dict.fromkeys(("de", "cs", "sk", "sl", "bg", "is", "lt", "et", "sq", "ka"), _LOW),
    **dict.fromkeys(("pl", "ro", "hu", "hr", "bs", "sr"), _LOW_HIGH),
    **dict.fromkeys(("es", "it", "pt", "ca", "gl", "el"), _GUILLEMETS),
    **dict.fromkeys(("ru", "uk", "be"), ("«", "»", "„", "“")),
    **dict.fromkeys(("no", "nb", "nn"), ("«", "»", "‘", "’")),
    **dict.fromkeys(("sv", "fi"), ("”", "”", "’", "’")),
    **dict.fromkeys(("de-ch", "it-ch", "de-li"), ("«", "»", "‹", "›")),
    "fr": (f"«{_NARROW}", f"{_NARROW}»", "“", "”"),
    "fr-ch": ("«", "»", "‹", "›"),
    "da": ("»", "«", "›", "‹"),
    "ja": ("「", "」", "『", "』"),
    "zh-tw": ("「", "」", "『", "』"),
    "zh-hk": ("「", "」", "『", "』"),
    "zh-hant": ("「", "」", "『", "』"),
    "pt-br": _ENGLISH,
    "es-mx": _ENGLISH,
}


def quotes(language: str) -> list[str]:
    """Return the four marks of a language tag (BCP 47): double open, double close, single open, single close."""
    parts = language.lower().split("-")
    while parts:
        marks = _QUOTES.get("-".join(parts))
        if marks:
            return list(marks)
        parts.pop()
    return list(_ENGLISH)
