"""Checkpoints of conversations in SQLite or Postgres, as JSON: reading one back can run no code."""

import json
import sqlite3
from pathlib import Path
from typing import Any

from langgraph.checkpoint.sqlite import SqliteSaver

from data_engine.errors import DataError

MOST_CONNECTIONS = 8  # of a process to Postgres
CONNECT_SECONDS = 10
SETUP_LOCK = 7_237_301  # a number of our own


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


def open_checkpoints(place: Path | str) -> Any:
    """A saver over a SQLite file, which is made where it is missing, or over the Postgres of a
    postgresql:// URL; close its `conn`.

    Raises DataError where Postgres cannot be reached, or its packages are missing.
    """
    if str(place).startswith(("postgres://", "postgresql://")):
        return _postgres(str(place))
    path = Path(place)
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path, check_same_thread=False)
    connection.execute("PRAGMA secure_delete = ON")  # what is forgotten is overwritten
    saver = SqliteSaver(connection, serde=JsonSerializer())
    saver.setup()
    return saver


def _postgres(url: str) -> Any:
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
    try:
        with psycopg.connect(url, connect_timeout=CONNECT_SECONDS, **settings) as connection:
            # Of processes that start together, one makes the tables.
            connection.execute("SELECT pg_advisory_lock(%s)", [SETUP_LOCK])
            PostgresSaver(connection).setup()
    except psycopg.Error as error:  # its message names host and user, never the password
        raise DataError(f"Postgres cannot be used: {' '.join(str(error).split())}") from error
    pool.open()
    return PostgresSaver(pool, serde=JsonSerializer())
