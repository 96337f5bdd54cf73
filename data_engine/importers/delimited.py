"""Text files with delimiters, and Parquet, as SQL: the header is read here, the rows by DuckDB with lines remembered for errors."""

import csv
import gzip
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import duckdb

from data_engine.errors import ImportRefused
from data_engine.filling import literal

MOST_HEADER = 1_000_000
ENDINGS = (".csv", ".tsv", ".csv.gz", ".tsv.gz", ".parquet")


def columns_of(path: Path, db: duckdb.DuckDBPyConnection) -> list[str]:
    """Names in the first line, or of the Parquet schema. Raises ImportRefused for what cannot be read."""
    if path.suffix == ".parquet":
        return [row[0] for row in db.execute(f"DESCRIBE FROM read_parquet({literal(path)})").fetchall()]
    try:
        return [name.strip() for name in next(csv.reader([first_line(path)], **_dialect(path)), [])]
    except csv.Error as error:
        raise ImportRefused(f"{path} line 1: {error}") from error


def first_line(path: Path) -> str:
    """The first line of a text file, gzip or not. Raises ImportRefused when it is not UTF-8."""
    opener = gzip.open if path.suffix == ".gz" else open
    try:
        with opener(path, "rt", encoding="utf-8-sig") as handle:
            return handle.readline(MOST_HEADER).rstrip("\r\n")
    except (UnicodeDecodeError, EOFError, OSError, zlib.error) as error:
        raise ImportRefused(f"{path}: cannot be read as UTF-8 text ({error})") from error


def rows_with_header(path: Path, header: Sequence[str], types: Mapping[str, str]) -> str:
    """A FROM clause over the rows below the header; columns not in `types` (name → SQL type) are text."""
    if path.suffix == ".parquet":
        return f"read_parquet({literal(path)})"
    if len(set(header)) < len(header):
        twice = next(name for name in header if header.count(name) > 1)
        raise ImportRefused(f"{path}: two columns are called {twice!r}")
    tabs = _dialect(path)["delimiter"] == "\t"
    return rows_without_header(path, {name: types.get(name, "VARCHAR") for name in header}, "\t" if tabs else ",", quote="" if tabs else '"', skip=1)


def rows_without_header(path: Path, columns: Mapping[str, str], delimiter: str, *, quote: str = "", skip: int = 0, encoding: str = "utf-8") -> str:
    """A FROM clause over lines with these columns (name → SQL type); unreadable lines go to DuckDB's reject tables."""
    shape = ", ".join(f"{literal(name)}: {literal(kind)}" for name, kind in columns.items())
    return (
        f"read_csv({literal(path)}, auto_detect = false, header = false, skip = {skip}, delim = {literal(delimiter)}, quote = {literal(quote)}, "
        f"escape = {literal(quote)}, encoding = {literal(encoding)}, columns = {{{shape}}}, store_rejects = true)"
    )


def _dialect(path: Path) -> dict[str, object]:
    """Tabs are never quoted, commas follow CSV."""
    return {"delimiter": "\t", "quoting": csv.QUOTE_NONE} if ".tsv" in path.suffixes else {"delimiter": ","}
