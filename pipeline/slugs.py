"""Turns titles and names into the last part of an address."""

from __future__ import annotations

import re
import unicodedata
from itertools import pairwise

# Only after Latin letters: the mark of a Cyrillic й or a Greek ή belongs to the letter.
_LATIN_ACCENTS = re.compile("(?<=[A-Za-z\u00c0-\u024f])[\u0300-\u036f]+")


def slugify(text: str) -> str:
    """Return lower-case words joined by hyphens: "Sleep & “weather”" -> "sleep-weather".

    Latin letters lose their accents; other scripts keep their letters (in NFC),
    which a URL carries percent-encoded. May return "".
    """
    plain = _LATIN_ACCENTS.sub("", unicodedata.normalize("NFKD", text))
    plain = unicodedata.normalize("NFC", plain).casefold().replace("'", "").replace("’", "")
    letters = ("-" if not _belongs(c, before) else c for before, c in pairwise(f"-{plain}"))
    return re.sub("-+", "-", "".join(letters)).strip("-")


def _belongs(c: str, before: str) -> bool:
    # In many scripts a word's vowels are marks: alone they are nothing, after a letter they are part of it.
    return c.isalnum() or (_is_mark(c) and (before.isalpha() or _is_mark(before)))


def _is_mark(c: str) -> bool:
    return c > "\x7f" and unicodedata.category(c)[0] == "M" and not "\ufe00" <= c <= "\ufe0f"
