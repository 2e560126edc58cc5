"""Reads the dates that people write, and refuses those that could mean two days.

Dates without a zone are in the newsletter's. Where its clocks skip an hour, a
time inside the gap counts as if they had not yet moved; where they repeat one,
the first of the two is meant.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo

MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
HOW = "Write a date like 2026-01-31 or 2026-01-31 08:00."

_MONTH = {name[:3].lower(): number for number, name in enumerate(MONTHS, 1)}
# The zone names of RFC 2822, 4.3; every other name is ambiguous across the world.
_ZONES = {
    "z": 0, "ut": 0, "utc": 0, "gmt": 0,
    "est": -5, "edt": -4, "cst": -6, "cdt": -5, "mst": -7, "mdt": -6, "pst": -8, "pdt": -7,
}  # fmt: skip
_TIME = (
    r"(?:(?:\s*T\s*|,?\s+(?:at\s+)?)(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,](?P<fraction>\d{1,9}))?)?"
    r"(?:\s*(?P<half>[AaPp])\.?[Mm]\.?)?(?:\s*(?P<zone>[A-Za-z]{1,3}|[+-]\d{2}(?::?\d{2})?)(?:\s*\([A-Za-z ]*\))?)?)?$"
)
_WEEKDAY = r"(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*\.?,?\s+)?"
_MONTH_NAME = (
    r"(?P<month>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?"
    r"|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
)
_SHAPES = tuple(
    re.compile(shape + _TIME, re.IGNORECASE | re.ASCII)
    for shape in (
        r"(?P<year>\d{4})([-/.])(?P<month>\d{1,2})\2(?P<day>\d{1,2})",
        rf"{_WEEKDAY}(?P<day>\d{{1,2}})(?:st|nd|rd|th)?[ -]{_MONTH_NAME},?[ -](?P<year>\d{{4}})",
        rf"{_WEEKDAY}{_MONTH_NAME}\s+(?P<day>\d{{1,2}})(?:st|nd|rd|th)?,?\s+(?P<year>\d{{4}})",
    )
)
_TWO_WAYS = re.compile(r"\d{1,2}([/.-])\d{1,2}\1(?:\d{4}|\d{2})\b")
_FILE_DATE = re.compile(r"(\d{4})[-_](\d{2})[-_](\d{2})(?=[-_ .T]|$)", re.ASCII)
_PATH_DATE = re.compile(r"(?:^|/)(\d{4})[/-](\d{1,2})[/-](\d{1,2})(?=[/-]|$)", re.ASCII)


def moment(value: object, zone: tzinfo, *, last: bool = False) -> datetime:
    """Return the moment that front matter names, in UTC; a bare day is its first second, or with `last` its last.

    Takes text, or what TOML reads as a date. Raises ValueError with what is wrong and what to write.
    """
    if isinstance(value, datetime):
        return _to_utc(value, zone)
    if isinstance(value, date):
        return _of_day(value, zone, last=last)
    text = " ".join(value.split())[:200] if isinstance(value, str) else ""
    for shape in _SHAPES:
        if found := shape.match(text):
            return _of_parts(found, text, zone, last=last)
    if isinstance(value, str) and _TWO_WAYS.match(text):
        raise ValueError(f'is "{text}", in which day and month could be either way round. {HOW}')
    shown = text[:40] if isinstance(value, str) else str(value)[:40]
    raise ValueError(f'is "{shown}". {HOW}' if shown.strip() else f"is empty. {HOW}")


def _of_parts(found: re.Match[str], text: str, zone: tzinfo, *, last: bool) -> datetime:
    month = found["month"]
    number = int(month) if month.isdecimal() else _MONTH[month[:3].lower()]
    try:
        day = date(int(found["year"]), number, int(found["day"]))
        if found["hour"] is None:
            return _of_day(day, zone, last=last)
        hour = int(found["hour"])
        if found["half"]:
            if not 1 <= hour <= 12:
                raise ValueError("hour")
            hour = hour % 12 + (12 if found["half"] in "pP" else 0)
        fraction = int((found["fraction"] or "0").ljust(6, "0")[:6])
        clock = time(hour, int(found["minute"]), int(found["second"] or 0), fraction)
        return _to_utc(datetime.combine(day, clock, _zone(found["zone"], zone)), zone)
    except ValueError as fault:
        raise ValueError(f'is "{text}", which is no day or time there is. {HOW}') from fault


def _zone(written: str | None, zone: tzinfo) -> tzinfo:
    if written is None:
        return zone
    if written[0] in "+-":
        hours, minutes = int(written[1:3]), int(written[3:].lstrip(":") or 0)
        if hours > 14 or minutes > 59:
            raise ValueError("zone")
        offset = timedelta(hours=hours, minutes=minutes)
        return timezone(-offset if written[0] == "-" else offset)
    if written.lower() not in _ZONES:
        raise ValueError("zone")
    return timezone(timedelta(hours=_ZONES[written.lower()]))


def _of_day(day: date, zone: tzinfo, *, last: bool) -> datetime:
    return _to_utc(datetime.combine(day, time(23, 59, 59) if last else time(), zone), zone)


def _to_utc(when: datetime, zone: tzinfo) -> datetime:
    # Years outside break formats further on (RFC 5322 wants four digits), and are typing mistakes.
    if not 1000 < when.year < 3000:
        raise ValueError(f"is in the year {when.year}. {HOW}")
    return (when if when.tzinfo else when.replace(tzinfo=zone)).astimezone(UTC)


def in_file_name(name: str) -> str:
    """Return the date that a file name begins with, as `YYYY-MM-DD`, or ""."""
    found = _FILE_DATE.match(name)
    return "-".join(found.groups()) if found else ""


def without_date(name: str) -> str:
    """Return a file's name without the date it begins with; "" if it is nothing else."""
    found = _FILE_DATE.match(name)
    return name[found.end() :].lstrip("-_ .T") if found else name


def in_path(path: str) -> str:
    """Return the date inside an address or path (`2025/11/25/slug`) as `YYYY-MM-DD`, or ""."""
    found = _PATH_DATE.search(path)
    return f"{found[1]}-{found[2]:0>2}-{found[3]:0>2}" if found else ""


def spoken(when: datetime, zone: tzinfo) -> str:
    """Return "1 December 2026", with the time unless it is midnight, in `zone`; for sentences in reasons."""
    local = when.astimezone(zone)
    day = f"{local.day} {MONTHS[local.month - 1]} {local.year}"
    return day if local.time() == time() else f"{day}, {local:%H:%M}"
