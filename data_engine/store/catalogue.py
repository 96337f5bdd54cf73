"""What a store can be filled from: the interface of importers, and a catalogue held in memory."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import duckdb

from data_engine.errors import ImportRefused
from data_engine.store.sql import append


class Filler(Protocol):
    """An importer: a named thing that fills empty tables of a store."""

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


@dataclass(frozen=True)
class Catalogue:
    """A catalogue as rows in memory, for what is invented rather than read.

    items: (id, title). attributes: (id, name). edges: (item, relation, attribute, position),
    position 0 first in the credits. interactions: (user, item, rating, unix seconds), rating and
    time None where unknown. users: (id, age, gender, occupation).
    """

    domain: str
    name: str
    items: list[tuple[str, str]]
    attributes: list[tuple[str, str]]
    edges: list[tuple[str, str, str, int]]
    interactions: Sequence[tuple[str, str, float | None, int | None]]
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
