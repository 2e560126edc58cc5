r"""Writes a message's header lines, and reads them again as a stranger would.

By hand, because the standard library's EmailMessage turns a long
List-Unsubscribe into encoded-words, and one-click silently dies
(cpython#85725); and because a person's text must never become a header, an
address or a line of its own.

A value here is what stands after `Name:`, with its leading space and its folds
(`\r\n `).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from email.utils import format_datetime
from itertools import groupby
from urllib.parse import quote, urlsplit, urlunsplit

from pipeline.deliver.encode import WORD, encoded_words, one_line
from pipeline.errors import AudienceError, NewsletterError

#: Where lines are folded (RFC 5322, 2.1.1), and where those with an encoded-word are (RFC 2047, 2).
FOLD = 78
FOLD_ENCODED = 76
#: What no line may pass (RFC 5322, 2.1.1).
LINE_LIMIT = 998

_ATEXT = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
#: A phrase that needs no quotes: atoms and single spaces (RFC 5322, 3.2.3).
_ATOMS = re.compile(rf"{_ATEXT}(?: {_ATEXT})*")
_DOT_ATOM = re.compile(rf"{_ATEXT}(?:\.{_ATEXT})*")
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_DOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
#: An address that needs no work, as nearly all do (RFC 5321, 4.5.3.1 for the lengths).
_ADDRESS = re.compile(rf"(?=[^@]{{1,64}}@.{{1,253}}\Z){_DOT_ATOM.pattern}@{_DOMAIN.pattern}")
_LITERAL = re.compile(r"\[[A-Za-z0-9.:]+\]")
#: The letters of a URI (RFC 3986, 2); what is not among them is percent-encoded.
_URI = "%/:?#[]@!$&'()*+,;=-._~"

#: Every header an issue's copy has, each once and in this order; Reply-To only where one is set.
NAMES = (
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "Reply-To",
    "List-Id",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
    "List-Archive",
    "Feedback-ID",
    "MIME-Version",
    "Content-Type",
)
#: The same for a single mail; those of a list only where one can leave it.
LETTER_NAMES = (*NAMES[: NAMES.index("List-Archive")], "Auto-Submitted", "MIME-Version", "Content-Type")
_VALUE = r"(?: |\r\n )[^\r\n\0]+(?:\r\n [^\r\n\0]+)*\r\n"
_FIELD = re.compile(rf"([!-9;-~]+):({_VALUE})".encode())
_BLOCK = re.compile(
    ("".join(f"(?:{n}:{_VALUE})?" if n == "Reply-To" else f"{n}:{_VALUE}" for n in NAMES) + r"\r\n").encode()
)


def fold(name: str, words: Sequence[str]) -> str:
    """Set words after a header's name, on as few lines as they fit; a word is never broken."""
    limit = FOLD_ENCODED if any(word.startswith("=?") for word in words) else FOLD
    value, column = "", len(name) + 1
    for word in words:
        if column + 1 + len(word) > limit:
            value, column = value + "\r\n", 0
        value, column = f"{value} {word}", column + 1 + len(word)
    return value


def unstructured(name: str, text: str) -> str:
    """Return a header value that shows a person's text (RFC 5322, 2.2.1)."""
    return fold(name, _words(name, one_line(text)))


def mailbox(name: str, display: str, address: str) -> str:
    """Return a header value with one mailbox (RFC 5322, 3.4); without a display name, the address alone."""
    return named(name, display, f"<{address}>") if one_line(display) else fold(name, [address])


def named(name: str, display: str, bracketed: str) -> str:
    """Return a header value that gives a name to something in angle brackets."""
    return fold(name, [*phrase(name, one_line(display)), bracketed])


