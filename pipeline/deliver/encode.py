"""Turns text into the two encodings that mail is made of: quoted-printable and encoded-words.

Written here because the standard library's are wrong where it hurts: its
quoted-printable runs to 78 columns (cpython#78206), and its encoded-words can
be talked into a line break (CVE-2024-6923) or set side by side without a
space (cpython#144156).
"""

from __future__ import annotations

import re
from base64 import b64encode

#: Columns of a quoted-printable line, without the `=` of a soft break (RFC 2045, 6.7, rule 5: 76 with it).
COLUMNS = 75
SOFT_BREAK = "=\r\n"
#: An encoded-word is at most 75 characters (RFC 2047, 2).
WORD = 75

_WORD_FRAME = len("=?utf-8?q??=")
_UNWRITABLE = re.compile("[\0\ud800-\udfff]")
_LINE_END = re.compile(r"\r\n|\r|\n")
_SURROGATES = re.compile("[\ud800-\udfff]")
#: RFC 2045, 6.7, rules 1 to 3: everything but printable ASCII without "=", space and tab is escaped.
_ESCAPES = {
    octet: f"={octet:02X}" for octet in range(256) if not (32 <= octet < 127 or octet == 9) or octet == 61
}
_TRAILING = re.compile(r"[ \t]\Z")
#: A lone dot would be doubled on its way (RFC 5321, 4.5.2), "From " turned into ">From " in a mailbox.
_LINE_START = re.compile(r"\.|F(?=rom )")
#: What needs nothing at all: most names, every token.
_PLAIN = re.compile(r"[A-EG-Za-z0-9/:_-](?:[A-Za-z0-9 ./:_-]{0,70}[A-Za-z0-9./:_-])?")
#: What "Q" may show as it is even inside a phrase (RFC 2047, 5, rule 3).
_Q_ESCAPED = re.compile(r"[^A-Za-z0-9!*+/ -]")

#: What separates words or lines in any of the world's conventions, and a run of it.
_SPACES = re.compile("[\t-\r\x1c-\x1e\x85\u2028\u2029 ]+")
#: Controls, and the marks that make a line read other than it is written (UAX #9, embeddings, overrides, isolates).
_UNSEEN = re.compile(
    "[\x00-\x08\x0e-\x1b\x1f\x7f-\x84\x86-\x9f\u202a-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb]"
)


def writable(text: str) -> str:
    """Replace what UTF-8 or a message cannot hold: NUL and lone surrogates become U+FFFD."""
    return _UNWRITABLE.sub("\ufffd", text)


def one_line(text: str) -> str:
    """Make a person's text one line: line breaks and runs of spaces become a space, unseen characters go."""
    if text.isascii() and text.isprintable() and "  " not in text:
        return text.strip()
    return _SPACES.sub(" ", _UNSEEN.sub("", _SURROGATES.sub("\ufffd", text))).strip(" ")


def quoted_printable(text: str) -> str:
    """Encode text as quoted-printable lines that may stand beside others (RFC 2045, 6.7).

    Any line end becomes CRLF. No line is over 75 characters, so a soft break
    may follow the last; none begins with a dot or "From ", none ends in white
    space, so that no relay has a reason to change a byte.
    """
    if _PLAIN.fullmatch(text):
        return text
    return "\r\n".join(_soft_broken(_escape(line)) for line in _LINE_END.split(writable(text)))


def _escape(line: str) -> str:
    octets = line.encode().decode("latin-1")
    return _TRAILING.sub(_octet, octets.translate(_ESCAPES))


def _octet(match: re.Match[str]) -> str:
    return f"={ord(match[0]):02X}"


def _soft_broken(line: str) -> str:
    """Break one escaped line into pieces of at most COLUMNS, never inside an escape."""
    pieces, at = [], 0
    while True:
        start = _LINE_START.match(line, at)
        head = _octet(start) if start else ""
        at += bool(start)
        stop = at + COLUMNS - len(head)
        if stop >= len(line):
            pieces.append(head + line[at:])
            return SOFT_BREAK.join(pieces)
        if line[stop - 1] == "=":
            stop -= 1
        elif line[stop - 2] == "=":
            stop -= 2
        pieces.append(head + line[at:stop])
        at = stop


def encoded_words(text: str, first: int = WORD) -> list[str]:
    """Encode text as encoded-words of whole characters, to be set on lines of their own (RFC 2047, 2 and 5).

    `first` is the room for the first one, where a header's name stands before
    it. Takes "Q" or "B", whichever is shorter; both may stand in a phrase.
    """
    octets = text.encode()
    kind = "q" if len(_q(octets)) <= len(octets) * 4 / 3 else "b"
    word = _word(kind, octets)
    if len(word) <= first:
        return [word]
    words: list[str] = []
    held = b""
    for character in text:
        octets = character.encode()
        if held and len(_word(kind, held + octets)) > (WORD if words else first):
            words.append(_word(kind, held))
            held = b""
        held += octets
    return [*words, _word(kind, held)]


def _word(kind: str, octets: bytes) -> str:
    return f"=?utf-8?{kind}?{_q(octets) if kind == 'q' else b64encode(octets).decode()}?="


def _q(octets: bytes) -> str:
    return _Q_ESCAPED.sub(_octet, octets.decode("latin-1")).replace(" ", "_")
