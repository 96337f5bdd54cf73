"""The one DuckDB file that holds a catalogue, its interactions, its embeddings and its Examples.

Writers replace a whole part in one transaction, so a reader (or a kill -9) sees the old state or the new one.
"""

import gc
import hashlib
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from data_engine.errors import DataError, ImportRefused
from data_engine.migrations import migrate
from data_engine.schema import Example


@dataclass(frozen=True)
class Catalogue:
    """What an importer hands over, as rows: the two graphs before they are stored.

    items: (id, title); attributes: (id, name); edges: (item, relation, attribute, position), position 0 first in the credits;
    interactions: (user, item, rating, unix seconds), rating and time None where unknown; users: (id, age, gender, occupation).
    """

    domain: str
    source: str
    items: list[tuple[str, str]]
    attributes: list[tuple[str, str]]
    edges: list[tuple[str, str, str, int]]
    interactions: list[tuple[str, str, float | None, int | None]]
    users: list[tuple[str, str | None, str | None, str | None]] = field(default_factory=list)


class Store:
    """Open with `Store.open`, close with `close` or a `with` block. Raises DataError when the file is missing, locked or no store."""

    def __init__(self, db: duckdb.DuckDBPyConnection, path: Path) -> None:
        self.db, self.path = db, path

    @classmethod
    def open(cls, path: Path | str, *, create: bool = False, read_only: bool = False) -> "Store":
        """Open the store at `path`. `create` makes it (and its folder) when absent; `read_only` lets several processes read."""
        path = Path(path)
        if not create and not path.is_file():
            raise DataError(f"no store at {path}: make one with `rerec data import world --store {path}`")
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            db = duckdb.connect(str(path), read_only=read_only)
            if not read_only:
                migrate(db)
        except (duckdb.IOException, duckdb.SerializationException, duckdb.InvalidInputException) as error:
            raise DataError(f"cannot open the store {path}: {str(error).splitlines()[0]}") from error
        return cls(db, path)

    def __enter__(self) -> "Store":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; the store cannot be used afterwards."""
        self.db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All writes inside the block are kept together or not at all."""
        self.db.begin()
        try:
            yield
        except BaseException:  # Ctrl-C too must leave the old state; it is raised again
            self.db.rollback()
            raise
        self.db.commit()

    # -- meta ------------------------------------------------------------------------------------------------------
    def set_meta(self, key: str, value: object) -> None:
        """Remember a JSON value under `key`."""
        self.db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", [key, json.dumps(value, sort_keys=True)])

    def meta(self, key: str, default: object = None) -> object:
        """The JSON value under `key`, or `default`."""
        row = self.db.execute("SELECT value FROM meta WHERE key = ?", [key]).fetchone()
        return default if row is None else json.loads(row[0])

    @property
    def graph_digest(self) -> str:
        """16 hex digits over titles, edges and interactions: the identity of the two graphs. Raises DataError before an import."""
        digest = self.meta("graph_digest")
        if digest is None:
            raise DataError(f"the store {self.path} holds no catalogue: run `rerec data import` first")
        return str(digest)

    # -- catalogue ---------------------------------------------------------------------------------------------------
    def replace_catalogue(self, catalogue: Catalogue) -> str:
        """Swap in a whole catalogue and return its graph digest; embeddings and Examples of the old one go with it.

        Raises ImportRefused when there is no item, no edge or no interaction, or an interaction or edge names an unknown item.
        """
        check(catalogue)
        digest = catalogue_digest(catalogue)
        with self.transaction():
            for table in ("items", "attributes", "edges", "interactions", "users", "embeddings", "examples", "meta"):
                self.db.execute(f"DELETE FROM {table}")
            self._append("items", ("item_id", "title"), catalogue.items)
            self._append("attributes", ("attribute_id", "name"), catalogue.attributes)
            self._append("edges", ("item_id", "relation", "attribute_id", "position"), catalogue.edges)
            self._append("interactions", ("user_id", "item_id", "rating", "timestamp"), catalogue.interactions)
            self._append("users", ("user_id", "age", "gender", "occupation"), catalogue.users)
            self.set_meta("domain", catalogue.domain)
            self.set_meta("source", catalogue.source)
            self.set_meta("graph_digest", digest)
        return digest

    def _append(self, table: str, columns: tuple[str, ...], rows: list[tuple]) -> None:
        if rows:
            batch = pa.table(dict(zip(columns, map(list, zip(*rows, strict=True)), strict=True)))
            self.db.register("batch", batch)
            self.db.execute(f"INSERT INTO {table} ({', '.join(columns)}) SELECT * FROM batch")
            self.db.unregister("batch")

    def rows(self, query: str, parameters: Iterable[object] = ()) -> list[tuple]:
        """All rows of a query."""
        return self.db.execute(query, list(parameters)).fetchall()

    # -- embeddings --------------------------------------------------------------------------------------------------
    def save_embeddings(self, items: list[str], vectors: np.ndarray, facts: dict[str, object]) -> None:
        """Replace the item embeddings, shape (items, dims); `facts` (digest, seed, figures) are kept beside them."""
        with self.transaction():
            self.db.execute("DELETE FROM embeddings")
            self._append("embeddings", ("item_id", "vector"), list(zip(items, vectors.astype(np.float32).tolist(), strict=True)))
            self.set_meta("embeddings", facts | {"graph_digest": self.graph_digest})

    def embeddings(self) -> dict[str, np.ndarray]:
        """Item id → vector; empty before `rerec data embed`. Raises DataError when they were made from another graph."""
        facts = self.meta("embeddings")
        if facts is None:
            return {}
        if facts["graph_digest"] != self.graph_digest:
            raise DataError(f"the embeddings belong to graph {facts['graph_digest']}, the store holds {self.graph_digest}: run `rerec data embed`")
        return {item: np.asarray(vector, np.float32) for item, vector in self.rows("SELECT item_id, vector FROM embeddings")}

    # -- examples ----------------------------------------------------------------------------------------------------
    def replace_examples(self, examples: list[Example]) -> None:
        """Swap in a whole set of Examples, in order. `near` are all items an Example speaks of: candidates, anchors, history."""
        rows = [
            (e.example_id, n, e.split, e.kind, list(e.gold), [*e.candidates, *e.anchors, *e.history], e.model_dump_json())
            for n, e in enumerate(examples)
        ]
        with self.transaction():
            self.db.execute("DELETE FROM examples")
            self._append("examples", ("example_id", "position", "split", "kind", "gold", "near", "body"), rows)

    def targets(self) -> dict[str, tuple[frozenset[str], frozenset[str]]]:
        """Example id → (gold items, items near it): all that scoring needs, without reading whole records."""
        return {i: (frozenset(gold), frozenset(near)) for i, gold, near in self.rows("SELECT example_id, gold, near FROM examples")}

    def stream(self, split: str | None = None) -> Iterator[Example]:
        """Examples in their stored order, of one split or of all, a few in memory at a time."""
        cursor = self.db.cursor().execute("SELECT body FROM examples WHERE ? IS NULL OR split = ? ORDER BY position", [split, split])
        while bodies := cursor.fetchmany(256):
            yield from (Example.model_validate_json(body) for (body,) in bodies)

    def examples(self, split: str | None = None, limit: int | None = None) -> list[Example]:
        """Examples in their stored order, of one split or of all; at most `limit`."""
        gc.disable()  # the collector would walk a growing heap of records that are all kept: twice the time
        try:
            return list(islice(self.stream(split), limit))
        finally:
            gc.enable()


