"""Lists come in as other people's programs wrote them, and go out so that no spreadsheet runs them."""

from __future__ import annotations

import contextlib
import csv
import io
import itertools
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.lists import NOW, TOKENS, ZONE, Rows, people

from pipeline.audience.table import RefusedRow, read, write
from pipeline.errors import AudienceError
from pipeline.model import NO_REASON, Preferences, Subscriber, SubscriberState

S = SubscriberState


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
