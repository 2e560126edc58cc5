"""Makes what others wrote, a mail server or a list, fit to be kept or shown: one line, not too long, naming nobody."""

from __future__ import annotations

import re
from collections.abc import Sequence

LONGEST = 500
#: Stands where something was said that is nobody's business.
HIDDEN = "[...]"

#: Addresses, in angle brackets or bare, quoted local parts included, also as VERP and logs write them (user=host).
_ADDRESS = re.compile(r'<[^<>]*>|(?:"[^"]*"|[^\s"<>()\[\]:;,]+)?@[^\s"<>():;,]*')


def clean(text: bytes, hide: Sequence[str] = ()) -> str:
    """Return a reply's text without addresses, without the words of `hide`, without control characters."""
    plain = text.decode("utf-8", "replace")
    if not plain.isprintable():
        plain = "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in plain)
    plain = plain[: 4 * LONGEST]
    if "@" in plain or "<" in plain:
        plain = _ADDRESS.sub(HIDDEN, plain)
    lower = plain.lower()
    for word in hide:
        if word and word.lower() in lower:
            plain = re.sub(rf"(?<!\w){re.escape(word)}(?!\w)", HIDDEN, plain, flags=re.IGNORECASE)
    return plain if len(plain) <= LONGEST else plain[: LONGEST - 1] + "…"


def quoted(cell: str, longest: int = 40) -> str:
    """Return the beginning of a list's cell in quotation marks; in a wrong column it may be somebody's address."""
    # Before it is cut: half an address would not be known for one.
    return repr(clean(cell.strip()[: 4 * LONGEST].encode("utf-8", "replace"))[:longest])
