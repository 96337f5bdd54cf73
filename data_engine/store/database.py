"""The one DuckDB file that holds a catalogue, its interactions, its embeddings and its Examples.

Writers replace a whole part in one transaction, so a reader (or a kill -9) sees the old state or the new one.
"""

import gc
import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Protocol

import duckdb
import numpy as np

from data_engine.errors import DataError, ImportRefused
from data_engine.schema import Example
from data_engine.store.filling import STRICT, ImportOptions, Settled, append, forget_rejects, settle
from data_engine.store.migrations import EXAMPLES, MIGRATIONS, migrate, refuse_foreign, version
from data_engine.store.ratings import USUAL, Scale

GRAPHS = ("items", "attributes", "edges", "interactions")
CATALOGUE = (*GRAPHS, "users", "links")


@dataclass(frozen=True)
class Catalogue:
    """A catalogue as rows in memory, for what is invented rather than read.

    items: (id, title); attributes: (id, name); edges: (item, relation, attribute, position), position 0 first in the credits;
    interactions: (user, item, rating, unix seconds), rating and time None where unknown; users: (id, age, gender, occupation).
    """

    domain: str
    name: str
    items: list[tuple[str, str]]
    attributes: list[tuple[str, str]]
    edges: list[tuple[str, str, str, int]]
    interactions: list[tuple[str, str, float | None, int | None]]
    users: list[tuple[str, str | None, str | None, str | None]] = field(default_factory=list)

    def fill(self, db: duckdb.DuckDBPyConnection) -> None:
        """Put the rows into the empty tables. Raises ImportRefused when items share an id."""
        known = {item for item, _ in self.items}
        if len(known) < len(self.items):
            raise ImportRefused(
                f"{len(self.items) - len(known)} items share an id with another: ids must be unique"
            )
        append(db, "items", ("item_id", "title"), self.items)
        append(db, "attributes", ("attribute_id", "name"), self.attributes)
        append(db, "edges", ("item_id", "relation", "attribute_id", "position"), self.edges)
        append(db, "interactions", ("user_id", "item_id", "rating", "timestamp"), self.interactions)
        append(db, "users", ("user_id", "age", "gender", "occupation"), self.users)


class Filler(Protocol):
    """What an importer is: a named thing that fills empty tables of a store."""

    @property
    def name(self) -> str:
        """For messages, and as the store's source."""

    def fill(self, db: duckdb.DuckDBPyConnection) -> None:
        """Put rows into the tables. Raises ImportRefused."""


class Source(Filler, Protocol):
    """An importer of a whole catalogue; `domain` is what the items are, in the plural."""

    @property
    def domain(self) -> str:
        """movies, books …"""


_DAMAGED = (
    duckdb.IOException,
    duckdb.SerializationException,
    duckdb.FatalException,
    duckdb.InternalException,
)


