"""Hands a list of rows to one statement: as JSON in one parameter, so that the statement never changes.

A statement per row, or one whose length depends on the rows, costs several
times as much to prepare as the database takes to carry it out.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import BigInteger, Text, bindparam, literal_column
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
