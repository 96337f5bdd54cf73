"""The attribute graph seen from its values: which items meet a condition, as one array of bits.

Edges are sorted by relation and attribute, so that the items of a relation, and those of a value,
stand side by side.
"""

from functools import lru_cache

import numpy as np

from data_engine.facts import number
from data_engine.graphs.mapped import MappedGraph
from data_engine.schema import Condition

CACHED = 64  # arrays of bits that are kept, one byte per item each


class InvertedGraph:
    """Answers for all items of a `MappedGraph` at once; arrays are in the order of its items."""

    def __init__(self, graph: MappedGraph) -> None:
        arrays = graph.arrays
        self.graph, self.size = graph, len(arrays.item_ids)
        codes = arrays.relation.astype(np.int64) << 32 | arrays.attribute
        order = np.argsort(codes, kind="stable")
        owner = np.repeat(np.arange(self.size, dtype=np.int32), np.diff(arrays.edge_start))
        self._holder, codes = owner[order], codes[order]
        first = np.flatnonzero(np.diff(codes, prepend=-1))
        self.codes = codes[first]  # relation << 32 | attribute, sorted
        self.starts = np.append(first, len(codes))
        self.known = lru_cache(CACHED)(self._known)
        self.met = lru_cache(CACHED)(self._met)
        self._numbers = lru_cache(CACHED)(self._numbers_of)

    def holders(self, relation: str, value: str) -> np.ndarray:
        """The places of the items that have a value, ascending."""
        code = self.graph.code(relation, value)
        return self.holding(code) if code is not None else self._holder[:0]

    def holding(self, code: int) -> np.ndarray:
        """As `holders`, of an edge's code."""
        k = int(np.searchsorted(self.codes, code))
        if k == len(self.codes) or self.codes[k] != code:
            return self._holder[:0]
        return self._holder[self.starts[k] : self.starts[k + 1]]

    def values_of(self, relation: str) -> slice:
        """The places in `codes` of the values of a relation."""
        known = self.graph.number(relation)
        if known < 0:
            return slice(0, 0)
        start, end = np.searchsorted(self.codes, (known << 32, known + 1 << 32))
        return slice(int(start), int(end))

    def _known(self, relation: str) -> np.ndarray:
        """Whether the relation is known, per item."""
        values, found = self.values_of(relation), np.zeros(self.size, bool)
        found[self._holder[self.starts[values.start] : self.starts[values.stop]]] = True
        return _frozen(found)

    def _met(self, condition: Condition) -> np.ndarray:
        """Whether the graph proves that an item meets a condition, per item: as `Facts.judge`."""
        if condition.op in ("is", "not"):
            found = np.zeros(self.size, bool)
            found[self.holders(condition.relation, condition.value)] = True
            if condition.op == "not":
                found = self.known(condition.relation) & ~found
            return _frozen(found)
        numbers, bound = self._numbers(condition.relation), float(condition.value)
        right = numbers < bound if condition.op == "below" else numbers > bound  # nan is neither
        found = self.known(condition.relation).copy()
        found[self._holders_of(condition.relation, ~right)] = False
        return _frozen(found)

    def unknown(self, condition: Condition) -> np.ndarray:
        """Whether the graph cannot say if an item meets a condition, per item."""
        found = ~self.known(condition.relation)
        if condition.op in ("below", "above"):
            words = np.isnan(self._numbers(condition.relation))
            found[self._holders_of(condition.relation, words)] = True
        return found

    def _holders_of(self, relation: str, chosen: np.ndarray) -> np.ndarray:
        """The places of the items that have one of the chosen values of a relation."""
        values = self.values_of(relation)
        starts = self.starts[values.start : values.stop + 1]
        edges = np.repeat(chosen, np.diff(starts))
        return np.asarray(self._holder[starts[0] : starts[-1]][edges])

    def _numbers_of(self, relation: str) -> np.ndarray:
        """The number that each value of a relation is, nan for words."""
        names = self.graph.arrays.names
        codes = self.codes[self.values_of(relation)] & 0xFFFFFFFF
        numbers = (number(names[int(code)]) for code in codes)
        return np.array([np.nan if found is None else found for found in numbers], float)


def _frozen(found: np.ndarray) -> np.ndarray:
    found.flags.writeable = False  # it is kept and given to many
    return found
