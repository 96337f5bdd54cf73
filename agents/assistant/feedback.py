"""What people asked and what they thought of the answers: a file that is only ever added to."""

import json
import os
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

from agents.assistant.request import Request
from data_engine.schema import Record

TABLES = """
CREATE TABLE IF NOT EXISTS opinions (
    at REAL NOT NULL, thread TEXT NOT NULL, user TEXT, item TEXT NOT NULL, liked INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS questions (
    at REAL NOT NULL, thread TEXT NOT NULL, user TEXT, text TEXT NOT NULL, conditions TEXT NOT NULL
);
"""
BUSY_SECONDS = 30.0  # for the other workers of a server


class Opinion(Record):
    """An item that was liked or not, in a conversation. at: unix seconds."""

    at: float
    thread: str
    user: str | None
    item: str
    liked: bool


class Feedback:
    """The file, made where it is missing so that nobody else may read it.

    What is added is on the disk when a method returns: neither a killed process nor a power cut
    loses it.
    """

    def __init__(self, path: Path) -> None:
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        self._db = sqlite3.connect(path, timeout=BUSY_SECONDS, check_same_thread=False)
        self._db.execute("PRAGMA synchronous = FULL")
        self._db.executescript(TABLES)

    def add_opinion(self, thread: str, user: str | None, item: str, liked: bool) -> None:
        """Keep whether an item was liked."""
        with self._db:
            row = (time.time(), thread, user, item, liked)
            self._db.execute("INSERT INTO opinions VALUES (?, ?, ?, ?, ?)", row)

    def add_question(self, thread: str, user: str | None, text: str, request: Request) -> None:
        """Keep a message and the conditions that the conversation had after it."""
        conditions = [condition.model_dump() for condition in request.conditions]
        with self._db:
            row = (time.time(), thread, user, text, json.dumps(conditions, ensure_ascii=False))
            self._db.execute("INSERT INTO questions VALUES (?, ?, ?, ?, ?)", row)

    def opinions(self) -> Iterator[Opinion]:
        """All opinions, oldest first; of one item there may be several, of which the last holds."""
        for row in self._db.execute("SELECT * FROM opinions ORDER BY rowid"):
            yield Opinion.model_validate(dict(zip(Opinion.model_fields, row, strict=True)))

    def questions(self) -> list[str]:
        """The messages, oldest first."""
        return [text for (text,) in self._db.execute("SELECT text FROM questions ORDER BY rowid")]

    def close(self) -> None:
        """Close the file."""
        self._db.close()
