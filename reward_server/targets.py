"""What the Examples of a store are scored by: all that a server needs to know of them."""

from dataclasses import dataclass
from functools import lru_cache

from data_engine.graphs.mapped import MappedGraph, Requirements
from data_engine.store.database import Store


@dataclass(frozen=True, eq=False)  # compared by identity, so that look-ups in caches are quick
class Target:
    """One Example. gold: its right items. near: its candidates, anchors and history. named: the
    items that the query names. required: its conditions, None where it has none.
    """

    gold: frozenset[str]
    near: frozenset[str]
    named: frozenset[str]
    required: Requirements | None


def read_targets(store: Store, graph: MappedGraph) -> dict[str, Target]:
    """Example id → Target, for all Examples of a store."""
    required = lru_cache(None)(graph.requirements)  # one object for all queries that ask alike
    return {
        example: Target(gold, near, named, required(conditions) if conditions else None)
        for example, gold, near, named, conditions in store.targets()
    }
