"""Reads a stranger's message as MIME (RFC 2045), within bounds of size, depth, number and time.

By hand, because the standard library's parser recurses as deep as a message
is nested, keeps every header of a million, and asks any codec that a charset
names. What lies beyond a bound is left unread, never an error; whatever the
bytes are, a Part comes out.
"""

from __future__ import annotations

import binascii
import codecs
import html
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

#: Octets of a message that is read at all. A report returns our own copy at most, and Gmail clips that at 102 kB.
LIMIT = 4 * 1024 * 1024
#: Of one part's head: octets and fields read, characters of a value. RFC 5322 knows no limit; servers take 100 kB.
HEAD, FIELDS, VALUE = 256 * 1024, 1000, 8 * 1024
#: How deep parts may lie in parts, and how many there may be: a report needs three and four.
DEPTH, PARTS = 10, 200
#: Characters of a text that are read: what a server has to say stands at the beginning.
TEXT = 64 * 1024

_NAME = re.compile(rb"[!-9;-~]{1,80}")
_PARAMETER = re.compile(r';\s*([\w-]{1,40})\s*=\s*("(?:[^"\\]|\\.)*"|[^\s;"]+)')
_KIND = re.compile(r"[\w.+-]{1,60}/[\w.+-]{1,60}")
#: Character sets proper; among Python's other codecs are some that take a stranger hours (idna, CVE-2022-45061).
_CHARSETS = re.compile(
    r"(?:utf|ascii|iso8859|iso2022|cp\d|koi8|mac|big5|euc|gb|hz|shift_jis|tis|johab|latin)"
)
_ENCODED = re.compile(r"=\?([!->@-~]{1,60})\?([BbQq])\?([^?]*)\?=")
#: Between two encoded-words white space does not count (RFC 2047, 6.2).
_BETWEEN = re.compile(r"(?<=\?=)\s+(?==\?)")
_TAG = re.compile(r"<[^<>]*>")
_BREAK = re.compile(r"<(?:br|/p|/div|/tr|/li|/h\d)\b[^<>]*>", re.IGNORECASE)
_UNSEEN = re.compile(r"<(?:style|script)\b", re.IGNORECASE)
_SEEN_AGAIN = re.compile(r"</(?:style|script)\b[^<>]*>", re.IGNORECASE)

_ADDRESS = re.compile(r"[^\s<>()\[\];:,\"]{1,64}@[^\s<>()\[\];:,\"]{1,255}")

Fields = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Part:
    """A message, or a part of one."""

    #: "text/plain", in lower case.
    kind: str
    parameters: Mapping[str, str] = field(repr=False)
    #: Name in lower case -> its values in order, unfolded.
    fields: Fields = field(repr=False)
    #: Octets as they were transferred.
    body: bytes = field(repr=False)
    #: A multipart's parts; of a message or its headers, that message alone.
    parts: tuple[Part, ...] = ()

    def all(self, *names: str) -> list[str]:
        """Return every value of these fields."""
        return [value for name in names for value in self.fields.get(name, ())]

    def first(self, name: str) -> str:
        """Return a field's first value; "" if there is none."""
        values = self.fields.get(name, ())
        return values[0] if values else ""

    def own(self) -> Iterator[Part]:
        """Yield the part and those inside it, without what a returned or attached message holds."""
        yield self
        if self.kind.startswith("multipart/"):
            for part in self.parts:
                yield from part.own()

    def returned(self) -> list[Part]:
        """Return the messages that it has attached, or only their headers."""
        return [
            inner for part in self.own() if not part.kind.startswith("multipart/") for inner in part.parts
        ]

    def decoded(self) -> bytes:
        """Return a leaf's octets without their transfer encoding, as far as that can be undone."""
        return _octets(self.body[: 6 * TEXT], self.first("content-transfer-encoding"))

    def text(self) -> str:
        """Return a leaf's text, decoded as far as it can be, with line ends of `\\n`, at most TEXT characters."""
        text = _decode(self.decoded(), self.parameters.get("charset", ""))[: 2 * TEXT].replace("\0", " ")
        return (_without_tags(text) if self.kind == "text/html" else text)[:TEXT]

    def words(self) -> str:
        """Return all that it says itself: its plain texts, or if there are none, its HTML without the tags."""
        leaves = [part for part in self.own() if not part.parts]
        for kind in ("text/plain", "text/html"):
            texts = [part.text() for part in leaves if part.kind == kind]
            if any(text.strip() for text in texts):
                return "\n".join(texts)[:TEXT]
        return ""


def read(message: bytes) -> Part:
    """Read a message of at most LIMIT octets; never raises."""
    return _Reader().part(message[:LIMIT].replace(b"\r\n", b"\n"), 0)


def read_fields(block: bytes) -> dict[str, list[str]]:
    """Read lines of `Name: value`, unfolded; what is none is skipped."""
    lines: list[tuple[str, list[bytes]]] = []
    for line in block[:HEAD].split(b"\n"):
        if line[:1] in (b" ", b"\t"):
            if lines:
                lines[-1][1].append(line)
            continue
        name, colon, value = line.partition(b":")
        if colon and _NAME.fullmatch(name.rstrip()):
            if len(lines) == FIELDS:
                break
            lines.append((name.rstrip().decode("ascii").lower(), [value]))
    fields: dict[str, list[str]] = {}
    for field_name, pieces in lines:
        fields.setdefault(field_name, []).append(_value(b" ".join(piece.strip() for piece in pieces)))
    return fields


def addresses(values: Iterable[str]) -> tuple[str, ...]:
    """Return every address that these values hold, each once; they are hints, so odd ones may be missed."""
    # Not the standard library's getaddresses: it recurses as deep as brackets are nested.
    return tuple(dict.fromkeys(address for value in values for address in _ADDRESS.findall(value)))


