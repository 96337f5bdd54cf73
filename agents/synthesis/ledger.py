"""The ledger of a synthesis run, in SQLite beside the store: each request's outcome once, every call to a model, what was kept and why not.

It belongs to one run, named by a digest of all that decides the rows; another run starts a new page. A run that was cut short goes on from it.
"""

import json
import sqlite3
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import Self

from agents.synthesis.state import Reject, Request
from data_engine.schema import Example

_TABLES = """
CREATE TABLE IF NOT EXISTS run (digest TEXT, config TEXT);
CREATE TABLE IF NOT EXISTS outcomes (lane TEXT, number INTEGER, identity TEXT, shingles BLOB, body BLOB, rejects TEXT, PRIMARY KEY (lane, number));
CREATE TABLE IF NOT EXISTS verdicts (lane TEXT, number INTEGER, position INTEGER, verdict TEXT, PRIMARY KEY (lane, number));
CREATE TABLE IF NOT EXISTS calls (role TEXT, model TEXT, tokens_in INTEGER, tokens_out INTEGER, money REAL, seconds REAL, status TEXT);
"""


@dataclass(frozen=True)
class Outcome:
    """What came of a request: the Example as JSON with its identity and the MinHash of its words (None when all attempts failed), and the rejects."""

    request: str
    body: str | None
    identity: str
    shingles: bytes
    rejects: tuple[Reject, ...]


class Ledger:
    """Open with a `with` block. `digest` "" reads whatever run is there."""

    def __init__(self, path: Path, digest: str = "", config: dict | None = None) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self.db.execute("PRAGMA journal_mode=WAL")
        self.db.execute("PRAGMA synchronous=NORMAL")
        self.db.executescript(_TABLES)
        if digest and self.db.execute("SELECT digest FROM run").fetchall() != [(digest,)]:
            self.db.executescript(
                "BEGIN; DELETE FROM run; DELETE FROM outcomes; DELETE FROM verdicts; DELETE FROM calls; COMMIT;"
            )
            self.db.execute("INSERT INTO run VALUES (?, ?)", [digest, json.dumps(config)])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.db.close()

    def put(self, lane: str, outcomes: Iterable[Outcome]) -> None:
        """Keep outcomes, each number once."""
        rows = [
            (
                lane,
                Request.parse(o.request).index,
                o.identity,
                o.shingles,
                o.body and zlib.compress(o.body.encode(), 1),
                json.dumps([r.as_dict() for r in o.rejects]),
            )
            for o in outcomes
        ]
        with self.db:
            self.db.execute("BEGIN")
            self.db.executemany("INSERT OR IGNORE INTO outcomes VALUES (?, ?, ?, ?, ?, ?)", rows)

    def known(self, lane: str) -> Iterator[tuple[int, str, bytes]]:
        """(number, identity, shingles) of the outcomes that are there, in order; identity "" for a failed one."""
        yield from self.db.execute(
            "SELECT number, identity, shingles FROM outcomes WHERE lane = ? ORDER BY number", [lane]
        )

    def has(self, lane: str, number: int) -> bool:
        """Whether the outcome of a request is there."""
        return (
            self.db.execute(
                "SELECT 1 FROM outcomes WHERE lane = ? AND number = ?", [lane, number]
            ).fetchone()
            is not None
        )

    def drop(self, lane: str, number: int, why: str) -> None:
        """Say why a proven Example is left out."""
        self.db.execute(
            "INSERT OR REPLACE INTO verdicts VALUES (?, ?, NULL, ?)", [lane, number, why]
        )

    def keep(self, numbers: Iterable[tuple[str, int]]) -> None:
        """Say which Examples are kept, as (lane, number), in their order."""
        with self.db:
            self.db.execute("BEGIN")
            rows = ((lane, number, position) for position, (lane, number) in enumerate(numbers))
            self.db.executemany("INSERT OR REPLACE INTO verdicts VALUES (?, ?, ?, 'kept')", rows)

    def examples(self) -> Iterator[Example]:
        """The kept Examples in their order."""
        for (body,) in self.db.execute(
            "SELECT body FROM verdicts JOIN outcomes USING (lane, number) WHERE position IS NOT NULL ORDER BY position"
        ):
            yield Example.model_validate_json(zlib.decompress(body))

    def rejects(self) -> Iterator[tuple[str, Reject]]:
        """(lane, reject) of every failed attempt."""
        for lane, text in self.db.execute(
            "SELECT lane, rejects FROM outcomes WHERE rejects <> '[]' ORDER BY lane, number"
        ):
            for row in json.loads(text):
                yield lane, Reject(row["attempt"], tuple(row["problems"]), row["query"])

    def note(self, call: object) -> None:
        """Keep a call to a model (`agents.llm.client.Call`)."""
        self.db.execute(
            f"INSERT INTO calls VALUES ({', '.join('?' * len(fields(call)))})", astuple(call)
        )

    def spent(self) -> tuple[int, float]:
        """Tokens and money of the run so far."""
        return self.db.execute(
            "SELECT coalesce(sum(tokens_in + tokens_out), 0), coalesce(sum(money), 0) FROM calls"
        ).fetchone()
