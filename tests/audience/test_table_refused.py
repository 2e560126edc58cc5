"""Rows and lists that cannot be used: named by their line, told without an address, and nothing else is lost."""

from __future__ import annotations

import io
import time
import tracemalloc
from pathlib import Path

import pytest
from support.lists import NOW, TOKENS, ZONE, Rows, people

from pipeline.audience.table import RefusedRow, read
from pipeline.errors import AudienceError
from pipeline.model import Preferences, SubscriberState

S = SubscriberState


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