def check(catalogue: Catalogue) -> None:
    """Refuse a catalogue that cannot become two graphs (ImportRefused says which part and shows a row)."""
    where = catalogue.source
    if not catalogue.items:
        raise ImportRefused(f"{where}: no items found")
    if not catalogue.edges:
        raise ImportRefused(f"{where}: the attribute graph is empty: triples of (item, relation, value) are needed")
    if not catalogue.interactions:
        raise ImportRefused(f"{where}: no interactions found")
    known = {item for item, _ in catalogue.items}
    if len(known) < len(catalogue.items):
        raise ImportRefused(f"{where}: {len(catalogue.items) - len(known)} items share an id with another: ids must be unique")
    for name, items in (("ratings", (row[1] for row in catalogue.interactions)), ("triples", (row[0] for row in catalogue.edges))):
        strangers = sorted({item for item in items if item not in known})
        if strangers:
            raise ImportRefused(
                f"{where}: {name} name {len(strangers)} items that are not among the {len(known)} items (first: {strangers[0]!r}): "
                f"add them to the items file, or import with --skip-unknown to leave those rows out"
            )


def catalogue_digest(catalogue: Catalogue) -> str:
    """16 hex digits over the sorted items, edges and interactions; the same graphs have the same digest whatever the row order."""
    digest = hashlib.sha256()
    for rows in (catalogue.items, catalogue.attributes, catalogue.edges, catalogue.interactions):
        for line in sorted(map(repr, rows)):
            digest.update(line.encode())
        digest.update(b"\0")
    return digest.hexdigest()[:16]
