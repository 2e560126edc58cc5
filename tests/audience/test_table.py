"""Lists come in as other people's programs wrote them, and go out so that no spreadsheet runs them."""

from __future__ import annotations

import contextlib
import csv
import io
import itertools
import time
import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.audience.table import RefusedRow, read, write
from pipeline.audience.tokens import InstallationTokens
from pipeline.errors import AudienceError
from pipeline.model import NO_REASON, Preferences, Subscriber, SubscriberState

Rows = Callable[[bytes], list[Subscriber | RefusedRow]]
ZONE = ZoneInfo("America/New_York")
NOW = datetime(2026, 11, 22, 9, 0, tzinfo=ZONE)
TOKENS = InstallationTokens(b"a secret that is long enough")
S = SubscriberState


def people(rows: list[Subscriber | RefusedRow]) -> list[tuple[str, str]]:
    return [
        (row.email, row.name) if isinstance(row, Subscriber) else (f"line {row.line}", row.reason)
        for row in rows
    ]


def test_who_stands_in_a_list_has_consented(rows: Rows) -> None:
    (ana,) = rows(b"email,name\nana@example.com,Ana\n")
    assert ana == Subscriber(TOKENS.uid("ana@example.com"), "ana@example.com", "Ana", S.CONFIRMED, NOW)


@pytest.mark.parametrize(
    "content",
    [
        b"email,name\nana@example.com,Zo\xc3\xab\n",
        b"email,name\r\nana@example.com,Zo\xc3\xab\r\n",
        b"email,name\rana@example.com,Zo\xc3\xab\r",
        b"email,name\nana@example.com,Zo\xc3\xab",
        b"\xef\xbb\xbfemail,name\nana@example.com,Zo\xc3\xab\n",
        b"\n\nemail,name\n\n\nana@example.com,Zo\xc3\xab\n , \n\n",
        b"name;E-Mail\nZo\xc3\xab;ana@example.com\n",
        b"Email Address\tName\nana@example.com\tZo\xc3\xab\n",
        b'"name","note","email_address"\n"Zo\xc3\xab","likes ; and , and ""quotes""","ana@example.com"\n',
        b"First Name,Last Name,EMAIL\nZo\xc3\xab,,ana@example.com\n",
        "E-Mail-Adresse;Vorname;Nachname\nana@example.com;Zoë;\n".encode(),
        "Nom;Prénom;Adresse e-mail\n;Zoë;ana@example.com\n".encode(),
        "Nom,Courriel\nZoë,ana@example.com\n".encode(),
        "Nombre,Apellidos,Correo electrónico\nZoë,,ana@example.com\n".encode(),
        b"email,fname,lname\nana@example.com,,Zo\xc3\xab\n",
        "email,name\nana@example.com,Zoë\n".encode("utf-16"),
        "email;name\r\nana@example.com;Zoe\u0308\r\n".encode("utf-16"),
        b"\xfe\xff" + "email,name\nana@example.com,Zoë\n".encode("utf-16-be"),
        "email,name\nana@example.com,Zoë\n".encode("utf-16-le"),
        "email,name\nana@example.com,Zoë\n".encode("utf-16-be"),
        b"sep=;\r\nemail;name\r\nana@example.com;Zo\xc3\xab\r\n",
    ],
)
def test_every_program_s_way_of_writing_a_list_is_read(rows: Rows, content: bytes) -> None:
    assert people(rows(content)) == [("ana@example.com", "Zoë")]


@pytest.mark.parametrize(
    ("row", "name"),
    [
        ("Anna;Müller", "Anna Müller"),
        ("Anna;Anna Müller", "Anna Müller"),
        (";Müller", "Müller"),
        ("Anna;", "Anna"),
    ],
)
def test_a_first_name_beside_a_name_that_lacks_it_is_put_before_it(rows: Rows, row: str, name: str) -> None:
    content = f"Vorname;Name;E-Mail\n{row};ana@example.com\n".encode()
    assert people(rows(content)) == [("ana@example.com", name)]


