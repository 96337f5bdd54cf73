"""A smaller catalogue out of a store: k-core, a window of time, some relations, as a source for
another store.
"""

import json
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
from pydantic import Field

from data_engine.errors import DataError
from data_engine.runtime.config import Config
from data_engine.store.database import CATALOGUE, Store
from data_engine.store.sql import literal, one_row


class Subset(Config):
    """What to keep. `core`: users and items with at least that many partners, cut again and again
    until all have them (the k-core); `since`: the first day kept, `until`: the first day not kept;
    `relations`: of the attribute graph, None for all.
    """

    path: Path
    core: int = Field(1, ge=1)
    since: date | None = None
    until: date | None = None
    relations: tuple[str, ...] | None = None

    @property
    def name(self) -> str:
        """The source of the whole, with what was kept."""
        with Store.open(self.path, read_only=True) as store:
            whole = store.meta("source")
        kept = [
            f"{self.core}-core" if self.core > 1 else "",
            f"since {self.since}" if self.since else "",
            f"until {self.until}" if self.until else "",
        ]
        return ", ".join(filter(None, [str(whole), *kept, "+".join(self.relations or ())]))

    @property
    def domain(self) -> str:
        """That of the whole."""
        with Store.open(self.path, read_only=True) as store:
            return str(store.meta("domain"))

    def fill(self, db: duckdb.DuckDBPyConnection) -> None:
        """Fill the tables.

        Raises DataError for a relation the store does not have, or a window over interactions
        without times.
        """
        with Store.open(self.path, read_only=True) as store:
            self._check(store)
            scale = store.meta("rating_scale")
            parts = {table: store.db.table(table).to_arrow_table() for table in CATALOGUE}
        for table, rows in parts.items():
            db.register("part", rows)
            db.execute(f"INSERT INTO {table} BY NAME SELECT * FROM part")
            db.unregister("part")
        if scale is not None:  # that of the whole, whatever the ratings of the part
            db.execute(
                "INSERT OR REPLACE INTO meta VALUES ('rating_scale', ?)",
                [json.dumps(scale, sort_keys=True)],
            )
        self._cut(db)

    def _check(self, store: Store) -> None:
        known = {relation for (relation,) in store.rows("SELECT DISTINCT relation FROM edges")}
        if unknown := sorted(set(self.relations or ()) - known):
            raise DataError(
                f"{self.path} has no relation {unknown[0]!r}: "
                f"choose from {', '.join(sorted(known))}"
            )
        untimed = "SELECT 1 FROM interactions WHERE timestamp IS NULL LIMIT 1"
        if (self.since or self.until) and store.rows(untimed):
            raise DataError(f"{self.path} has interactions without a time: a window cannot be cut")

    def _cut(self, db: duckdb.DuckDBPyConnection) -> None:
        """Delete what is not to be kept from tables that hold the whole."""
        for day, beyond in ((self.since, "<"), (self.until, ">=")):
            if day is not None:
                moment = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())
                db.execute(f"DELETE FROM interactions WHERE timestamp {beyond} {moment}")
        _core(db, self.core)
        if self.relations is not None:
            kept = ", ".join(map(literal, self.relations))
            db.execute(f"DELETE FROM edges WHERE relation NOT IN ({kept})")
        if self.core > 1 or self.since or self.until:
            db.execute("DELETE FROM items WHERE item_id NOT IN (SELECT item_id FROM interactions)")
            db.execute("DELETE FROM edges WHERE item_id NOT IN (SELECT item_id FROM items)")
            db.execute("DELETE FROM users WHERE user_id NOT IN (SELECT user_id FROM interactions)")
        db.execute(
            "DELETE FROM attributes WHERE attribute_id NOT IN (SELECT attribute_id FROM edges)"
        )


def _core(db: duckdb.DuckDBPyConnection, k: int) -> None:
    """Delete interactions until every user and item left has at least k (an interaction repeated
    counts once).
    """
    while k > 1:
        (before,) = one_row(db, "SELECT count(*) FROM interactions")
        for column, partner in (("user_id", "item_id"), ("item_id", "user_id")):
            db.execute(
                f"DELETE FROM interactions WHERE {column} IN (SELECT {column} FROM interactions "
                f"GROUP BY 1 HAVING count(DISTINCT {partner}) < {k})"
            )
        (after,) = one_row(db, "SELECT count(*) FROM interactions")
        if after == before:
            return
