"""Subscribers as CSV, in and out: whatever a spreadsheet or another newsletter service writes.

One row at a time, so a million readers take no more memory than one. Importing
means that the rows have consented: they become confirmed, unless a column says
otherwise.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, tzinfo
from itertools import islice, repeat
from pathlib import Path

from pipeline.audience.addresses import clean_name, on_the_wire
from pipeline.audience.columns import AHEAD, ALL, WANTS, Columns, recognise
from pipeline.audience.lines import read_lines
from pipeline.audience.standing import Standing
from pipeline.edges import Tokens
from pipeline.errors import AudienceError
from pipeline.model import Preferences, Subscriber, SubscriberState

#: What our own export writes.
HEADER = ("email", "name", "status", "since", "suppressed", *WANTS)
#: What may stand between two cells.
_DELIMITERS = ",;\t|"
#: Lines that a header may take: a column's title can hold a line end.
_LONGEST_HEADER = 20
#: How some programs say what stands between cells.
_SEPARATOR = re.compile(r'"?sep=(.)"?\s*', re.IGNORECASE)
#: Begins a formula in a spreadsheet (OWASP, CSV injection), also when quoted already, and also where a spreadsheet
#: of another country sees a new cell begin.
_RISK = re.compile(r"[=+\-@\t\r\n＝＋－＠]")
_FORMULA = re.compile(r"""((?:^|[,;|])[\s"]*)('*)([=+\-@\t\r\n＝＋－＠])""")
_QUOTED = re.compile(r"""((?:^|[,;|])[\s"]*)'('*[=+\-@\t\r\n＝＋－＠])""")
#: Rows written in one go.
_BLOCK = 500


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """A row that cannot be used."""

    #: 1-based line on which it begins.
    line: int
    #: What is wrong, without the row itself.
    reason: str


def read(
    source: Path | io.RawIOBase | io.BufferedIOBase,
    now: datetime,
    tokens: Tokens,
    zone: tzinfo,
    *,
    said: Standing | None = None,
    recognised: Callable[[Columns], None] = lambda _: None,
    today: datetime | None = None,
) -> Iterator[Subscriber | RefusedRow]:
    """Read a list of subscribers; yields every row as a subscriber or with the reason it is refused.

    Takes UTF-8 or UTF-16; commas, semicolons, tabs or bars; any line ends.
    Dates without a zone are in `zone`; a row without one counts from `now`. One
    of a day after `today` (`now`, unless that is pretended) is refused.
    `said` is true of rows that say nothing else; `recognised` is told what the
    columns hold before the first row. Raises AudienceError, with the line,
    where the table as a whole cannot be read.
    """
    latest = (today or now) + AHEAD
    place = str(source) if isinstance(source, Path) else "the list"
    try:
        if isinstance(source, Path):
            with source.open("rb") as stream:
                yield from _Table(stream, place, said, recognised).people(now, tokens, zone, latest)
        else:
            buffered = source if isinstance(source, io.BufferedReader) else io.BufferedReader(source)
            yield from _Table(buffered, place, said, recognised).people(now, tokens, zone, latest)
    except OSError as fault:
        raise AudienceError(f"cannot be read: {fault.strerror}", path=place) from fault


def write(people: Iterable[Subscriber], zone: tzinfo) -> Iterator[str]:
    """Yield a CSV table in blocks of lines, header first, with CRLF (RFC 4180); `read` takes it in again.

    Cells that a spreadsheet would run as a formula get an apostrophe before them.
    """
    rows = map(_row, people, repeat(zone))
    yield _block([HEADER])
    while block := list(islice(rows, _BLOCK)):
        yield _block(block)


def _row(person: Subscriber, zone: tzinfo) -> Sequence[str]:
    status = person.state.value
    if person.suppressed and person.state is SubscriberState.CONFIRMED:
        # Who reads this with another program must not mail them either.
        status = "suppressed"
    since = person.since.astimezone(zone).isoformat(sep=" ")
    cells = (person.email, _guarded(person.name), status, since, _guarded(person.suppressed or ""))
    wants = person.preferences
    if wants is ALL or wants == ALL:
        return (*cells, "", "", "")
    until = wants.paused_until.astimezone(zone).isoformat(sep=" ") if wants.paused_until else ""
    return (*cells, _guarded(wants.choice), "yes" if wants.feed_only else "", until)


def _block(rows: Iterable[Sequence[str]]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer).writerows(rows)
    return buffer.getvalue()


def _guarded(text: str) -> str:
    """Put an apostrophe before what a spreadsheet would run; `_unguarded` takes exactly these away again."""
    return _FORMULA.sub(r"\1'\2\3", text) if _RISK.search(text) else text


def _unguarded(text: str) -> str:
    return _QUOTED.sub(r"\1\2", text) if "'" in text else text


class _Table:
    """One list, opened."""

    def __init__(
        self,
        stream: io.BufferedReader,
        place: str,
        said: Standing | None,
        recognised: Callable[[Columns], None],
    ) -> None:
        self._stream = stream
        self._place = place
        self._said = said
        self._recognised = recognised

    def people(
        self, now: datetime, tokens: Tokens, zone: tzinfo, latest: datetime
    ) -> Iterator[Subscriber | RefusedRow]:
        """Yield every row that is not empty."""
        with closing(read_lines(self._stream, self._place)) as lines:
            delimiter, columns, before = self._head(lines)
            self._recognised(columns)
            for line, row in _cells(lines, delimiter, before, self._place):
                if isinstance(row, RefusedRow):
                    yield row
                elif any(text.strip() for text in row):
                    yield _person(row, line, columns, now, tokens, zone, latest)

    def _head(self, lines: Iterator[str]) -> tuple[str, Columns, int]:
        """Find the mark between cells and what each column holds; return the lines it took, too."""
        marks, before = _DELIMITERS, 0
        for line in lines:
            before += 1
            separator = _SEPARATOR.fullmatch(line)
            if separator:
                marks = separator[1]
            elif line.strip():
                break
        else:
            raise AudienceError("is empty. The first line names the columns: email,name", path=self._place)
        header = line
        for more in islice(lines, _LONGEST_HEADER if header.count('"') % 2 else 0):
            header += more
            before += 1
            if not header.count('"') % 2:
                break
        return *self._understood(header, marks), before

    def _understood(self, header: str, marks: str) -> tuple[str, Columns]:
        found = []
        for mark in marks:
            cells = next(csv.reader(io.StringIO(header, newline=""), delimiter=mark))
            columns = recognise(cells, self._place, self._said)
            if columns is not None:
                found.append((len(cells), mark, columns))
        if not found:
            what = "holds an address, but" if "@" in header else "names no column of addresses;"
            raise AudienceError(
                f"the first line {what} it must name the columns, like: email,name", path=self._place, line=1
            )
        _, mark, columns = max(found, key=lambda one: one[0])
        return mark, columns


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
    row: Sequence[str],
    line: int,
    columns: Columns,
    now: datetime,
    tokens: Tokens,
    zone: tzinfo,
    latest: datetime,
) -> Subscriber | RefusedRow:
    try:
        standing = columns.standing_of(row)
        since = columns.since_of(row, standing, now, zone, latest)
        address = on_the_wire(columns.email_of(row))
        if columns.service.gone and address.endswith(columns.service.gone):
            return RefusedRow(line, "the service has forgotten this person at their request")
        name = _name(columns.name_of(row), standing)
        wants = _wants(columns, row, standing, zone)
    except AudienceError as fault:
        return RefusedRow(line, fault.message)
    reason = standing.suppressed and _unguarded(standing.suppressed)
    return Subscriber(tokens.uid(address), address, name, standing.state, since, reason, wants)


def _name(text: str, standing: Standing) -> str:
    """Return the name; whoever must not be mailed is not refused for theirs. Raises AudienceError."""
    try:
        return clean_name(_unguarded(text))
    except AudienceError:
        if standing.gets_nothing:
            return ""
        raise


def _wants(columns: Columns, row: Sequence[str], standing: Standing, zone: tzinfo) -> Preferences:
    """Return what somebody has chosen; whoever must not be mailed is not refused for that. Raises AudienceError."""
    try:
        return columns.wants_of(row, zone)
    except AudienceError:
        if standing.gets_nothing:
            return ALL
        raise
