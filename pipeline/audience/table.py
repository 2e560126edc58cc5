"""Subscribers as CSV, in and out: whatever a spreadsheet or another newsletter service writes.

One row at a time, so a million readers take no more memory than one. Importing
means that the rows have consented: they become confirmed, unless a status
column says otherwise.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, tzinfo
from pathlib import Path

from pipeline.audience.addresses import make_subscriber
from pipeline.audience.columns import Columns, cell, recognise
from pipeline.edges import Tokens
from pipeline.errors import AudienceError
from pipeline.model import Subscriber, SubscriberState

#: What our own export writes.
HEADER = ("email", "name", "status", "since")
#: No row of any list is longer, in characters.
LONGEST_LINE = 64_000
#: What may stand between two cells.
_DELIMITERS = ",;\t|"
#: Begins a formula in a spreadsheet (OWASP, CSV injection); also when quoted already.
_FORMULA = re.compile(r"'*[=+\-@\t\r]")


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """A row that cannot be used."""

    #: 1-based line on which it begins.
    line: int
    #: What is wrong, without the row itself.
    reason: str


def read(
    source: Path | io.RawIOBase | io.BufferedIOBase, now: datetime, tokens: Tokens, zone: tzinfo
) -> Iterator[Subscriber | RefusedRow]:
    """Read a list of subscribers; yields every row as a subscriber or with the reason it is refused.

    Takes UTF-8, or UTF-16 with its mark; commas, semicolons, tabs or bars;
    any line ends. Dates without a zone are in `zone`; a row without one counts
    from `now`. Raises AudienceError, with the line, where the table as a whole
    cannot be read.
    """
    place = str(source) if isinstance(source, Path) else "the list"
    try:
        if isinstance(source, Path):
            with source.open("rb") as stream:
                yield from _rows(stream, place, now, tokens, zone)
        else:
            buffered = source if isinstance(source, io.BufferedReader) else io.BufferedReader(source)
            yield from _rows(buffered, place, now, tokens, zone)
    except OSError as fault:
        raise AudienceError(f"cannot be read: {fault.strerror}", path=place) from fault


def write(people: Iterable[Subscriber], zone: tzinfo) -> Iterator[str]:
    """Yield the lines of a CSV table, header first, with CRLF (RFC 4180); `read` takes it in again.

    Cells that a spreadsheet would run as a formula get an apostrophe before them.
    """
    yield _line(HEADER)
    for person in people:
        status = person.state.value
        if person.suppressed and person.state is SubscriberState.CONFIRMED:
            status = "suppressed"
        yield _line((person.email, person.name, status, person.since.astimezone(zone).isoformat(sep=" ")))


def _line(cells: Sequence[str]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer).writerow([f"'{text}" if _FORMULA.match(text) else text for text in cells])
    return buffer.getvalue()


def _rows(
    stream: io.BufferedReader, place: str, now: datetime, tokens: Tokens, zone: tzinfo
) -> Iterator[Subscriber | RefusedRow]:
    with closing(_lines(stream, place)) as lines:
        before, header = next(
            ((number, line) for number, line in enumerate(lines, 1) if line.strip()), (0, "")
        )
        if not header:
            raise AudienceError("is empty. The first line names the columns: email,name", path=place)
        delimiter, columns = _head(header, place)
        for line, row in _cells(lines, delimiter, before, place):
            if isinstance(row, RefusedRow):
                yield row
            elif any(text.strip() for text in row):
                yield _person(row, line, columns, now, tokens, zone)


def _cells(
    lines: Iterator[str], delimiter: str, before: int, place: str
) -> Iterator[tuple[int, list[str] | RefusedRow]]:
    """Yield every row's first line and its cells."""
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        line = before + reader.line_num + 1
        try:
            yield line, next(reader)
        except StopIteration:
            return
        except csv.Error as fault:
            if "end of data" in str(fault) or "field larger" in str(fault):
                raise AudienceError(
                    "a quotation mark opens here and nothing closes it", path=place, line=line
                ) from fault
            yield line, RefusedRow(line, "quotation marks inside a cell must be doubled")


def _person(
    row: Sequence[str], line: int, columns: Columns, now: datetime, tokens: Tokens, zone: tzinfo
) -> Subscriber | RefusedRow:
    try:
        state, suppressed = columns.standing_of(row)
        since = columns.since_of(row, now, zone)
        email, name = cell(row, columns.email), _unquoted(columns.name_of(row))
        return make_subscriber(email, name, since, tokens, state, suppressed)
    except AudienceError as fault:
        return RefusedRow(line, fault.message)


def _unquoted(text: str) -> str:
    return text[1:] if text.startswith("'") and _FORMULA.match(text) else text


def _head(header: str, place: str) -> tuple[str, Columns]:
    """Find the mark between cells, and what each column holds, in the first line."""
    found = []
    for delimiter in _DELIMITERS:
        cells = next(csv.reader([header], delimiter=delimiter))
        columns = recognise(cells)
        if columns is not None:
            found.append((len(cells), delimiter, columns))
    if not found:
        what = "holds an address, but" if "@" in header else "names no column of addresses;"
        raise AudienceError(
            f"the first line {what} it must name the columns, like: email,name", path=place, line=1
        )
    _, delimiter, columns = max(found, key=lambda one: one[0])
    return delimiter, columns


def _lines(stream: io.BufferedReader, place: str) -> Generator[str, None, None]:
    """Yield decoded lines, each of bounded length. Raises AudienceError at the line that is none."""
    wide = stream.peek(2).startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    # surrogateescape: a byte that is no UTF-8 shows up in its very line, and is refused there.
    encoding, errors = ("utf-16", "strict") if wide else ("utf-8-sig", "surrogateescape")
    text = io.TextIOWrapper(stream, encoding, errors, newline=None)
    number = 0
    try:
        while line := text.readline(LONGEST_LINE):
            number += 1
            if not line.endswith("\n") and len(line) >= LONGEST_LINE:
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
