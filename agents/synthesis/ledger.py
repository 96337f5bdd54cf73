"""The ledger of a synthesis run, in SQLite beside the store.

It has each request's outcome once, every call to a model, and which Examples are kept or why not.
It belongs to one run, named by a digest of all that decides the rows: a run that was cut short
goes on from it, another run empties it.
"""

import json
import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import astuple
from pathlib import Path
from typing import Any, Self

from agents.llm.request import Call
from agents.synthesis.outcome import Outcome
from agents.synthesis.state import Reject, Request
from data_engine.schema import Example

_TABLES = """
CREATE TABLE IF NOT EXISTS run (digest TEXT, config TEXT);
CREATE TABLE IF NOT EXISTS outcomes (
  lane TEXT, number INTEGER, identity TEXT, shingles BLOB, body BLOB, rejects TEXT,
  PRIMARY KEY (lane, number)
);
CREATE TABLE IF NOT EXISTS verdicts (
  lane TEXT, number INTEGER, position INTEGER, verdict TEXT, PRIMARY KEY (lane, number)
);
CREATE TABLE IF NOT EXISTS calls (
  role TEXT, model TEXT, tokens_in INTEGER, tokens_out INTEGER, money REAL, seconds REAL,
  status TEXT
);
"""
_EMPTY = """
BEGIN;
DELETE FROM run; DELETE FROM outcomes; DELETE FROM verdicts; DELETE FROM calls;
COMMIT;
"""


def synthesis_folder(store: Path) -> Path:
    """The folder beside a store that holds what its synthesis works with."""
    return store.with_name(f"{store.name}.synth")


def ledger_path(store: Path) -> Path:
    """The ledger of a store."""
    return synthesis_folder(store) / "ledger.sqlite"


class Ledger:
    """Open with a `with` block.

    digest, config: the run that it is opened for; without a digest it is read as it is.
    """

    def __init__(
        self, path: Path, digest: str = "", config: Mapping[str, Any] | None = None
    ) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self.db.execute("PRAGMA journal_mode=WAL")
        self.db.execute("PRAGMA synchronous=NORMAL")
        self.db.executescript(_TABLES)
        if digest and self.db.execute("SELECT digest FROM run").fetchall() != [(digest,)]:
            self.db.executescript(_EMPTY)
            self.db.execute("INSERT INTO run VALUES (?, ?)", [digest, json.dumps(config)])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.db.close()

    def put(self, lane: str, outcomes: Iterable[Outcome]) -> None:
        """Store outcomes, each number once."""
        rows = [_row(lane, outcome) for outcome in outcomes]
        with self.db:
            self.db.execute("BEGIN")
            self.db.executemany("INSERT OR IGNORE INTO outcomes VALUES (?, ?, ?, ?, ?, ?)", rows)

    def known(self, lane: str) -> Iterator[tuple[int, str, bytes]]:
        """(number, identity, shingles) of the stored outcomes by number; identity "": failed."""
        yield from self.db.execute(
            "SELECT number, identity, shingles FROM outcomes WHERE lane = ? ORDER BY number", [lane]
        )

    def has(self, lane: str, number: int) -> bool:
        """Whether the outcome of a request is stored."""
        found = self.db.execute(
            "SELECT 1 FROM outcomes WHERE lane = ? AND number = ?", [lane, number]
        )
        return found.fetchone() is not None

    def drop(self, lane: str, number: int, why: str) -> None:
        """Store why a proven Example is left out."""
        self.db.execute(
            "INSERT OR REPLACE INTO verdicts VALUES (?, ?, NULL, ?)", [lane, number, why]
        )

    def keep(self, places: Iterable[tuple[str, int]]) -> None:
        """Store which Examples are kept, as (lane, number), in their order."""
        with self.db:
            self.db.execute("BEGIN")
            rows = ((lane, number, position) for position, (lane, number) in enumerate(places))
            self.db.executemany("INSERT OR REPLACE INTO verdicts VALUES (?, ?, ?, 'kept')", rows)

    def examples(self) -> Iterator[Example]:
        """The kept Examples in their order."""
        for (body,) in self.db.execute(
            "SELECT body FROM verdicts JOIN outcomes USING (lane, number) "
            "WHERE position IS NOT NULL ORDER BY position"
        ):
            yield Example.model_validate_json(zlib.decompress(body))

    def rejects(self) -> Iterator[tuple[str, Reject]]:
        """(lane, reject) of every failed attempt."""
        for lane, text in self.db.execute(
            "SELECT lane, rejects FROM outcomes WHERE rejects <> '[]' ORDER BY lane, number"
        ):
            for row in json.loads(text):
                yield lane, Reject(row["attempt"], tuple(row["problems"]), row["query"])

    def add_call(self, call: Call) -> None:
        """Store a call to a model."""
        self.db.execute("INSERT INTO calls VALUES (?, ?, ?, ?, ?, ?, ?)", astuple(call))

    def spent(self) -> tuple[int, float]:
        """Tokens and money of the run so far."""
        tokens, money = self.db.execute(
            "SELECT coalesce(sum(tokens_in + tokens_out), 0), coalesce(sum(money), 0) FROM calls"
        ).fetchone()
        return tokens, money


def _row(lane: str, outcome: Outcome) -> tuple[str, int, str, bytes, bytes | None, str]:
    return (
        lane,
        Request.parse(outcome.request).index,
        outcome.identity,
        outcome.shingles,
        zlib.compress(outcome.body.encode(), 1) if outcome.body else None,
        json.dumps([reject.as_dict() for reject in outcome.rejects]),
    )