class Store:
    """Open with `Store.open`, close with `close` or a `with` block. Raises DataError when the file is missing, locked or no store."""

    def __init__(self, db: duckdb.DuckDBPyConnection, path: Path) -> None:
        self.db, self.path = db, path

    @classmethod
    def open(cls, path: Path | str, *, create: bool = False, read_only: bool = False) -> "Store":
        """Open the store at `path`. `create` makes it (and its folder) when absent; `read_only` lets several processes read."""
        path = Path(path)
        if not create and not path.is_file():
            raise DataError(
                f"no store at {path}: make one with `rerec data import world --store {path}`"
            )
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            db = duckdb.connect(str(path), read_only=read_only)
            try:
                refuse_foreign(db, path, new=create)
                if read_only and version(db) < len(
                    MIGRATIONS
                ):  # written by an older rerec: bring it up to date first
                    db.close()
                    cls.open(path).close()
                    db = duckdb.connect(str(path), read_only=True)
                if not read_only:
                    migrate(db)
            except BaseException:
                db.close()
                raise
        except (*_DAMAGED, duckdb.InvalidInputException) as error:
            raise DataError(
                f"cannot open the store {path}: {str(error).splitlines()[0]}"
            ) from error
        return cls(db, path)

    def __enter__(self) -> "Store":
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        """Close. A file cut short or replaced under our eyes is DuckDB's IO error; here it becomes a DataError."""
        self.close()
        if isinstance(error, _DAMAGED):
            raise DataError(
                f"cannot read or write the store {self.path}: {str(error).splitlines()[0]}"
            ) from error

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
            with suppress(
                duckdb.Error
            ):  # a clean-up that fails must not hide what went wrong first
                self.db.rollback()
                self.db.execute("RESET preserve_insertion_order")
            raise
        try:
            self.db.commit()
        except duckdb.Error as error:  # a full disk, mostly
            raise DataError(
                f"{self.path} could not be written, the old state stays: {str(error).splitlines()[0]}"
            ) from error

    # -- meta ------------------------------------------------------------------------------------------------------
    def set_meta(self, key: str, value: object) -> None:
        """Remember a JSON value under `key`."""
        self.db.execute(
            "INSERT OR REPLACE INTO meta VALUES (?, ?)", [key, json.dumps(value, sort_keys=True)]
        )

    def meta(self, key: str, default: object = None) -> object:
        """The JSON value under `key`, or `default`."""
        rows = self.rows(
            "SELECT value FROM meta WHERE key = ?", [key]
        )  # all of them: an unfinished result blocks the connection
        return json.loads(rows[0][0]) if rows else default

    @property
    def graph_digest(self) -> str:
        """16 hex digits over titles, edges and interactions: the identity of the two graphs. Raises DataError before an import."""
        digest = self.meta("graph_digest")
        if digest is None:
            raise DataError(
                f"the store {self.path} holds no catalogue: run `rerec data import` first"
            )
        return str(digest)

    # -- catalogue ---------------------------------------------------------------------------------------------------
    def replace_catalogue(self, source: Source, options: ImportOptions = STRICT) -> Settled:
        """Swap in a whole catalogue, in one transaction; embeddings and Examples of the old one go with it. Returns what was left out.

        Raises ImportRefused when there is no item, no edge or no interaction, when one names an unknown item, or when more rows than
        tolerated cannot be read; the old state then stays.
        """
        with self.transaction():
            for table in (*CATALOGUE, "meta"):
                self.db.execute(f"DELETE FROM {table}")
            settled = self._fill(source, options)
            self.set_meta("domain", source.domain)
            self.set_meta("source", source.name)
        return settled

    @property
    def scale(self) -> Scale:
        """The scale of the ratings, and from where on one is a like."""
        known = self.meta("rating_scale")
        return USUAL if known is None else Scale.model_validate(known)

    def replace_attributes(self, source: Filler, options: ImportOptions = STRICT) -> Settled:
        """Swap in another attribute graph for the same items and interactions; otherwise as `replace_catalogue`."""
        _ = self.graph_digest  # raises where there is no catalogue yet
        with self.transaction():
            self.db.execute("DELETE FROM edges")
            self.db.execute("DELETE FROM attributes")
            return self._fill(source, options, interactions=False)

    def forget_derived(self) -> None:
        """After a change of the graphs: a new digest, and away with the embeddings and Examples of the old one. Inside a transaction."""
        self.db.execute("DELETE FROM embeddings")
        self.db.execute("DELETE FROM examples")
        self.db.execute("DELETE FROM meta WHERE key = 'embeddings'")
        self.set_meta("graph_digest", self._digest())

    def _fill(
        self, source: Filler, options: ImportOptions, *, interactions: bool = True
    ) -> Settled:
        try:
            forget_rejects(self.db)
            self.db.execute("SET TimeZone = 'UTC'")  # of times without a zone
            source.fill(self.db)
            settled = settle(self.db, source.name, options, interactions=interactions)
        except duckdb.Error as error:
            raise ImportRefused(
                f"{source.name}: cannot be read: {str(error).splitlines()[0]}"
            ) from error
        if settled.scale:
            self.set_meta("rating_scale", settled.scale.model_dump())
        self.forget_derived()
        return settled

    def _digest(self) -> str:
        """The same graphs have the same digest whatever the order of their rows."""
        digest = hashlib.sha256()
        for table in GRAPHS:
            columns = [row[0] for row in self.db.execute(f"DESCRIBE {table}").fetchall()]
            text = " || chr(31) || ".join(
                f"coalesce(CAST({column} AS VARCHAR), chr(30))" for column in columns
            )
            digest.update(
                repr(
                    self.rows(f"SELECT count(*), sum(md5_number_lower({text})) FROM {table}")[0]
                ).encode()
            )
        if (
            self.scale.liked_from != USUAL.liked_from
        ):  # what is liked is part of the interaction graph
            digest.update(repr(self.scale.liked_from).encode())
        return digest.hexdigest()[:16]

    def counts(self) -> dict[str, int]:
        """Rows of each part of the catalogue."""
        return {table: self.rows(f"SELECT count(*) FROM {table}")[0][0] for table in CATALOGUE}

    def rows(self, query: str, parameters: Iterable[object] = ()) -> list[tuple]:
        """All rows of a query."""
        return self.db.execute(query, list(parameters)).fetchall()

    # -- embeddings --------------------------------------------------------------------------------------------------
    def save_embeddings(
        self, items: list[str], vectors: np.ndarray, facts: dict[str, object]
    ) -> None:
        """Replace the item embeddings, shape (items, dims); `facts` (digest, seed, figures) are kept beside them."""
        with self.transaction():
            self.db.execute("DELETE FROM embeddings")
            append(
                self.db,
                "embeddings",
                ("item_id", "vector"),
                list(zip(items, vectors.astype(np.float32).tolist(), strict=True)),
            )
            self.set_meta("embeddings", facts | {"graph_digest": self.graph_digest})

    def embeddings(self) -> dict[str, np.ndarray]:
        """Item id → vector; empty before `rerec data embed`. Raises DataError when they were made from another graph."""
        facts = self.meta("embeddings")
        if facts is None:
            return {}
        if facts["graph_digest"] != self.graph_digest:
            raise DataError(
                f"the embeddings belong to graph {facts['graph_digest']}, the store holds {self.graph_digest}: run `rerec data embed`"
            )
        return {
            item: np.asarray(vector, np.float32)
            for item, vector in self.rows("SELECT item_id, vector FROM embeddings")
        }

    # -- examples ----------------------------------------------------------------------------------------------------
    def replace_examples(self, examples: Iterable[Example], *, benchmark: bool = False) -> None:
        """Swap in a whole set of Examples, in order: those of the benchmark split, or all others. `near` are all items an Example speaks
        of: candidates, anchors, history. Raises DataError when two Examples are the same.
        """
        rows = (
            (
                e.example_id,
                n,
                e.split,
                e.kind,
                list(e.gold),
                [*e.candidates, *e.anchors, *e.history],
                e.model_dump_json(),
            )
            for n, e in enumerate(examples)
        )
        self.db.execute(
            f"CREATE OR REPLACE TABLE arriving {EXAMPLES}"
        )  # filled bit by bit: one transaction would hold the whole set in memory
        try:
            while some := list(islice(rows, 500)):
                append(
                    self.db,
                    "arriving",
                    ("example_id", "position", "split", "kind", "gold", "near", "body"),
                    some,
                )
            with self.transaction():
                self.db.execute(
                    "INSERT INTO arriving SELECT * FROM examples WHERE (split = 'benchmark') <> ?",
                    [benchmark],
                )
                self.db.execute("DROP TABLE examples")
                self.db.execute("ALTER TABLE arriving RENAME TO examples")
        except duckdb.ConstraintException as error:
            found = re.search(r"example_id: ([^\s\"]+)", str(error))
            raise DataError(
                f"Example {found[1] if found else ''} occurs twice: one query, one Example"
            ) from error
        finally:
            with suppress(
                duckdb.Error
            ):  # must not hide what went wrong first; the next call replaces the table
                self.db.execute("DROP TABLE IF EXISTS arriving")

    def targets(
        self,
    ) -> Iterator[
        tuple[str, frozenset[str], frozenset[str], frozenset[str], tuple[tuple[str, str, str], ...]]
    ]:
        """(example id, gold items, items near it, items it names, conditions as (op, relation, value)): all that scoring needs, without reading
        whole records."""
        cursor = self.db.cursor().execute(
            "SELECT example_id, gold, near, json_extract_string(body, '$.anchors[*]'), json_extract_string(body, '$.conditions[*].relation'), "
            "json_extract_string(body, '$.conditions[*].value'), json_extract_string(body, '$.conditions[*].op') FROM examples"
        )
        while rows := cursor.fetchmany(4096):
            for example, gold, near, named, relations, values, ops in rows:
                asked = zip(
                    ops or ["is"] * len(values), relations, values, strict=True
                )  # records of version 1 have no op
                yield example, frozenset(gold), frozenset(near), frozenset(named), tuple(asked)

    def stream(self, split: str | None = None) -> Iterator[Example]:
        """Examples in their stored order, of one split or of all, a few in memory at a time."""
        cursor = self.db.cursor().execute(
            "SELECT body FROM examples WHERE ? IS NULL OR split = ? ORDER BY split = 'benchmark', position",
            [split, split],
        )
        while bodies := cursor.fetchmany(256):
            yield from (Example.model_validate_json(body) for (body,) in bodies)

    def example(self, example_id: str) -> Example | None:
        """The Example of that id, None when there is none."""
        rows = self.rows("SELECT body FROM examples WHERE example_id = ?", [example_id])
        return Example.model_validate_json(rows[0][0]) if rows else None

    def examples(self, split: str | None = None, limit: int | None = None) -> list[Example]:
        """Examples in their stored order, of one split or of all; at most `limit`."""
        gc.disable()  # the collector would walk a growing heap of records that are all kept: twice the time
        try:
            return list(islice(self.stream(split), limit))
        finally:
            gc.enable()