@pytest.mark.parametrize(
    ("word", "state", "suppressed"),
    [
        ("", S.CONFIRMED, None),
        ("Subscribed", S.CONFIRMED, None),
        ("active", S.CONFIRMED, None),
        ("enabled", S.CONFIRMED, None),
        ("confirmed", S.CONFIRMED, None),
        ("pending", S.UNCONFIRMED, None),
        ("Unconfirmed", S.UNCONFIRMED, None),
        ("unsubscribed", S.UNSUBSCRIBED, None),
        ("Opted Out", S.UNSUBSCRIBED, None),
        ("left", S.UNSUBSCRIBED, None),
        ("cleaned", S.CONFIRMED, "bounced"),
        ("hard-bounced", S.CONFIRMED, "bounced"),
        ("complained", S.UNSUBSCRIBED, "complained"),
        ("suppressed", S.CONFIRMED, NO_REASON),
    ],
)
def test_a_status_column_says_otherwise(rows: Rows, word: str, state: S, suppressed: str | None) -> None:
    (row,) = rows(f"email,Status\nana@example.com,{word}\n".encode())
    assert isinstance(row, Subscriber)
    assert (row.state, row.suppressed) == (state, suppressed)


def test_a_status_nobody_knows_is_refused_and_not_taken_for_consent(rows: Rows) -> None:
    (row,) = rows(b"email,status\nana@example.com,purchased\n")
    assert isinstance(row, RefusedRow)
    assert row.line == 2
    assert "'purchased' is not known" in row.reason


@pytest.mark.parametrize(
    ("head", "text", "since"),
    [
        ("OPTIN_TIME", "2020-03-04 05:06:07", datetime(2020, 3, 4, 5, 6, 7, tzinfo=ZONE)),
        ("confirm_time", "2020-03-04T05:06:07Z", datetime(2020, 3, 4, 5, 6, 7, tzinfo=UTC)),
        ("created_at", "2020-03-04 05:06:07 UTC", datetime(2020, 3, 4, 5, 6, 7, tzinfo=UTC)),
        ("since", "2020-03-04", datetime(2020, 3, 4, tzinfo=ZONE)),
        ("since", "", NOW),
        ("confirmed", "yes", NOW),
    ],
)
def test_the_day_somebody_agreed_is_kept(rows: Rows, head: str, text: str, since: datetime) -> None:
    (row,) = rows(f"email,{head}\nana@example.com,{text}\n".encode())
    assert isinstance(row, Subscriber)
    assert row.since == since


def test_a_column_confirmed_that_says_no_is_heeded(rows: Rows) -> None:
    (row,) = rows(b"email,confirmed\nana@example.com,0\n")
    assert isinstance(row, Subscriber)
    assert row.state is S.UNCONFIRMED


@pytest.mark.parametrize("text", ["1/2/2020", "yesterday", "0001-01-01", "9999-12-31 23:59", "2020-02-30"])
def test_a_day_that_can_be_read_two_ways_or_none_is_refused(rows: Rows, text: str) -> None:
    (row,) = rows(f"email,since\nana@example.com,{text}\n".encode())
    assert isinstance(row, RefusedRow)
    assert "is not a date" in row.reason


@pytest.mark.parametrize("text", ["2026-11-24", "2027-01-01 08:00", "2124-05-05"])
def test_nobody_has_agreed_on_a_day_to_come(rows: Rows, text: str) -> None:
    (refused, bo, left) = rows(
        f"email,confirmed_at,unsubscribed_at\nana@example.com,{text},\n"
        f"bo@example.com,2026-11-23 08:00,\ncy@example.com,,{text}\n".encode()
    )
    assert refused == RefusedRow(2, f"'{text}' is a day to come; write the day they agreed")
    # In the east it is Monday already.
    assert bo.since == datetime(2026, 11, 23, 8, tzinfo=ZONE)
    assert (left.state, left.since) == (S.UNSUBSCRIBED, NOW)


def test_a_column_that_says_who_left_in_another_language_is_told_of(tmp_path: Path) -> None:
    path, told = tmp_path / "list.csv", []
    path.write_text("E-Mail-Adresse;Abgemeldet am\nana@example.com;2024-05-05\n", encoding="utf-8")
    list(read(path, NOW, TOKENS, ZONE, recognised=told.append))
    assert told[0].ignored == ("Abgemeldet am",)


def test_a_wish_that_cannot_be_read_refuses_its_row_and_nobody_who_left(rows: Rows) -> None:
    head = "email,name,status,since,suppressed,categories,feed_only,paused_until"
    people = [
        "ana@example.com,,confirmed,,,,,2026-13-45",
        "bo@example.com,,unsubscribed,,,bread,,2026-13-45",
        "cy@example.com,,suppressed,,bounced,,,2026-13-45",
        "di@example.com,,confirmed,,,bread,,",
    ]
    refused, *others = rows("\n".join([head, *people]).encode())
    assert (refused.line, refused.reason[:26]) == (2, "'2026-13-45' is not a date")
    assert [(one.state, one.suppressed, one.preferences) for one in others] == [
        (S.UNSUBSCRIBED, None, Preferences()),
        (S.CONFIRMED, "bounced", Preferences()),
        (S.CONFIRMED, None, Preferences(("bread",))),
    ]


