"""Answers by the key of their request, in SQLite: a run that goes on asks nothing twice."""

import sqlite3
from pathlib import Path
from typing import Self

_TABLE = """
CREATE TABLE IF NOT EXISTS answers (key TEXT PRIMARY KEY, role TEXT, model TEXT, answer TEXT)
"""


class AnswerCache:
    """A cache that outlives the process: every answer is on disk as soon as it is put.

    path: the SQLite file, made with its folder when it is missing; None: memory only.
    """

    def __init__(self, path: Path | None) -> None:
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
        self.db = sqlite3.connect(path or ":memory:", isolation_level=None, check_same_thread=False)
        self.db.execute("PRAGMA journal_mode=WAL")
        self.db.execute("PRAGMA synchronous=NORMAL")
        self.db.execute(_TABLE)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.db.close()

    def get(self, key: str) -> str | None:
        """The answer, None when it was never given."""
        row = self.db.execute("SELECT answer FROM answers WHERE key = ?", [key]).fetchone()
        return row[0] if row else None

    def put(self, key: str, role: str, model: str, answer: str) -> None:
        """Store an answer; the first one of a key stays."""
        self.db.execute(
            "INSERT OR IGNORE INTO answers VALUES (?, ?, ?, ?)", [key, role, model, answer]
        )
