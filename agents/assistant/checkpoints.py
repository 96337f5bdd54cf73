"""Checkpoints of conversations in SQLite, as JSON: reading one back can run no code."""

import json
import sqlite3
from pathlib import Path
from typing import Any

from langgraph.checkpoint.sqlite import SqliteSaver

from data_engine.errors import DataError


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


def open_checkpoints(path: Path) -> SqliteSaver:
    """A saver over the SQLite file, which is made where it is missing; close its `conn`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path, check_same_thread=False)
    connection.execute("PRAGMA secure_delete = ON")  # what is forgotten is overwritten
    saver = SqliteSaver(connection, serde=JsonSerializer())
    saver.setup()
    return saver
