"""Text files with delimiters, and Parquet, as SQL: the header is read here, the rows by DuckDB with
lines remembered for errors.
"""

import csv
import gzip
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import duckdb

from data_engine.errors import ImportRefused
from data_engine.store.plain_text import encoding_of, readable
from data_engine.store.sql import literal

MOST_HEADER = 1_000_000
ENDINGS = (".csv", ".tsv", ".csv.gz", ".tsv.gz", ".parquet")
SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
# what stands in for a nameless column: no file has it, so it is never asked for
UNNAMED = "unnamed column {0}"


def columns_of(path: Path, db: duckdb.DuckDBPyConnection, fallback: str = "") -> list[str]:
    """Names in the first line, or of the Parquet schema; a column without a name is called
    `UNNAMED`. Raises ImportRefused for what cannot be read.
    """
    if path.suffix == ".parquet":
        return list(types_of(path, db))
    line = first_line(path, fallback)
    try:
        names = next(
            csv.reader([line], delimiter=_delimiter(path, line), quoting=_quoting(path)), []
        )
    except csv.Error as error:
        raise ImportRefused(f"{path} line 1: {error}") from error
    return (
        [name.strip() or UNNAMED.format(k) for k, name in enumerate(names, start=1)] if line else []
    )


def types_of(path: Path, db: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """Column → SQL type of a Parquet file; {} for text, where every column is text. Raises
    ImportRefused for a file that is no Parquet.
    """
    if path.suffix != ".parquet":
        return {}
    try:
        return {
            row[0]: row[1]
            for row in db.execute(f"DESCRIBE FROM read_parquet({literal(path)})").fetchall()
        }
    except duckdb.Error as error:
        raise ImportRefused(
            f"{path}: cannot be read as Parquet: {str(error).splitlines()[0]}"
        ) from error


def first_line(path: Path, fallback: str = "") -> str:
    """The first line of a text file, gzip or not. Raises ImportRefused when it cannot be read, or
    is neither UTF-8 nor, where given, in the `fallback` encoding.
    """
    source = readable(path, encoding_of(path, fallback))
    with (
        gzip.open(source, "rt", encoding="utf-8-sig")
        if source.suffix == ".gz"
        else source.open(encoding="utf-8-sig") as handle
    ):
        return handle.readline(MOST_HEADER).rstrip("\r\n")


def rows_with_header(
    path: Path, header: Sequence[str], types: Mapping[str, str], fallback: str = ""
) -> str:
    """A FROM clause over the rows below the header; columns not in `types` (name → SQL type) are
    text.
    """
    if path.suffix == ".parquet":
        return f"read_parquet({literal(path)})"
    if len(set(header)) < len(header):
        twice = next(name for name in header if header.count(name) > 1)
        raise ImportRefused(f"{path}: two columns are called {twice!r}")
    separator = _delimiter(path, first_line(path, fallback))
    columns = {name: types.get(name, "VARCHAR") for name in header}
    return rows_without_header(
        path,
        columns,
        separator,
        quote="" if ".tsv" in path.suffixes else '"',
        skip=1,
        fallback=fallback,
    )


def rows_without_header(
    path: Path,
    columns: Mapping[str, str],
    delimiter: str,
    *,
    quote: str = "",
    skip: int = 0,
    fallback: str = "",
) -> str:
    """A FROM clause over lines with these columns (name → SQL type); unreadable lines go to
    DuckDB's reject tables.

    The file is read as UTF-8 or, where its bytes are not that, in the `fallback` encoding. Raises
    ImportRefused where there is none.
    """
    shape = ", ".join(f"{literal(name)}: {literal(kind)}" for name, kind in columns.items())
    source = readable(path, encoding_of(path, fallback))
    return (
        f"read_csv({literal(source)}, auto_detect = false, header = false, skip = {skip}, delim "
        f"= {literal(delimiter)}, quote = {literal(quote)}, "
        f"escape = {literal(quote)}, columns = {{{shape}}}, store_rejects = true)"
    )


def separator_of(path: Path, fallback: str = "") -> str:
    """What separates the columns, in words."""
    return SEPARATORS[_delimiter(path, first_line(path, fallback))]


def _delimiter(path: Path, line: str) -> str:
    """A tab in a .tsv, else a comma; where the first line has none, what it has instead."""
    if ".tsv" in path.suffixes:
        return "\t"
    return next((mark for mark in SEPARATORS if mark in line), ",")


def _quoting(path: Path) -> Literal[0, 3]:
    """A .tsv is never quoted, all else follows CSV."""
    return csv.QUOTE_NONE if ".tsv" in path.suffixes else csv.QUOTE_MINIMAL
