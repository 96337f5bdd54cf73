"""Checkpoints of conversations in SQLite or Postgres, as JSON: reading one back can run no code."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.sqlite import SqliteSaver

from data_engine.errors import DataError

MOST_CONNECTIONS = 8  # of a process to Postgres
CONNECT_SECONDS = 10
SETUP_LOCK = 7_237_301  # a number of our own


class NotKept(DataError):
    """The database of the conversations fails; what was kept before is not lost."""


class JsonSerializer:
    """Langgraph's serializer protocol, for states that are JSON and nothing else."""

    def dumps_typed(self, obj: Any) -> tuple[str, bytes]:
        """The type "json" and the bytes. Raises TypeError for what is not JSON."""
        return "json", json.dumps(obj, ensure_ascii=False, allow_nan=False).encode()

    def loads_typed(self, data: tuple[str, bytes]) -> Any:
        """The value again. Raises DataError for any other type."""
        kind, raw = data
        if kind != "json":
            raise DataError(f"a checkpoint of type {kind!r}: only JSON is read")
        return json.loads(raw)


class Checkpoints:
    """Where conversations are kept: LangGraph's `saver`, which is used within `using()`."""

    def __init__(self, saver: Any, database: str, errors: type[Exception]) -> None:
        self.saver: BaseCheckpointSaver = saver
        self._connection, self._database, self._errors = saver.conn, database, errors

    @contextmanager
    def using(self) -> Iterator[None]:
        """A failure of the database within it is raised as NotKept."""
        try:
            yield
        except self._errors as error:  # its message names host and user, never the password
            raise NotKept(f"{self._database} cannot be used: {_line(error)}") from error

    def close(self) -> None:
        """Close the file, or the connections."""
        self._connection.close()


def open_checkpoints(place: Path | str) -> Checkpoints:
    """Checkpoints in a SQLite file, which is made where it is missing, or in the Postgres of a
    postgresql:// URL.

    Raises NotKept where the database cannot be used, DataError where its packages are missing.
    """
    if str(place).startswith(("postgres://", "postgresql://")):
        return _postgres(str(place))
    path = Path(place)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(path, check_same_thread=False)
    except (OSError, sqlite3.Error) as error:
        raise NotKept(f"{path} cannot be used: {_line(error)}") from error
    saver = SqliteSaver(connection, serde=JsonSerializer())
    checkpoints = Checkpoints(saver, str(path), sqlite3.Error)
    with checkpoints.using():
        connection.execute("PRAGMA secure_delete = ON")  # what is forgotten is overwritten
        saver.setup()
    return checkpoints


def _postgres(url: str) -> Checkpoints:
    try:
        import psycopg
        from langgraph.checkpoint.postgres import PostgresSaver
        from psycopg.rows import dict_row
        from psycopg_pool import ConnectionPool
    except ImportError as error:
        raise DataError(
            'conversations in Postgres need rerec[postgres]: pip install "rerec[postgres]"'
        ) from error
    settings = {"autocommit": True, "prepare_threshold": 0, "row_factory": dict_row}
    pool = ConnectionPool(
        url,
        kwargs={**settings, "connect_timeout": CONNECT_SECONDS},
        max_size=MOST_CONNECTIONS,
        timeout=CONNECT_SECONDS,
        check=ConnectionPool.check_connection,  # Postgres may have been started anew
        open=False,
    )
    saver = PostgresSaver(pool, serde=JsonSerializer())
    checkpoints = Checkpoints(saver, "Postgres", psycopg.Error)
    with checkpoints.using():
        with psycopg.connect(url, connect_timeout=CONNECT_SECONDS, **settings) as connection:
            # Of processes that start together, one makes the tables.
            connection.execute("SELECT pg_advisory_lock(%s)", [SETUP_LOCK])
            PostgresSaver(connection).setup()
        pool.open()
    return checkpoints


def _line(error: Exception) -> str:
    return " ".join(str(error).split())
