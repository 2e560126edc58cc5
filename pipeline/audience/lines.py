"""Decodes the lines of a list, none of them longer than a row can be."""

from __future__ import annotations

import codecs
import io
from collections.abc import Generator

from pipeline.errors import AudienceError

#: No row of any list is longer, in characters.
LONGEST_LINE = 64_000


def read_lines(stream: io.BufferedReader, place: str) -> Generator[str, None, None]:
    """Yield decoded lines, their ends made one. Raises AudienceError at the line that is none."""
    encoding, errors = _encoding(stream.peek(4)[:4])
    text = io.TextIOWrapper(stream, encoding, errors, newline=None)
    number = 0
    try:
        while line := text.readline(LONGEST_LINE):
            number += 1
            if len(line) >= LONGEST_LINE and not line.endswith("\n"):
                raise AudienceError(
                    f"the line is longer than {LONGEST_LINE:,} characters", path=place, line=number
                )
            if "\0" in line:
                raise AudienceError("holds NUL: not a text file, or not in UTF-8", path=place, line=number)
            if not line.isascii():
                line.encode()
            yield line
    except UnicodeError as fault:
        raise AudienceError(
            "is not in UTF-8. Save it as “CSV UTF-8” and try again", path=place, line=number
        ) from fault
    finally:
        text.detach()


def _encoding(start: bytes) -> tuple[str, str]:
    """Return the encoding of a text that begins like this, and how to take what does not fit it."""
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16", "strict"
    # Without its mark, UTF-16 shows itself by the empty halves of the letters that every header has.
    match [byte == 0 for byte in start]:
        case [False, True, False, True]:
            return "utf-16-le", "strict"
        case [True, False, True, False]:
            return "utf-16-be", "strict"
    # surrogateescape: a byte that is no UTF-8 shows up in its very line, and is refused there.
    return "utf-8-sig", "surrogateescape"