@pytest.mark.parametrize("long", ["", "a" * 60])
@pytest.mark.parametrize("head", ["email,status", "email,confirmed_at", "email,active"])
def test_an_address_in_a_wrong_column_is_not_repeated(rows: Rows, head: str, long: str) -> None:
    (refused,) = rows(f"{head}\nAna,{long}ana@example.org\n".encode())
    assert isinstance(refused, RefusedRow)
    assert "ana" not in refused.reason
    assert "[...]" in refused.reason


def test_rows_that_cannot_be_used_are_named_by_their_line_and_the_rest_is_taken(rows: Rows) -> None:
    content = (
        b'email,name\nana@example.com,Ana\nnobody,N\nbo@example.com,"two\nlines"\n\n'
        b'cy@example.com,"a"b\n=cmd|x@example.com,Eve\ndi@example.com,Di\neve@example.com\n'
    )
    found = people(rows(content))
    assert [one for one in found if one[0].startswith("line")] == [
        ("line 3", "an address has an @ in it, like ana@example.org"),
        ("line 4", "the name takes more than one line"),
        ("line 7", "quotation marks inside a cell must be doubled"),
        ("line 8", "the part before the @ is none that a mailbox has; it looks like a formula or a command"),
    ]
    assert [one for one in found if not one[0].startswith("line")] == [
        ("ana@example.com", "Ana"),
        ("di@example.com", "Di"),
        ("eve@example.com", ""),
    ]


def test_a_reason_never_repeats_the_address(rows: Rows) -> None:
    for row in rows(b"email,name\nana secret@example.com,Ana\nsecret\x01@example.com,x\n"):
        assert isinstance(row, RefusedRow)
        assert "secret" not in row.reason


@pytest.mark.parametrize(
    ("content", "line", "reason"),
    [
        (b"", None, "is empty"),
        (b"\n\n", None, "is empty"),
        (b"ana@example.com\nbo@example.com\n", 1, "holds an address, but it must name the columns"),
        (b"name,age\nAna,3\n", 1, "names no column of addresses"),
        (b"email,name\nana@example.com,Ana\nbo@example.com,Zo\xeb\n", 3, "is not in UTF-8"),
        (b"email,name\nana@example.com,\0\n", 2, "NUL"),
        ("email,name\nana@example.com,Ana\n".encode("utf-16")[:-1], None, "is not in UTF-8"),
        (b"\x89PNG\r\n\x1a\n\0\0\0", None, "not in UTF-8|NUL|names no column"),
        (b'email,name\nana@example.com,Ana\nbo@example.com,"Bo\ncy@example.com,Cy\n', 3, "nothing closes it"),
        (b'email,name\nbo@example.com,"' + b"x,y\n" * 60_000, 2, "nothing closes it"),
    ],
)
def test_what_is_no_list_is_refused_at_its_line(
    rows: Rows, content: bytes, line: int | None, reason: str
) -> None:
    with pytest.raises(AudienceError, match=reason) as refused:
        rows(content)
    assert refused.value.path.endswith("list.csv")
    if line is not None:
        assert refused.value.line == line


def test_a_list_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(AudienceError, match=r"nowhere\.csv: cannot be read"):
        list(read(tmp_path / "nowhere.csv", NOW, TOKENS, ZONE))


def test_an_endless_line_is_refused_without_being_read_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    with path.open("wb") as file:
        file.write(b"email,name\n")
        file.truncate(1 << 30)  # a gigabyte of nothing, and no line end
    before = time.process_time()
    tracemalloc.start()
    with pytest.raises(AudienceError, match=r"longer than|NUL"):
        list(read(path, NOW, TOKENS, ZONE))
    assert tracemalloc.get_traced_memory()[1] < 10_000_000
    tracemalloc.stop()
    assert time.process_time() - before < 2


def test_a_cell_without_end_is_refused_without_being_read_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    with path.open("wb") as file:
        file.write(b'email,name\nana@example.com,"')
        for _ in range(64):
            file.write(b"and so on, line after line\n" * 40_000)  # 66 MB
    tracemalloc.start()
    with pytest.raises(AudienceError, match="nothing closes it"):
        list(read(path, NOW, TOKENS, ZONE))
    assert tracemalloc.get_traced_memory()[1] < 10_000_000
    tracemalloc.stop()


