"""The two graphs in memory: item–attribute for truth, user–item for taste. Read once from the store, never changed.

Dicts and frozensets serve scoring, `networkx` views serve agents and plots, index arrays serve LightGCN.
"""

import re
from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property

import networkx as nx
import numpy as np

from data_engine.importers.ratings import liked_sql
from data_engine.schema import Condition
from data_engine.store.database import Store

Edge = tuple[str, str]  # (relation, attribute id): R_x of the paper is a set of these

_NUMBER = re.compile(r"[0-9]+\.?[0-9]*|\.[0-9]+")


def number(name: str) -> float | None:
    """The number that a name is, None for words."""
    return float(name) if _NUMBER.fullmatch(name) else None


@dataclass(frozen=True)
class AttributeGraph:
    """G_attr. titles: item → title; names: attribute → surface; edges: item → relation → attribute ids in credit order."""

    titles: dict[str, str]
    names: dict[str, str]
    edges: dict[str, dict[str, tuple[str, ...]]]

    @classmethod
    def from_store(cls, store: Store) -> "AttributeGraph":
        """Read titles, names and edges."""
        edges: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
        for item, relation, attribute in store.rows(
            "SELECT item_id, relation, attribute_id FROM edges ORDER BY item_id, relation, position, attribute_id"
        ):
            edges[item][relation].append(attribute)
        return cls(
            dict(store.rows("SELECT item_id, title FROM items ORDER BY item_id")),
            dict(store.rows("SELECT attribute_id, name FROM attributes ORDER BY attribute_id")),
            {
                item: {relation: tuple(values) for relation, values in by.items()}
                for item, by in edges.items()
            },
        )

    @cached_property
    def edge_sets(self) -> dict[str, frozenset[Edge]]:
        """R_x: item → its (relation, attribute) edges; items without edges are absent."""
        return {
            item: frozenset((r, v) for r, values in by.items() for v in values)
            for item, by in self.edges.items()
        }

    @cached_property
    def holders(self) -> dict[Edge, tuple[str, ...]]:
        """(relation, attribute) → the items that have it, in id order."""
        held = defaultdict(list)
        for item in sorted(self.edges):
            for edge in sorted(self.edge_sets[item]):
                held[edge].append(item)
        return {edge: tuple(items) for edge, items in held.items()}

    def values(self, item: str, relation: str) -> tuple[str, ...]:
        """The attribute ids that a relation lists for an item, in credit order; () where it is not known."""
        return self.edges.get(item, {}).get(relation, ())

    def has(self, item: str, relation: str, value: str) -> bool:
        """Whether the edge is in the graph. Absent is not proof of false: see `excludes`."""
        return value in self.values(item, relation)

    def excludes(self, item: str, relation: str, value: str) -> bool:
        """Whether the graph speaks against the edge: the relation is known for the item and lists other values only."""
        known = self.values(item, relation)
        return bool(known) and value not in known

    def judge(self, item: str, condition: Condition) -> bool | None:
        """Whether the item meets the condition; None where the relation is not known for it."""
        known = self.values(item, condition.relation)
        if not known:
            return None
        if condition.op in ("is", "not"):
            return (condition.value in known) == (condition.op == "is")
        numbers = [number(self.names[value]) for value in known]
        if None in numbers:
            return None
        return all(
            n < float(condition.value) if condition.op == "below" else n > float(condition.value)
            for n in numbers
        )

    def fits(self, item: str, conditions: tuple[Condition, ...]) -> bool | None:
        """Whether the item meets every condition: False as soon as one is missed, None where the graph cannot say of one."""
        sure = True
        for condition in conditions:
            verdict = self.judge(item, condition)
            if verdict is False:
                return False
            sure &= verdict is True
        return sure or None

    def meets(self, item: str, conditions: tuple[Condition, ...]) -> bool:
        """Whether the graph proves that the item meets every condition."""
        return self.fits(item, conditions) is True

    def misses(self, item: str, conditions: tuple[Condition, ...]) -> bool:
        """Whether the graph proves that the item misses a condition."""
        return self.fits(item, conditions) is False

    @cached_property
    def numeric(self) -> tuple[str, ...]:
        """The relations whose values are all numbers, sorted."""
        worded = {r for r, v in self.holders if number(self.names[v]) is None}
        return tuple(r for r in self.relations if r not in worded)

    def neighbourhood(self, item: str, hops: int = 2) -> nx.Graph:
        """The part of the graph within `hops` of an item. Item nodes are ("item", id), attribute nodes ("attribute", id)."""
        graph, frontier = nx.Graph(), [("item", item)]
        for _ in range(hops):
            reached = []
            for kind, node in frontier:
                edges = self.edge_sets.get(node, frozenset()) if kind == "item" else ()
                pairs = [((kind, node), r, ("attribute", v)) for r, v in sorted(edges)]
                if kind == "attribute":
                    pairs = [
                        ((kind, node), r, ("item", i))
                        for r in self.relations
                        for i in self.holders.get((r, node), ())
                    ]
                for here, relation, there in pairs:
                    if there not in graph:
                        reached.append(there)
                    graph.add_edge(here, there, relation=relation)
            frontier = reached
        for kind, node in graph:
            graph.nodes[kind, node]["label"] = (
                self.titles[node] if kind == "item" else self.names[node]
            )
        return graph

    def as_networkx(self) -> nx.Graph:
        """The whole graph, nodes and labels as in `neighbourhood`."""
        graph = nx.Graph()
        graph.add_nodes_from((("item", i), {"label": t}) for i, t in self.titles.items())
        graph.add_nodes_from((("attribute", a), {"label": n}) for a, n in self.names.items())
        graph.add_edges_from(
            (("item", i), ("attribute", v), {"relation": r})
            for i, by in self.edges.items()
            for r, vs in by.items()
            for v in vs
        )
        return graph

    @cached_property
    def relations(self) -> tuple[str, ...]:
        """Every relation in use, sorted."""
        return tuple(sorted({relation for by in self.edges.values() for relation in by}))


