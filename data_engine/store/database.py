"""The one DuckDB file that holds a catalogue, its interactions, its embeddings and its Examples.

Writers replace a whole part in one transaction, so a reader (or a kill -9) sees the old state or
the new one.
"""

import gc
import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from itertools import islice
from typing import NamedTuple

import duckdb
import numpy as np
from pydantic import ValidationError

from data_engine.errors import DataError, ImportRefused
from data_engine.runtime.config import first_problem
from data_engine.schema import Example
from data_engine.store.catalogue import Filler, Source
from data_engine.store.connection import Connection
from data_engine.store.finishing import STRICT, ImportOptions, ImportReport, finish_import
from data_engine.store.migrations import EXAMPLES
from data_engine.store.notes import clear_notes
from data_engine.store.ratings import USUAL, Scale
from data_engine.store.sql import Row, append, first_line, one_row

GRAPHS = ("items", "attributes", "edges", "interactions")
CATALOGUE = (*GRAPHS, "users", "links")
EXAMPLE_COLUMNS = ("example_id", "position", "split", "kind", "gold", "near", "body")
WRITTEN, READ = 500, 256  # Examples held in memory at a time


class ScoringFacts(NamedTuple):
    """What the reward server needs to know of an Example.

    near: candidates, anchors and history. named: anchors. conditions: (op, relation, value) each.
    """

    example_id: str
    gold: frozenset[str]
    near: frozenset[str]
    named: frozenset[str]
    conditions: tuple[tuple[str, str, str], ...]


