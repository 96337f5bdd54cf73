"""The attribute graph over memory-mapped arrays: for processes that ask about a few items at a
time.

An edge of an item is a code: the relation's number in the upper 32 bits, the attribute's number in
the lower. Sets of codes are small and quick, so conditions are compiled to codes once.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from data_engine.facts import Facts, all_hold, number
from data_engine.graphs.arrays import GraphArrays
from data_engine.schema import Condition

CACHED = 65_536
ATTRIBUTE = 0xFFFFFFFF  # the bits of a code that are the attribute's number
RELATION_BITS = 16  # of a relation's number, as GraphArrays stores it


@dataclass(frozen=True, eq=False)  # compared by identity, so that look-ups in caches are quick
class CompiledCondition:
    """A Condition over the codes of one graph.

    Where its relation is known for an item, the item meets it when `holds` is whether the item has
    one of `codes`; nothing can be said where the item has one of `words` (values of a bound's
    relation that are no numbers, which are among `codes` too).
    """

    relation: int
    codes: frozenset[int]
    holds: bool
    words: frozenset[int] = frozenset()


@dataclass(frozen=True, eq=False)
class Requirements:
    """All conditions of one query, and the relations they speak of."""

    conditions: tuple[CompiledCondition, ...]
    relations: frozenset[str]


class MappedGraph(Facts):
    """`edges(item)`: its codes; `known(item)`: the numbers of the relations known for it. Both are
    empty for an item that is not in the graph.
    """

    def __init__(self, arrays: GraphArrays) -> None:
        self.arrays, self.digest = arrays, arrays.digest
        self.relations = tuple(arrays.relations)
        self._number = {relation: n for n, relation in enumerate(self.relations)}
        # The distinct pairs that an edge joins, by attribute and relation; then where each starts.
        # Sorted and not np.unique, whose hashing takes minutes for millions of such numbers.
        pairs = np.sort(arrays.attribute.astype(np.int64) << RELATION_BITS | arrays.relation)
        pairs = pairs[np.flatnonzero(np.diff(pairs, prepend=-1))]
        self._pair_attribute, self._pair_relation = np.divmod(pairs, 1 << RELATION_BITS)
        places = np.arange(len(arrays.names) + 1)
        self._pair_start = np.searchsorted(self._pair_attribute, places)
        self.edges = lru_cache(CACHED)(self._edges)
        self.known = lru_cache(CACHED)(self._known)
        self.compiled = lru_cache(CACHED)(self._compiled)

    def titles(self) -> Iterator[tuple[str, str]]:
        """(item id, title) of every item, in id order."""
        return zip(self.arrays.item_ids, self.arrays.titles, strict=True)

    def names(self) -> Iterator[tuple[str, int]]:
        """(name, attribute number) of every attribute."""
        return ((name, n) for n, name in enumerate(self.arrays.names))

    def values(self, item: str, relation: str) -> tuple[str, ...]:
        """See Facts."""
        place = self.arrays.item_ids.find(item)
        if place is None:
            return ()
        edges = slice(self.arrays.edge_start[place], self.arrays.edge_start[place + 1])
        listed = self.arrays.attribute[edges][self.arrays.relation[edges] == self.number(relation)]
        return tuple(self.arrays.attribute_ids[int(attribute)] for attribute in listed)

    def holders(self, relation: str, value: str) -> tuple[str, ...]:
        """See Facts."""
        code = self.code(relation, value)
        if code is None:
            return ()
        having = CompiledCondition(self.number(relation), frozenset((code,)), True)
        return tuple(sorted(self.meeting(having)))

    def judge(self, item: str, condition: Condition) -> bool | None:
        """See Facts."""
        compiled = self.compiled(condition.op, condition.relation, condition.value)
        return self.verdict(item, compiled)

    def requirements(self, conditions: Iterable[tuple[str, str, str]]) -> Requirements:
        """The compiled form of a query's conditions, each given as (op, relation, value)."""
        listed = tuple(conditions)
        relations = frozenset(relation for _, relation, _ in listed)
        return Requirements(tuple(self.compiled(*one) for one in listed), relations)

    def verdict(self, item: str, condition: CompiledCondition) -> bool | None:
        """As `judge`, of a compiled condition."""
        if condition.relation not in self.known(item):
            return None
        edges = self.edges(item)
        if condition.words and not condition.words.isdisjoint(edges):
            return None
        return condition.codes.isdisjoint(edges) is not condition.holds

    def verdict_on_all(self, item: str, requirements: Requirements) -> bool | None:
        """As `fits`, of compiled conditions."""
        return all_hold(self.verdict(item, one) for one in requirements.conditions)

    def verdict_on_edge(self, item: str, relation: str, attribute: int) -> bool | None:
        """As `states`, of an attribute by its number."""
        known = self._number.get(relation)
        if known is None:
            return None
        if known << 32 | attribute in self.edges(item):
            return True
        return False if known in self.known(item) else None

    def meeting(self, condition: CompiledCondition) -> frozenset[str]:
        """All items that meet a condition."""
        of = np.flatnonzero(self.arrays.relation == condition.relation)
        owner = np.searchsorted(self.arrays.edge_start, of, side="right") - 1
        has = np.isin(self.arrays.attribute[of], [code & ATTRIBUTE for code in condition.codes])
        found = np.unique(owner[has]) if condition.holds else np.setdiff1d(owner, owner[has])
        return frozenset(self.arrays.item_ids[int(place)] for place in found)

    def attributes(self, item: str, relation: str) -> frozenset[int]:
        """As `values`, by number and in no order."""
        wanted = self.number(relation)
        return frozenset(code & ATTRIBUTE for code in self.edges(item) if code >> 32 == wanted)

    def code(self, relation: str, attribute: str) -> int | None:
        """The code of a relation and an attribute id, None where the graph lacks one of them."""
        known, place = self._number.get(relation), self.arrays.attribute_ids.find(attribute)
        return None if known is None or place is None else known << 32 | place

    def number(self, relation: str) -> int:
        """The relation's number, −1 for an unknown one."""
        return self._number.get(relation, -1)

    def relations_of(self, attribute: int) -> tuple[str, ...]:
        """The relations in which an attribute, by its number, occurs."""
        start, end = self._pair_start[attribute : attribute + 2]
        return tuple(self.relations[k] for k in self._pair_relation[start:end])

    def _compiled(self, op: str, relation: str, value: str) -> CompiledCondition:
        """The condition of these three parts; conditions that are alike are one object."""
        if op in ("below", "above"):
            return self._compiled_bound(op, relation, float(value))
        code = self.code(relation, value)
        codes = frozenset[int]() if code is None else frozenset((code,))
        return CompiledCondition(self.number(relation), codes, op == "is")

    def _compiled_bound(self, op: str, relation: str, bound: float) -> CompiledCondition:
        """Met by items none of whose values is on the wrong side of the bound."""
        known = self.number(relation)
        attributes = self._pair_attribute[self._pair_relation == known].tolist()
        wrong, words = set[int](), set[int]()
        for attribute in attributes:
            found = number(self.arrays.names[attribute])
            if found is None:
                words.add(known << 32 | attribute)
            elif found >= bound if op == "below" else found <= bound:
                wrong.add(known << 32 | attribute)
        return CompiledCondition(known, frozenset(wrong | words), False, frozenset(words))

    def _edges(self, item: str) -> frozenset[int]:
        """R_x as codes."""
        place = self.arrays.item_ids.find(item)
        if place is None:
            return frozenset()
        edges = slice(self.arrays.edge_start[place], self.arrays.edge_start[place + 1])
        relation = self.arrays.relation[edges].astype(np.int64)
        return frozenset((relation << 32 | self.arrays.attribute[edges]).tolist())

    def _known(self, item: str) -> frozenset[int]:
        return frozenset(code >> 32 for code in self.edges(item))