def test_a_long_list_takes_no_more_memory_than_a_short_one() -> None:
    class Endless(io.RawIOBase):
        left = 4_000

        def readable(self) -> bool:
            return True

        def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
            if not self.left:
                return 0
            self.left -= 1
            line = b"email,name\n" if self.left == 3_999 else b"reader%d@example.com,Reader\n" % self.left
            buffer[: len(line)] = line
            return len(line)

    tracemalloc.start()
    assert sum(1 for _ in read(io.BufferedReader(Endless()), NOW, TOKENS, ZONE)) == 3_999
    assert tracemalloc.get_traced_memory()[1] < 3_000_000
    tracemalloc.stop()


#: Names that a spreadsheet would run, also one that sees cells end at semicolons, and some that look like guards.
EVIL = [
    "=1+1",
    "+49 30",
    "-",
    "@home",
    "'=1+1",
    "''=x",
    "=cmd|'/C calc'!A0",
    "Ana;=1+1",
    "Ana, -1",
    'Ana;"=1+1"',
    "Ana;'=1",
    "＝1+1",
    '"=1"',
]


def test_an_export_is_imported_as_it_was(rows: Rows) -> None:
    since = datetime(2025, 7, 1, 12, 30, 15, 250_000, tzinfo=UTC)
    names = ["Ana", "", 'Bo, the "first"', "O'Neill", "Zoë; 例え", "'", *EVIL]
    reasons = [None, "bounced", "complained", NO_REASON, "three soft bounces in 30 days", "=1+1"]
    wants = [
        *(Preferences(), Preferences(("bread", "例え")), Preferences((), True)),
        *(Preferences(("bread",), True, since), Preferences((), False, since)),
    ]
    around = (itertools.cycle(one) for one in (S, reasons, wants))
    out = [
        Subscriber(TOKENS.uid(f"r{n}@example.com"), f"r{n}@example.com", name, state, since, reason, chosen)
        for n, (name, state, reason, chosen) in enumerate(zip(names * 15, *around, strict=False))
    ]
    assert rows("".join(write(out, ZONE)).encode()) == out


def test_a_program_that_reads_only_the_status_does_not_mail_the_suppressed() -> None:
    out = [
        Subscriber("0" * 32, "a@example.com", "", state, NOW, reason)
        for state in S
        for reason in (None, "bounced")
    ]
    table = list(csv.DictReader(io.StringIO("".join(write(out, ZONE)), newline="")))
    assert [row["status"] for row in table] == [
        *("unconfirmed", "unconfirmed", "confirmed", "suppressed", "unsubscribed", "unsubscribed")
    ]


@pytest.mark.parametrize("mark", ",;|\t")
def test_no_cell_of_an_export_is_run_by_a_spreadsheet_wherever_it_sees_cells_end(mark: str) -> None:
    out = [Subscriber("0" * 32, "a@example.com", name, S.CONFIRMED, NOW, name) for name in EVIL]
    table = csv.reader(io.StringIO("".join(write(out, ZONE)), newline=""), delimiter=mark)
    assert {cell for row in table for cell in row if cell.strip().startswith(tuple("=+-@＝＋－＠"))} == set()


@given(st.text(alphabet="'=+-@,;|\"x1 ＝", max_size=30))
def test_a_guard_is_taken_away_and_nothing_else(name: str) -> None:
    name = " ".join(name.split())
    out = [Subscriber(TOKENS.uid("a@example.com"), "a@example.com", name, S.CONFIRMED, NOW)]
    assert list(read(io.BytesIO("".join(write(out, ZONE)).encode()), NOW, TOKENS, ZONE)) == out


@settings(max_examples=150, deadline=None)
@given(
    st.one_of(
        st.binary(max_size=400),
        st.binary(max_size=400).map(lambda tail: b"email,name,status,since\n" + tail),
        st.text(alphabet="a@.,;\"\n\r\t='x1-", max_size=300).map(
            lambda tail: ("email;name\n" + tail).encode()
        ),
    )
)
def test_whatever_bytes_come_are_read_or_refused(content: bytes) -> None:
    before = time.process_time()
    with contextlib.suppress(AudienceError):
        for row in read(io.BytesIO(content), NOW, TOKENS, ZONE):
            assert isinstance(row, Subscriber | RefusedRow)
            if isinstance(row, RefusedRow):
                assert row.line >= 2
    assert time.process_time() - before < 2
