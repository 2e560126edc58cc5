"""A date means the day its author meant, or is refused."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from pipeline.collect.dates import in_file_name, in_path, moment, spoken, without_date

NEW_YORK = ZoneInfo("America/New_York")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2026-01-31", "2026-01-31T05:00:00"),
        ("2026-1-3", "2026-01-03T05:00:00"),
        ("2026/01/31", "2026-01-31T05:00:00"),
        ("2026-01-31 08:00", "2026-01-31T13:00:00"),
        ("2026-01-31 08:00:09.5", "2026-01-31T13:00:09.500000"),
        ("2026-01-31T08:00Z", "2026-01-31T08:00:00"),
        ("2026-01-31T08:00:00+02:00", "2026-01-31T06:00:00"),
        ("2026-01-31 08:00 +0530", "2026-01-31T02:30:00"),
        ("2026-01-31 8:05 pm", "2026-02-01T01:05:00"),
        ("2026-01-31 12:05 am", "2026-01-31T05:05:00"),
        ("Sat, 31 Jan 2026 08:00:00 +0100", "2026-01-31T07:00:00"),
        ("31 Jan 2026 08:00 GMT", "2026-01-31T08:00:00"),
        ("Sat, 31 Jan 2026 08:00:00 PST (Pacific)", "2026-01-31T16:00:00"),
        ("Sep 22, 2018", "2018-09-22T04:00:00"),
        ("September 22nd, 2018 at 9:00", "2018-09-22T13:00:00"),
        ("22 September 2018", "2018-09-22T04:00:00"),
        (date(2026, 1, 31), "2026-01-31T05:00:00"),
        (datetime(2026, 1, 31, 8, tzinfo=UTC).replace(tzinfo=None), "2026-01-31T13:00:00"),
        (datetime(2026, 1, 31, 8, tzinfo=UTC), "2026-01-31T08:00:00"),
    ],
)
def test_the_ways_people_write_a_date(written, meant) -> None:
    found = moment(written, NEW_YORK)
    assert found.tzinfo is UTC
    assert found.replace(tzinfo=None).isoformat() == meant


@pytest.mark.parametrize(
    "written",
    [
        "tomorow", "", "01/02/2026", "1.2.2026", "01-02-26", "2026-02-30", "2026-13-01", "2026-01-31 25:00",
        "2026-01-31 13:00 pm", "0026-01-31", "9999-12-31 23:00 -1400", "2026-01-31 08:00 XYZ",
        "2026-01-31 08:00 +99:00", "20260131", "31 Foo 2026", 20260131, True, None, ["2026-01-31"],
        "2026-01-31x", "２０２６-01-31",
    ],
)  # fmt: skip
def test_what_could_be_no_day_or_two_is_refused_with_what_to_write(written) -> None:
    with pytest.raises(ValueError, match=r"Write a date like 2026-01-31 or 2026-01-31 08:00\."):
        moment(written, NEW_YORK)


def test_the_hour_that_a_clock_skips_or_repeats_has_one_meaning() -> None:
    assert moment("2026-03-08 02:30", NEW_YORK).isoformat() == "2026-03-08T07:30:00+00:00"
    assert moment("2026-11-01 01:30", NEW_YORK).isoformat() == "2026-11-01T05:30:00+00:00"


def test_the_last_day_to_send_lasts_all_day() -> None:
    assert moment("2026-01-31", NEW_YORK, last=True).isoformat() == "2026-02-01T04:59:59+00:00"
    assert moment("2026-01-31 08:00", NEW_YORK, last=True).isoformat() == "2026-01-31T13:00:00+00:00"


def test_dates_in_names_and_paths() -> None:
    assert in_file_name("2026-01-31-snow") == "2026-01-31"
    assert in_file_name("2026-01-3100") == in_file_name("snow-2026-01-31") == ""
    assert (without_date("2026-01-31-snow"), without_date("2026-01-31"), without_date("snow")) == (
        "snow",
        "",
        "snow",
    )
    assert in_path("https://e.example/2025/11/5/slug") == "2025-11-05"
    assert in_path("2025/11/slug") == ""


def test_reasons_speak_of_days_in_the_newsletter_s_zone() -> None:
    assert spoken(datetime(2026, 12, 1, 5, tzinfo=UTC), NEW_YORK) == "1 December 2026"
    assert spoken(datetime(2026, 12, 1, 3, tzinfo=UTC), NEW_YORK) == "30 November 2026, 22:00"
