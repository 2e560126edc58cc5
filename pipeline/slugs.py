"""Turns titles and names into the last part of an address."""

from __future__ import annotations

import re
import unicodedata


def slugify(text: str) -> str:
    """Return lower-case words joined by hyphens: "Sleep & “weather”" -> "sleep-weather".

    Latin letters lose their accents; other scripts keep their letters (in NFC),
    which a URL carries percent-encoded. May return "".
    """
    plain = "".join(c for c in unicodedata.normalize("NFKD", text) if not ("\u0300" <= c <= "\u036f"))
    plain = unicodedata.normalize("NFC", plain).casefold().replace("'", "").replace("’", "")
    return re.sub(r"[\W_]+", "-", plain).strip("-")