class Store(Connection):
    """Catalogue, embeddings and Examples of one file; open it with `Store.open`."""

    @property
    def graph_digest(self) -> str:
        """16 hex digits over titles, edges and interactions: the identity of the two graphs.

        Raises DataError before an import.
        """
        digest = self.meta("graph_digest")
        if digest is None:
            raise DataError(
                f"the store {self.path} holds no catalogue: run `rerec data import` first"
            )
        return str(digest)

    @property
    def scale(self) -> Scale:
        """The scale of the ratings, and from where on one is a like."""
        known = self.meta("rating_scale")
        return USUAL if known is None else Scale.model_validate(known)

    def counts(self) -> dict[str, int]:
        """Rows of each part of the catalogue."""
        return {table: self.rows(f"SELECT count(*) FROM {table}")[0][0] for table in CATALOGUE}

    # -- catalogue ---------------------------------------------------------------------------------
    def replace_catalogue(self, source: Source, options: ImportOptions = STRICT) -> ImportReport:
        """Swap in a whole catalogue, in one transaction; embeddings and Examples of the old one go
        with it.

        Raises ImportRefused when there is no item, no edge or no interaction, when one names an
        unknown item, or when more rows than tolerated cannot be read; the old state then stays.
        """
        with self.transaction():
            for table in (*CATALOGUE, "meta"):
                self.db.execute(f"DELETE FROM {table}")
            report = self._fill(source, options)
            self.set_meta("domain", source.domain)
            self.set_meta("source", source.name)
        return report

    def replace_attributes(self, source: Filler, options: ImportOptions = STRICT) -> ImportReport:
        """Swap in another attribute graph for the same items and interactions; otherwise as
        `replace_catalogue`.
        """
        _ = self.graph_digest  # raises where there is no catalogue yet
        with self.transaction():
            self.db.execute("DELETE FROM edges")
            self.db.execute("DELETE FROM attributes")
            return self._fill(source, options, interactions=False)

    def drop_derived(self) -> None:
        """After a change of the graphs: a new digest, and away with the embeddings and Examples of
        the old one. Inside a transaction.
        """
        self.db.execute("DELETE FROM embeddings")
        self.db.execute("DELETE FROM examples")
        self.db.execute("DELETE FROM meta WHERE key = 'embeddings'")
        self.set_meta("graph_digest", self._digest())

    def _fill(
        self, source: Filler, options: ImportOptions, *, interactions: bool = True
    ) -> ImportReport:
        try:
            clear_notes(self.db)
            self.db.execute("SET TimeZone = 'UTC'")  # of times without a zone
            source.fill(self.db)
            report = finish_import(self.db, source.name, options, interactions=interactions)
        except duckdb.Error as error:
            raise ImportRefused(f"{source.name}: cannot be read: {first_line(error)}") from error
        if report.scale:
            self.set_meta("rating_scale", report.scale.model_dump())
        self.drop_derived()
        return report

    def _digest(self) -> str:
        """The same graphs have the same digest whatever the order of their rows."""
        digest = hashlib.sha256()
        for table in GRAPHS:
            columns = [name for name, *_ in self.rows(f"DESCRIBE {table}")]
            text = " || chr(31) || ".join(
                f"coalesce(CAST({column} AS VARCHAR), chr(30))" for column in columns
            )
            row = one_row(self.db, f"SELECT count(*), sum(md5_number_lower({text})) FROM {table}")
            digest.update(repr(row).encode())
        if self.scale.liked_from != USUAL.liked_from:  # likes are part of the interaction graph
            digest.update(repr(self.scale.liked_from).encode())
        return digest.hexdigest()[:16]

    # -- embeddings --------------------------------------------------------------------------------
    def save_embeddings(
        self, items: list[str], vectors: np.ndarray, facts: Mapping[str, object]
    ) -> None:
        """Replace the item embeddings, shape (items, dims); `facts` (digest, seed, figures) are
        kept beside them.
        """
        rows = list(zip(items, vectors.astype(np.float32).tolist(), strict=True))
        with self.transaction():
            self.db.execute("DELETE FROM embeddings")
            append(self.db, "embeddings", ("item_id", "vector"), rows)
            self.set_meta("embeddings", {**facts, "graph_digest": self.graph_digest})

    def embeddings(self) -> dict[str, np.ndarray]:
        """Item id → vector; empty before `rerec data embed`.

        Raises DataError when they were made from another graph.
        """
        facts = self.meta("embeddings")
        if facts is None:
            return {}
        if facts["graph_digest"] != self.graph_digest:
            raise DataError(
                f"the embeddings belong to graph {facts['graph_digest']}, the store holds "
                f"{self.graph_digest}: run `rerec data embed`"
            )
        return {
            item: np.asarray(vector, np.float32)
            for item, vector in self.rows("SELECT item_id, vector FROM embeddings")
        }

    # -- examples ----------------------------------------------------------------------------------
    def replace_examples(self, examples: Iterable[Example], *, benchmark: bool = False) -> None:
        """Swap in a whole set of Examples, in order: those of the benchmark split, or all others.

        Raises DataError when two Examples are the same.
        """
        rows = (_row(example, n) for n, example in enumerate(examples))
        # Filled bit by bit: one transaction would hold the whole set in memory.
        self.db.execute(f"CREATE OR REPLACE TABLE arriving {EXAMPLES}")
        try:
            while some := list(islice(rows, WRITTEN)):
                append(self.db, "arriving", EXAMPLE_COLUMNS, some)
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
            with suppress(duckdb.Error):  # must not hide what went wrong; the next call replaces it
                self.db.execute("DROP TABLE IF EXISTS arriving")

    def targets(self) -> Iterator[ScoringFacts]:
        """All that scoring needs of every Example, without reading whole records."""
        cursor = self.db.cursor().execute("""
            SELECT example_id, gold, near, json_extract_string(body, '$.anchors[*]'),
                json_extract_string(body, '$.conditions[*].relation'),
                json_extract_string(body, '$.conditions[*].value'),
                json_extract_string(body, '$.conditions[*].op') FROM examples""")
        while rows := cursor.fetchmany(4096):
            for example, gold, near, named, relations, values, ops in rows:
                known_ops = ops or ["is"] * len(values)  # records of version 1 have no op
                conditions = tuple(zip(known_ops, relations, values, strict=True))
                yield ScoringFacts(
                    example, frozenset(gold), frozenset(near), frozenset(named), conditions
                )

    def stream(self, split: str | None = None) -> Iterator[Example]:
        """Examples in their stored order, of one split or of all, a few in memory at a time."""
        cursor = self.db.cursor().execute(
            "SELECT example_id, body FROM examples WHERE ? IS NULL OR split = ? "
            "ORDER BY split = 'benchmark', position",
            [split, split],
        )
        while bodies := cursor.fetchmany(READ):
            yield from (self._read(*row) for row in bodies)

    def example(self, example_id: str) -> Example | None:
        """The Example of that id, None when there is none."""
        rows = self.rows("SELECT body FROM examples WHERE example_id = ?", [example_id])
        return self._read(example_id, rows[0][0]) if rows else None

    def _read(self, example_id: str, body: str) -> Example:
        try:
            return Example.model_validate_json(body)
        except ValidationError as error:
            raise DataError(
                f"Example {example_id} of {self.path} is damaged "
                f"({': '.join(first_problem(error))}): run `rerec synth` again"
            ) from error

    def examples(self, split: str | None = None, limit: int | None = None) -> list[Example]:
        """Examples in their stored order, of one split or of all; at most `limit`."""
        # The collector would walk a growing heap of records that are all kept: twice the time.
        gc.disable()
        try:
            return list(islice(self.stream(split), limit))
        finally:
            gc.enable()


def _row(example: Example, position: int) -> Row:
    """An Example in the order of EXAMPLE_COLUMNS; `near` are all items it speaks of."""
    near = [*example.candidates, *example.anchors, *example.history]
    return (
        example.example_id,
        position,
        example.split,
        example.kind,
        list(example.gold),
        near,
        example.model_dump_json(),
    )
