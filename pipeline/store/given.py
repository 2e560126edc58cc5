"""Hands a list of rows to one statement: as JSON in one parameter, so that the statement never changes.

A statement per row, or one whose length depends on the rows, costs several
times as much to prepare as the database takes to carry it out.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

from sqlalchemy import BigInteger, ClauseElement, Connection, Text, bindparam, literal_column
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

#: The parameter's name.
GIVEN = "given"


class _Rows(FunctionElement[str]):
    """A table with one column, `value`: a row as a JSON list."""

    name = "given_rows"
    inherit_cache = True


@compiles(_Rows, "sqlite")
def _sqlite_rows(element: _Rows, compiler: SQLCompiler, **kw: Any) -> str:
    return f"json_each({compiler.process(element.clauses, **kw)})"


@compiles(_Rows, "postgresql")
def _postgresql_rows(element: _Rows, compiler: SQLCompiler, **kw: Any) -> str:
    return f"json_array_elements(CAST({compiler.process(element.clauses, **kw)} AS JSON))"


class Number(FunctionElement[int]):
    """A number at one place of each row."""

    name = "given_number"
    type = BigInteger()
    inherit_cache = True

    def __init__(self, place: int) -> None:
        super().__init__(rows.c.value, literal_column(str(place)))


class Words(FunctionElement[str]):
    """A text at one place of each row."""

    name = "given_words"
    type = Text()
    inherit_cache = True

    def __init__(self, place: int) -> None:
        super().__init__(rows.c.value, literal_column(str(place)))


@compiles(Number, "sqlite")
@compiles(Words, "sqlite")
def _sqlite_field(element: Number | Words, compiler: SQLCompiler, **kw: Any) -> str:
    row, place = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"json_extract({row}, '$[{place}]')"


@compiles(Number, "postgresql")
@compiles(Words, "postgresql")
def _postgresql_field(element: Number | Words, compiler: SQLCompiler, **kw: Any) -> str:
    row, place = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"CAST({row} ->> {place} AS {'BIGINT' if isinstance(element, Number) else 'TEXT'})"


#: The rows, to be joined with.
rows = _Rows(bindparam(GIVEN, type_=Text)).table_valued("value", name="given")


def parameters(given: Iterable[Sequence[Any]], **others: object) -> dict[str, object]:
    """Return what a statement about rows is executed with."""
    return {GIVEN: json.dumps(list(given), separators=(",", ":")), **others}


class Prepared:
    """A statement that is compiled once and then given to the driver itself.

    For the few that a run executes for every handful of messages: what
    SQLAlchemy does around an execution costs more than these do in the
    database. Values pass as the driver takes them: numbers and text.
    """

    def __init__(self, statement: ClauseElement) -> None:
        self._statement = statement
        self._compiled: dict[str, SQLCompiler] = {}

    def rows(self, connection: Connection, given: Mapping[str, object]) -> Sequence[tuple[Any, ...]]:
        """Execute it; return its rows as the driver has them. Raises what the driver raises."""
        compiled = self._compiled.get(connection.dialect.name) or self._compile(connection)
        values = {**compiled.params, **given}
        names = compiled.positiontup
        cursor = connection.connection.cursor()
        try:
            cursor.execute(str(compiled), values if names is None else [values[name] for name in names])
            return [] if cursor.description is None else cursor.fetchall()
        finally:
            cursor.close()

    def _compile(self, connection: Connection) -> SQLCompiler:
        compiled = cast("SQLCompiler", self._statement.compile(dialect=connection.dialect))
        self._compiled[connection.dialect.name] = compiled
        return compiled
