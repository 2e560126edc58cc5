"""Keeps moments as whole microseconds since 1970 in UTC, and asks the database what time it is.

Integers compare, sort and travel alike in every database; text and native
timestamps do not.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

from sqlalchemy import BigInteger, Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator

#: What moments are counted from.
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def from_microseconds(since: int) -> datetime:
    """Return the moment, in UTC, that is so many microseconds after 1970 began."""
    return EPOCH + since * _MICROSECOND


def as_microseconds(moment: datetime) -> int:
    """Return how many whole microseconds after 1970 began; a moment without a zone is a bug and raises TypeError."""
    return (moment - EPOCH) // _MICROSECOND


class Moment(TypeDecorator[datetime]):
    """An aware datetime in, the same moment in UTC out."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:  # noqa: ARG002
        """Return whole microseconds; a datetime without a zone is a bug and raises TypeError."""
        return None if value is None else as_microseconds(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Return the moment in UTC."""
        return None if value is None else from_microseconds(value)


class _Now(FunctionElement[int]):
    """The database's clock, in microseconds since 1970; the same for a whole statement."""

    type = BigInteger()
    inherit_cache = True
    name = "now"


@compiles(_Now, "sqlite")
def _sqlite_now(element: _Now, compiler: SQLCompiler, **kw: object) -> str:  # noqa: ARG001
    # unixepoch('subsec') needs SQLite 3.42; a Julian day is good to a tenth of a millisecond.
    return "CAST(ROUND((julianday('now') - 2440587.5) * 86400000.0) AS INTEGER) * 1000"


@compiles(_Now, "postgresql")
def _postgresql_now(element: _Now, compiler: SQLCompiler, **kw: object) -> str:  # noqa: ARG001
    return "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)"


#: SQL for this very moment, by the database's clock.
NOW = _Now()


def microseconds(span: timedelta) -> int:
    """Return a span as it is added to NOW."""
    return span // _MICROSECOND


def zone_name(moment: datetime) -> str:
    """Return what brings a moment's zone back: an IANA name, or an offset like `+02:00`."""
    if isinstance(moment.tzinfo, ZoneInfo) and moment.tzinfo.key:
        return moment.tzinfo.key
    return moment.isoformat()[-6:] if moment.utcoffset() else "UTC"


def zone(name: str) -> tzinfo:
    """Return the zone that `zone_name` named."""
    if name[0] in "+-":
        hours, minutes = int(name[1:3]), int(name[4:6])
        return timezone((1 if name[0] == "+" else -1) * timedelta(hours=hours, minutes=minutes))
    return ZoneInfo(name)
