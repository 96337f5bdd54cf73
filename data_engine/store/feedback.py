"""What people asked an assistant of a store, and what they thought of its answers: a private file
beside the store, to which rows are only added until somebody wants to be forgotten.
"""

import hashlib
import hmac
import json
import os
import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any, Self

from data_engine.errors import DataError
from data_engine.schema import Condition, Record

TABLES = """
CREATE TABLE IF NOT EXISTS opinions (
    at REAL NOT NULL, thread TEXT NOT NULL, user TEXT, item TEXT NOT NULL, liked INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS questions (
    at REAL NOT NULL, thread TEXT NOT NULL, user TEXT, text TEXT NOT NULL, conditions TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS asker_key (key BLOB NOT NULL);
"""
PREFIX = "asker-"  # of the ids of askers, before 16 hex digits
BUSY_SECONDS = 30.0  # for the other workers of a server


class Opinion(Record):
    """An item that was liked or not, in a conversation. at: unix seconds."""

    at: float
    thread: str
    user: str | None
    item: str
    liked: bool


class Question(Record):
    """A message, and the conditions that the conversation had after it. at: unix seconds."""

    at: float
    thread: str
    user: str | None
    text: str
    conditions: tuple[Condition, ...]


def feedback_path(store: Path) -> Path:
    """The feedback file of a store."""
    return store.with_name(f"{store.name}.assistant") / "feedback.sqlite"


class Feedback:
    """The file, made where it is missing so that nobody else may read it.

    Threads may share it. What is added is on the disk when a method returns: neither a killed
    process nor a power cut loses it. What is forgotten is overwritten.
    """

    def __init__(self, path: Path) -> None:
        handle = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
        os.fchmod(handle, 0o600)
        os.close(handle)
        self._db = sqlite3.connect(path, timeout=BUSY_SECONDS, check_same_thread=False)
        self._db.execute("PRAGMA synchronous = FULL")
        self._db.execute("PRAGMA secure_delete = ON")
        self._lock = Lock()
        self._db.executescript(TABLES)
        with self._changing() as db:
            made = "INSERT INTO asker_key SELECT ? WHERE NOT EXISTS (SELECT 1 FROM asker_key)"
            db.execute(made, [os.urandom(32)])

    @classmethod
    def of(cls, store: Path) -> Self:
        """The feedback of a store, to be read. Raises DataError where there is none."""
        path = feedback_path(store)
        if not path.is_file():
            raise DataError(
                f"no feedback at {path}: `rerec assistant --store {store}` keeps what people ask "
                "and like there"
            )
        try:
            return cls(path)
        except sqlite3.DatabaseError as error:
            raise DataError(f"{path} is no feedback file ({error})") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def _changing(self) -> Iterator[sqlite3.Connection]:
        """One change, which is kept whole or not at all."""
        with self._lock, self._db:
            yield self._db

    def _rows(self, query: str) -> Sequence[tuple[Any, ...]]:
        """Raises DataError for a file with other tables."""
        try:
            with self._lock:
                return self._db.execute(query).fetchall()
        except sqlite3.DatabaseError as error:
            raise DataError(f"the feedback of the store cannot be read ({error})") from error

    def asker(self, thread: str, user: str | None) -> str:
        """The id of whoever asked: of the user that was named, else of the conversation.

        Made with a key of this file, so that nobody without it can tell what those were.
        """
        ((key,),) = self._rows("SELECT key FROM asker_key LIMIT 1")
        who = json.dumps(["user", user] if user else ["conversation", thread])
        return PREFIX + hmac.new(key, who.encode(), hashlib.sha256).hexdigest()[:16]

    def add_opinion(self, thread: str, user: str | None, item: str, liked: bool) -> None:
        """Keep whether an item was liked."""
        row = (time.time(), thread, user, item, liked)
        with self._changing() as db:
            db.execute("INSERT INTO opinions VALUES (?, ?, ?, ?, ?)", row)

    def add_question(
        self, thread: str, user: str | None, text: str, conditions: Iterable[Condition]
    ) -> None:
        """Keep a message and the conditions that the conversation had after it."""
        found = [condition.model_dump() for condition in conditions]
        row = (time.time(), thread, user, text, json.dumps(found, ensure_ascii=False))
        with self._changing() as db:
            db.execute("INSERT INTO questions VALUES (?, ?, ?, ?, ?)", row)

    def opinions(self) -> Iterator[Opinion]:
        """All opinions, oldest first; of one item there may be several, of which the last holds."""
        for row in self._rows("SELECT * FROM opinions ORDER BY rowid"):
            yield Opinion.model_validate(dict(zip(Opinion.model_fields, row, strict=True)))

    def questions(self) -> Iterator[Question]:
        """All messages, oldest first."""
        for *row, conditions in self._rows("SELECT * FROM questions ORDER BY rowid"):
            said = (*row, json.loads(conditions))
            yield Question.model_validate(dict(zip(Question.model_fields, said, strict=True)))

    def forget(self, thread: str) -> None:
        """Keep nothing of a conversation."""
        with self._changing() as db:
            for table in ("opinions", "questions"):
                db.execute(f"DELETE FROM {table} WHERE thread = ?", [thread])

    def close(self) -> None:
        """Close the file."""
        self._db.close()
