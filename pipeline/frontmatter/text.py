"""Turns a file's bytes into text that every later step can trust, or says where it cannot."""

from __future__ import annotations

import re
import unicodedata

from pipeline.errors import PostError

#: A post is text; five megabytes is several novels, and more is a mistake or an attack.
MAX_BYTES = 5_000_000

_BOMS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
# XML 1.0 (2.2) forbids C0 controls and U+FFFE/F, and mail headers no control at all; nobody sees them, so they go.
_CONTROL_BYTES = bytes(c for c in range(32) if c not in b"\t\n\r") + b"\x7f"
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ufffe\uffff]")
_BREAKING = frozenset("\x0b\x0c\x85\u2028\u2029")
# All white space but the spaces that typographers put there on purpose.
_SPACE = re.compile(r"[^\S\u00a0\u2007\u202f]+")


def decode(data: bytes) -> str:
    r"""Return the text of a UTF-8 (or, with its mark, UTF-16) file in NFC, with `\n` line ends and no controls.

    Raises PostError with the line at which the bytes are not text.
    """
    if len(data) > MAX_BYTES:
        raise PostError(too_large(len(data)))
    encoding = next((name for mark, name in _BOMS if data.startswith(mark)), "utf-8")
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as fault:
        line = data.count(b"\n", 0, fault.start) + 1 if encoding != "utf-16" else 1
        raise PostError("is not valid UTF-8 text. Save it as UTF-8 in your editor.", line=line) from fault
    if "\0" in text:
        line = level(text[: text.index("\0")]).count("\n") + 1
        raise PostError(
            "holds a NUL character, so it is not a text file. Delete it, or exclude the file.", line=line
        )
    text = level(text)
    if not text.isascii():
        text = unicodedata.normalize("NFC", _CONTROLS.sub(_without, text))
    elif data.translate(None, _CONTROL_BYTES) != data:
        text = _CONTROLS.sub(_without, text)
    return text


def level(text: str) -> str:
    r"""Return the text with every line end written `\n`."""
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def one_line(text: str) -> str:
    """Return the text on one line, as a title or a name is: white space collapsed, no control characters."""
    return _SPACE.sub(" ", _CONTROLS.sub(_without, text)).strip()


def too_large(size: int) -> str:
    """Say that a file is beyond the size of a post."""
    # Whoever reads stops behind the limit, and does not know how much more there is.
    is_size = f"is {size:,} bytes" if size > MAX_BYTES + 1 else f"is over {MAX_BYTES:,} bytes"
    return f"{is_size}; a post may have {MAX_BYTES:,}. Move pictures and data into files of their own."


def _without(control: re.Match[str]) -> str:
    return " " if control[0] in _BREAKING else ""
