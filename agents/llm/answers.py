"""Answers by the hash of their prompt, in SQLite: a rerun asks nothing twice, and a replay asks nothing at all."""

import sqlite3
from pathlib import Path
from typing import Self


class Answers:
    """A cache that outlives the process; every answer is kept as soon as it is there."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self.db.execute("PRAGMA journal_mode=WAL")
        self.db.execute("PRAGMA synchronous=NORMAL")
        self.db.execute(
            "CREATE TABLE IF NOT EXISTS answers (key TEXT PRIMARY KEY, role TEXT, model TEXT, answer TEXT)"
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.db.close()

    def get(self, key: str) -> str | None:
        """The answer, None when it was never given."""
        row = self.db.execute("SELECT answer FROM answers WHERE key = ?", [key]).fetchone()
        return row[0] if row else None

    def put(self, key: str, role: str, model: str, answer: str) -> None:
        """Keep an answer; the first one stays."""
        self.db.execute(
            "INSERT OR IGNORE INTO answers VALUES (?, ?, ?, ?)", [key, role, model, answer]
        )