@dataclass(frozen=True)
class InteractionGraph:
    """The user–item graph as arrays of equal length: user and item indices, rating (nan: unknown), time (-1: unknown), and `positive`.

    Positive is what the source says is liked; where it does not say, what is rated as high as the store's scale asks (4 of 5), or not rated at
    all (implicit feedback).
    """

    users: list[str]
    items: list[str]
    user: np.ndarray
    item: np.ndarray
    rating: np.ndarray
    time: np.ndarray
    positive: np.ndarray

    @classmethod
    def from_store(cls, store: Store) -> "InteractionGraph":
        """Read the interactions in (user, time, item) order; every catalogue item has an index, watched or not."""
        users = [
            user for (user,) in store.rows("SELECT DISTINCT user_id FROM interactions ORDER BY 1")
        ]
        items = [item for (item,) in store.rows("SELECT item_id FROM items ORDER BY 1")]
        rows = store.db.execute(
            "WITH u AS (SELECT user_id, row_number() OVER (ORDER BY user_id) - 1 AS n FROM (SELECT DISTINCT user_id FROM interactions)), "
            "i AS (SELECT item_id, row_number() OVER (ORDER BY item_id) - 1 AS n FROM items) "
            "SELECT u.n AS user, i.n AS item, coalesce(rating, 'nan') AS rating, coalesce(timestamp, -1) AS time, "
            f"{liked_sql(store.scale.liked_from)} AS liked FROM interactions JOIN u USING (user_id) JOIN i USING (item_id) "
            "ORDER BY u.n, timestamp NULLS FIRST, i.n"
        ).fetchnumpy()
        return cls(
            users,
            items,
            *(np.asarray(rows[name]) for name in ("user", "item", "rating", "time", "liked")),
        )

    @property
    def has_time(self) -> bool:
        """Whether every interaction has a time."""
        return bool((self.time >= 0).all())

    @cached_property
    def liked(self) -> dict[str, tuple[str, ...]]:
        """User → liked items, oldest first."""
        by = defaultdict(list)
        for u, i in zip(self.user[self.positive], self.item[self.positive], strict=True):
            by[self.users[u]].append(self.items[i])
        return {user: tuple(items) for user, items in by.items()}
