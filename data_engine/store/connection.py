"""An open DuckDB file of ours: migrated, with transactions and a small table of facts (`meta`)."""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Self

import duckdb

from data_engine.errors import DataError
from data_engine.store.migrations import MIGRATIONS, migrate, refuse_foreign, version
from data_engine.store.sql import Row, first_line


class Connection:
    """Open with `open`, close with `close` or a `with` block.

    Raises DataError when the file is missing, locked or no store.
    """

    def __init__(self, db: duckdb.DuckDBPyConnection, path: Path) -> None:
        self.db, self.path = db, path

    @classmethod
    def open(cls, path: Path | str, *, create: bool = False, read_only: bool = False) -> Self:
        """Open the store at `path`. `create` makes it (and its folder) when absent; `read_only`
        lets several processes read.
        """
        path = Path(path)
        if not create and not path.is_file():
            raise DataError(
                f"no store at {path}: make one with `rerec data import world --store {path}`"
            )
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            return cls(_connect(path, create=create, read_only=read_only), path)
        except duckdb.Error as error:
            raise DataError(f"cannot open the store {path}: {first_line(error)}") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        """Close. DuckDB's error becomes a DataError: the file is damaged, lacks a table, or was cut
        short or replaced meanwhile.
        """
        self.close()
        if isinstance(error, duckdb.Error):
            raise DataError(
                f"cannot read or write the store {self.path}: {first_line(error)}"
            ) from error

    def close(self) -> None:
        """Close the file; the store cannot be used afterwards."""
        self.db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All writes inside the block are kept together or not at all."""
        self.db.begin()
        try:
            yield
        except BaseException:  # Ctrl-C too must leave the old state; it is raised again
            with suppress(duckdb.Error):  # a clean-up that fails must not hide what went wrong
                self.db.rollback()
                self.db.execute("RESET preserve_insertion_order")
            raise
        try:
            self.db.commit()
        except duckdb.Error as error:  # a full disk, mostly
            raise DataError(
                f"{self.path} could not be written, the old state stays: {first_line(error)}"
            ) from error

    def rows(self, query: str, parameters: Iterable[object] = ()) -> list[Row]:
        """All rows of a query."""
        return self.db.execute(query, list(parameters)).fetchall()

    def set_meta(self, key: str, value: object) -> None:
        """Remember a JSON value under `key`."""
        self.db.execute(
            "INSERT OR REPLACE INTO meta VALUES (?, ?)", [key, json.dumps(value, sort_keys=True)]
        )

    def meta(self, key: str, default: Any = None) -> Any:
        """The JSON value under `key`, or `default`."""
        # All rows are fetched: an unfinished result blocks the connection.
        rows = self.rows("SELECT value FROM meta WHERE key = ?", [key])
        return json.loads(rows[0][0]) if rows else default


def _connect(path: Path, *, create: bool, read_only: bool) -> duckdb.DuckDBPyConnection:
    """The file, of the newest schema: one that an older rerec wrote is brought up to date first."""
    db = duckdb.connect(str(path), read_only=read_only)
    try:
        refuse_foreign(db, path, new=create)
        if read_only and version(db) < len(MIGRATIONS):
            db.close()
            _connect(path, create=False, read_only=False).close()
            db = duckdb.connect(str(path), read_only=True)
        if not read_only:
            migrate(db)
    except BaseException:  # Ctrl-C too: an open connection would keep the file locked
        db.close()
        raise
    return db