def without_addresses(text: str) -> str:
    """Return a text without the addresses in it: one may be called unknown@ or spam@."""
    return _ADDRESS.sub("", text)


def shown(value: str) -> str:
    """Return a header's value with its encoded-words (RFC 2047) decoded."""
    pieces: list[str] = []
    held, charset, end = b"", "", 0
    value = _BETWEEN.sub("", value)
    for word in _ENCODED.finditer(value):
        if held and (word.start() > end or word[1].lower() != charset):
            pieces.append(_decode(held, charset))
            held = b""
        pieces.append(value[end : word.start()])
        text = word[3].encode("utf-8", "replace")
        # A letter may be cut in two by the end of a word, against the rule; so octets are joined before decoding.
        held += _base64(text) if word[2] in "Bb" else binascii.a2b_qp(text, header=True)
        charset, end = word[1].lower(), word.end()
    return "".join([*pieces, _decode(held, charset), value[end:]])


class _Reader:
    """Counts the parts of one message."""

    def __init__(self) -> None:
        self._left = PARTS

    def part(self, data: bytes, depth: int, kind: str = "text/plain") -> Part:
        self._left -= 1
        head, body = (b"", data[1:]) if data.startswith(b"\n") else _halves(data)
        fields = read_fields(head)
        kind, parameters = _content_type(fields.get("content-type", [""])[0], kind)
        parts: tuple[Part, ...] = ()
        if depth < DEPTH:
            if kind.startswith("multipart/"):
                parts = self._parts(body, parameters.get("boundary", ""), depth, kind)
            elif kind in ("message/rfc822", "message/global"):
                parts = self._inner(_octets(body, fields.get("content-transfer-encoding", [""])[0]), depth)
            elif kind in ("text/rfc822-headers", "message/rfc822-headers", "message/global-headers"):
                headers = _octets(body, fields.get("content-transfer-encoding", [""])[0])
                parts = (Part("text/plain", {}, read_fields(headers.lstrip(b"\n")), b""),)
        return Part(kind, parameters, fields, body, parts)

    def _inner(self, data: bytes, depth: int) -> tuple[Part, ...]:
        data = data.lstrip(b"\n")
        return (self.part(data, depth + 1),) if data and self._left > 0 else ()

    def _parts(self, body: bytes, boundary: str, depth: int, kind: str) -> tuple[Part, ...]:
        if not boundary:
            return ()
        default = "message/rfc822" if kind == "multipart/digest" else "text/plain"
        line = re.compile(rb"^--" + re.escape(boundary.encode("latin-1", "replace")) + rb"(--)?[ \t]*$", re.M)
        parts: list[Part] = []
        begun: int | None = None
        for mark in line.finditer(body):
            if begun is not None:
                parts.append(self.part(body[begun : max(begun, mark.start() - 1)], depth + 1, default))
            begun = mark.end() + 1
            if mark[1] or self._left <= 0:
                return tuple(parts)
        if begun is not None and begun < len(body):
            parts.append(self.part(body[begun:], depth + 1, default))  # its end was lost on the way
        return tuple(parts)


def _halves(data: bytes) -> tuple[bytes, bytes]:
    head, _, body = data.partition(b"\n\n")
    return head, body


def _content_type(value: str, default: str) -> tuple[str, dict[str, str]]:
    kind = value.partition(";")[0].strip().lower()
    parameters: dict[str, str] = {}
    for match in _PARAMETER.finditer(value):
        name, given = match[1].lower(), match[2]
        parameters.setdefault(name, re.sub(r"\\(.)", r"\1", given[1:-1]) if given.startswith('"') else given)
    return kind if _KIND.fullmatch(kind) else default, parameters


def _value(octets: bytes) -> str:
    try:
        text = octets[:VALUE].decode("utf-8")
    except UnicodeDecodeError:
        text = octets[:VALUE].decode("latin-1")
    if not text.isprintable():
        text = "".join(letter if letter.isprintable() else " " for letter in text)
    return text.strip()


def _octets(body: bytes, encoding: str) -> bytes:
    """Undo a Content-Transfer-Encoding, as far as that is possible."""
    encoding = encoding.strip().lower()
    if encoding == "base64":
        return _base64(body).replace(b"\r\n", b"\n")
    if encoding == "quoted-printable":
        return binascii.a2b_qp(body).replace(b"\r\n", b"\n")
    return body


def _base64(octets: bytes) -> bytes:
    letters = re.sub(rb"[^A-Za-z0-9+/]", b"", octets)
    letters = letters[:-1] if len(letters) % 4 == 1 else letters
    return binascii.a2b_base64(letters + b"=" * (-len(letters) % 4))


def _decode(octets: bytes, charset: str) -> str:
    name = charset.partition("*")[0].strip("\"' ").lower()
    try:
        codec = codecs.lookup(name).name if re.fullmatch(r"[a-z0-9._:-]{1,40}", name) else "utf-8"
        if not _CHARSETS.match(codec.lower()):
            codec = "utf-8"
        if codec in ("utf-8", "ascii"):
            return _utf8(octets)
        return octets.decode(codec, "replace")
    except (LookupError, ValueError):
        return _utf8(octets)


def _utf8(octets: bytes) -> str:
    try:
        return octets.decode("utf-8")
    except UnicodeDecodeError:
        return octets.decode("latin-1")


def _without_tags(text: str) -> str:
    seen, *unseen = _UNSEEN.split(text)
    text = " ".join([seen, *(_SEEN_AGAIN.split(piece, 1)[-1] for piece in unseen)])
    return html.unescape(_TAG.sub(" ", _BREAK.sub("\n", text)))
