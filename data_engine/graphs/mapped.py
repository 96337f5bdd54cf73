"""The attribute graph over memory-mapped arrays: for a process that asks about a few items at a time and shares its memory with others."""

from collections.abc import Callable, Iterator
from functools import lru_cache

import numpy as np
from scipy.sparse import csr_array

from data_engine.graphs.arrays import GraphArrays

CACHED = 65_536


class MappedGraph:
    """Edges as codes (relation and attribute in one integer), so that sets of them are small and quick."""

    def __init__(self, arrays: GraphArrays) -> None:
        self.arrays, self.digest = arrays, arrays.digest
        self.relations = tuple(arrays.relations)
        self._number = {relation: n for n, relation in enumerate(self.relations)}
        shape = (len(arrays.names), len(self.relations))
        self._stands = csr_array(
            (np.ones(len(arrays.relation), bool), (arrays.attribute, arrays.relation)), shape
        )  # attribute × relation
        self._stands.sum_duplicates()
        self.edges = lru_cache(CACHED)(self._edges)
        self.known = lru_cache(CACHED)(self._known)

    def titles(self) -> Iterator[tuple[str, str]]:
        """(item id, title) of every item, in id order."""
        return zip(self.arrays.item_ids, self.arrays.titles, strict=True)

    def names(self) -> Iterator[tuple[str, int]]:
        """(name, attribute number) of every attribute."""
        return ((name, n) for n, name in enumerate(self.arrays.names))

    def code(self, relation: str, attribute: str) -> int | None:
        """The code of an edge's far end, None where the graph has no such relation or attribute."""
        number, place = self._number.get(relation), self.arrays.attribute_ids.find(attribute)
        return None if number is None or place is None else number << 32 | place

    def number(self, relation: str) -> int:
        """The relation's number, −1 for an unknown one."""
        return self._number.get(relation, -1)

    def codes_where(self, relation: str, fits: Callable[[str], bool]) -> frozenset[int]:
        """The codes of a relation's attributes whose names fit."""
        number = self.number(relation)
        held = self._stands[:, [number]].nonzero()[0] if number >= 0 else ()
        return frozenset(number << 32 | int(a) for a in held if fits(self.arrays.names[int(a)]))

    def relations_of(self, attribute: int) -> tuple[str, ...]:
        """The relations in which an attribute (by number) stands."""
        start, end = self._stands.indptr[attribute : attribute + 2]
        return tuple(self.relations[k] for k in self._stands.indices[start:end])

    def judge(self, item: str, relation: str, attribute: int) -> bool | None:
        """True: the edge is there. False: the relation is known for the item and lists other values only. None: the graph cannot say."""
        number = self._number.get(relation)
        if number is None:
            return None
        if number << 32 | attribute in self.edges(item):
            return True
        return False if number in self.known(item) else None

    def holders(self, relation: int, codes: frozenset[int], holds: bool) -> frozenset[str]:
        """The items for which a relation (by number) is known and which have one of its codes, or, not `holds`, none of them."""
        of = np.flatnonzero(self.arrays.relation == relation)
        owner = np.searchsorted(self.arrays.edge_start, of, side="right") - 1
        has = np.isin(self.arrays.attribute[of], [code & 0xFFFFFFFF for code in codes])
        found = np.unique(owner[has]) if holds else np.setdiff1d(owner, owner[has])
        return frozenset(self.arrays.item_ids[int(place)] for place in found)

    def values(self, item: str, relation: str) -> frozenset[int]:
        """The attributes (by number) that a relation lists for an item."""
        number = self._number.get(relation, -1)
        return frozenset(code & 0xFFFFFFFF for code in self.edges(item) if code >> 32 == number)

    def _edges(self, item: str) -> frozenset[int]:
        """R_x as codes; empty for an item without edges or an unknown one."""
        place = self.arrays.item_ids.find(item)
        if place is None:
            return frozenset()
        start, end = self.arrays.edge_start[place], self.arrays.edge_start[place + 1]
        codes = (
            self.arrays.relation[start:end].astype(np.int64) << 32
            | self.arrays.attribute[start:end]
        )
        return frozenset(codes.tolist())

    def _known(self, item: str) -> frozenset[int]:
        return frozenset(code >> 32 for code in self.edges(item))
