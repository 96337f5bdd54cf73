"""Small pieces of SQL that every module over DuckDB needs."""

from collections.abc import Sequence
from typing import Any

import duckdb

Row = tuple[Any, ...]


def literal(text: object) -> str:
    """A quoted SQL string."""
    return "'" + str(text).replace("'", "''") + "'"


def identifier(name: str) -> str:
    """A quoted SQL name."""
    return '"' + name.replace('"', '""') + '"'


def one_row(db: duckdb.DuckDBPyConnection, query: str, parameters: Sequence[object] = ()) -> Row:
    """The row of a query that gives exactly one, as an aggregate does."""
    (row,) = db.execute(query, list(parameters)).fetchall()
    return tuple(row)


def append(
    db: duckdb.DuckDBPyConnection, table: str, columns: Sequence[str], rows: Sequence[Row]
) -> None:
    """Add rows to a table, all at once."""
    import pyarrow as pa  # not above: who only reads a store needs none

    if rows:
        batch = pa.table(dict(zip(columns, map(list, zip(*rows, strict=True)), strict=True)))
        db.register("batch", batch)
        db.execute(f"INSERT INTO {table} ({', '.join(columns)}) SELECT * FROM batch")
        db.unregister("batch")


def first_line(error: Exception) -> str:
    """The first line of an error's message; DuckDB's go on with the query."""
    return str(error).splitlines()[0]
