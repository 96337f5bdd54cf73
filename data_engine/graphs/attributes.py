"""The item–attribute graph in dicts: made for walks over the whole of it. Read once, never
changed.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import networkx as nx

from data_engine.facts import Facts, number
from data_engine.schema import Condition
from data_engine.store.database import Store

Edge = tuple[str, str]  # (relation, attribute id): R_x of the paper is a set of these
Node = tuple[str, str]  # ("item", item id) or ("attribute", attribute id)


@dataclass(frozen=True)
class AttributeGraph(Facts):
    """G_attr of ReRec (arXiv 2604.07851).

    titles: item → title. names: attribute → name. edges: item → relation → attribute ids, in credit
    order.
    """

    titles: dict[str, str]
    names: dict[str, str]
    edges: dict[str, dict[str, tuple[str, ...]]]

    @classmethod
    def from_store(cls, store: Store) -> "AttributeGraph":
        """Read titles, names and edges."""
        edges: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
        for item, relation, attribute in store.rows(
            "SELECT item_id, relation, attribute_id FROM edges "
            "ORDER BY item_id, relation, position, attribute_id"
        ):
            edges[item][relation].append(attribute)
        return cls(
            dict(store.rows("SELECT item_id, title FROM items ORDER BY item_id")),
            dict(store.rows("SELECT attribute_id, name FROM attributes ORDER BY attribute_id")),
            {item: _frozen(by_relation) for item, by_relation in edges.items()},
        )

    @cached_property
    def edge_sets(self) -> dict[str, frozenset[Edge]]:
        """R_x: item → its (relation, attribute) edges; items without edges are absent."""
        return {item: _edges(by_relation) for item, by_relation in self.edges.items()}

    @cached_property
    def items_by_edge(self) -> dict[Edge, tuple[str, ...]]:
        """(relation, attribute) → the items that have it, in id order."""
        items: dict[Edge, list[str]] = defaultdict(list)
        for item in sorted(self.edges):
            for edge in sorted(self.edge_sets[item]):
                items[edge].append(item)
        return {edge: tuple(having) for edge, having in items.items()}

    @cached_property
    def relations(self) -> tuple[str, ...]:
        """Every relation in use, sorted."""
        return tuple(sorted(set().union(*self.edges.values())))

    @cached_property
    def numeric(self) -> tuple[str, ...]:
        """The relations whose values are all numbers, sorted."""
        worded = {r for r, v in self.items_by_edge if number(self.names[v]) is None}
        return tuple(r for r in self.relations if r not in worded)

    def values(self, item: str, relation: str) -> tuple[str, ...]:
        """See Facts."""
        return self.edges.get(item, {}).get(relation, ())

    def holders(self, relation: str, value: str) -> tuple[str, ...]:
        """See Facts."""
        return self.items_by_edge.get((relation, value), ())

    def judge(self, item: str, condition: Condition) -> bool | None:
        """See Facts."""
        known = self.values(item, condition.relation)
        if not known:
            return None
        if condition.op in ("is", "not"):
            return (condition.value in known) == (condition.op == "is")
        bound = float(condition.value)
        sides = set()
        for value in known:
            found = number(self.names[value])
            if found is None:
                return None
            sides.add(found < bound if condition.op == "below" else found > bound)
        return sides == {True}

    def neighbourhood(self, item: str, hops: int = 2) -> nx.Graph:
        """The part of the graph within `hops` of an item; nodes carry a `label`, edges a
        `relation`.
        """
        graph, frontier = nx.Graph(), [("item", item)]
        for _ in range(hops):
            reached = []
            for node in frontier:
                for relation, neighbour in self._neighbours(node):
                    if neighbour not in graph:
                        reached.append(neighbour)
                    graph.add_edge(node, neighbour, relation=relation)
            frontier = reached
        for kind, identity in graph:
            names = self.titles if kind == "item" else self.names
            graph.nodes[kind, identity]["label"] = names[identity]
        return graph

    def _neighbours(self, node: Node) -> list[tuple[str, Node]]:
        """(relation, node) of every edge of a node, in the order of the relations."""
        kind, identity = node
        if kind == "item":
            edges = self.edge_sets.get(identity, frozenset())
            return [(relation, ("attribute", value)) for relation, value in sorted(edges)]
        found: list[tuple[str, Node]] = []
        for relation in self.relations:
            found += [(relation, ("item", item)) for item in self.holders(relation, identity)]
        return found

    def as_networkx(self) -> nx.Graph:
        """The whole graph, nodes and labels as in `neighbourhood`."""
        graph = nx.Graph()
        graph.add_nodes_from((("item", i), {"label": t}) for i, t in self.titles.items())
        graph.add_nodes_from((("attribute", a), {"label": n}) for a, n in self.names.items())
        for item, by_relation in self.edges.items():
            for relation, values in by_relation.items():
                for value in values:
                    graph.add_edge(("item", item), ("attribute", value), relation=relation)
        return graph


def _edges(by_relation: Mapping[str, tuple[str, ...]]) -> frozenset[Edge]:
    found: list[Edge] = []
    for relation, values in by_relation.items():
        found += [(relation, value) for value in values]
    return frozenset(found)


def _frozen(values_by_relation: dict[str, list[str]]) -> dict[str, tuple[str, ...]]:
    return {relation: tuple(values) for relation, values in values_by_relation.items()}