def phrase(name: str, text: str) -> list[str]:
    """Turn a name into atoms, one quoted-string, or encoded-words (RFC 5322, 3.2.5; RFC 2047, 5)."""
    if _ATOMS.fullmatch(text):
        return _words(name, text)
    if text.isascii() and "=?" not in text:
        quoted = '"' + re.sub(r'(["\\])', r"\\\1", text) + '"'
        if len(quoted) < FOLD_ENCODED - len(name) - 1:
            return [quoted]
    if "=?" in text:
        return encoded_words(text, FOLD_ENCODED - len(name) - 2)
    # Plain words stay plain: between two encoded-words of a phrase some readers, CPython among them, show a space.
    words: list[str] = []
    for plain, run in groupby(text.split(" "), lambda word: bool(_ATOMS.fullmatch(word))):
        together = list(run)
        room = WORD if words else FOLD_ENCODED - len(name) - 2
        words += together if plain else encoded_words(" ".join(together), room)
    return words


def _words(name: str, text: str) -> list[str]:
    words = text.split(" ")
    room = FOLD_ENCODED - len(name) - 2
    # "=?" in people's text could pass for an encoded-word, and its decoded form for a line break: encoded whole.
    if text.isascii() and "=?" not in text and max(map(len, words)) <= room:
        return words
    return encoded_words(text, min(room, WORD))


def address(email: str) -> str:
    """Return an address as header and envelope write it: the domain in ASCII (RFC 5890), the local part as it is.

    A local part outside ASCII stays so (RFC 6531); one with specials is
    quoted. Raises AudienceError, without the address, for one that cannot be
    written.
    """
    if _ADDRESS.fullmatch(email):
        return email
    local, _, host = email.rpartition("@")
    host = ascii_host(host)
    if not (local and len(host) < 254 and (_DOMAIN.fullmatch(host) or _LITERAL.fullmatch(host))):
        raise AudienceError("the address has no local part or no domain that mail can go to")
    if not local.isprintable() or set(local) & set(' "\\') or len(local.encode()) > 64:
        raise AudienceError("the address has characters that no message can hold, or is too long")
    # RFC 6532, 3.2: letters outside ASCII count as atom text.
    plain = _DOT_ATOM.fullmatch(re.sub(r"[^\x00-\x7f]", "x", local))
    return f"{local}@{host}" if plain else f'"{local}"@{host}'


def ascii_host(host: str) -> str:
    """Return a host name's ASCII form (IDNA 2008 with UTS #46); "" if it has none."""
    if host.isascii():
        return host
    # Not the "idna" codec: its IDNA 2003 writes straße.de as strasse.de, which is someone else's.
    import idna

    try:
        return idna.encode(host, uts46=True).decode("ascii")
    except idna.IDNAError:
        return ""


def uri(url: str) -> str:
    """Return an http(s) address in the letters of RFC 3986: no space, bracket or foreign letter is left."""
    parts = urlsplit(one_line(url))
    name = parts.hostname or ""
    host = (f"[{name}]" if ":" in name else ascii_host(name)) + (f":{parts.port}" if parts.port else "")
    path, query, fragment = (quote(part, safe=_URI) for part in (parts.path, parts.query, parts.fragment))
    return urlunsplit((parts.scheme, host, path, query, fragment))


def date(moment: datetime) -> str:
    """Return a moment with its own offset (RFC 5322, 3.3)."""
    return " " + format_datetime(moment)


def read_block(message: bytes) -> list[tuple[str, str]]:
    """Read the header block of a message strictly: names and raw values, in order.

    Raises NewsletterError for anything but `Name: value` lines with CRLF,
    folded by one space before visible text, within RFC 5322's limits.
    """
    end = message.find(b"\r\n\r\n") + 2
    at, fields = 0, []
    while at < end:
        match = _FIELD.match(message, at, end)
        if match is None:
            raise NewsletterError(f"the message's header block cannot be read at octet {at}")
        fields.append((match[1].decode("ascii"), match[2].decode("utf-8").removesuffix("\r\n")))
        at = match.end()
    lines = message[:end].split(b"\r\n")
    if not fields or any(len(line) > LINE_LIMIT or line.isspace() for line in lines):
        raise NewsletterError("the message's header block has a line that is too long or empty")
    return fields


def demand_exact(message: bytes) -> None:
    """Raise NewsletterError unless the header block is NAMES, in order, and nothing else; costs about 2 µs."""
    if _BLOCK.match(message) is None:
        raise NewsletterError("a message's headers are not the ones that were set; it was not handed over")
