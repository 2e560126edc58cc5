"""Reads the moments that lists hold, as the services write them; a date that can be read in two ways is none."""

from __future__ import annotations

import re
from datetime import datetime, tzinfo

from pipeline.discretion import quoted
from pipeline.errors import AudienceError

#: How Go prints a moment, and so listmonk: nanoseconds, an offset, the zone's name again (pkg.go.dev/time#Time.String).
_GO = re.compile(
    r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)(\.\d{1,6})?\d* ([+-]\d{4})(?: [A-Z0-9+-]{1,6})?", re.ASCII
)
#: Go's moment that was never set.
_NEVER = "0001-01-01 00:00:00"


def moment(text: str, zone: tzinfo) -> datetime | None:
    """Read a moment, in `zone` unless it names one; None if the cell holds none. Raises AudienceError."""
    text = text.strip()
    if not text:
        return None
    try:
        return _read(text[:64], zone)
    except (ValueError, OverflowError):
        raise AudienceError(
            f"{quoted(text)} is not a date; write one like 2026-01-31 or 2026-01-31 08:00"
        ) from None


def _read(text: str, zone: tzinfo) -> datetime | None:
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        go = _GO.fullmatch(text)
        if go and go[1] == _NEVER:
            return None
        if go:
            read = datetime.fromisoformat(f"{go[1]}{go[2] or ''}{go[3]}")
        elif text.endswith(" UTC"):
            read = datetime.fromisoformat(f"{text.removesuffix(' UTC')}+00:00")
        else:
            raise
    if not 1970 <= read.year <= 9000:
        raise ValueError(text)
    return read if read.tzinfo else read.replace(tzinfo=zone)
