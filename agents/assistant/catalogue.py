"""One store as the assistant holds it: the graph and its values, likes, tastes. Read once."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from data_engine.errors import DataError
from data_engine.graphs.arrays import GraphArrays, arrays_folder
from data_engine.graphs.audience import with_audience_edges
from data_engine.graphs.inverted import InvertedGraph
from data_engine.store.database import Store

PRIOR = 10.0  # interactions of an average item that every item is given


@dataclass(frozen=True)
class Catalogue:
    """domain: what the items are, in the plural. vectors: (items, dims) of unit length, zero where
    an item has none; None before `rerec data embed`. folder: where what is made of the graph may be
    kept.
    """

    domain: str
    graph: InvertedGraph
    vectors: np.ndarray | None
    folder: Path

    @classmethod
    def load(cls, path: Path | str) -> "Catalogue":
        """Read a store without locking others out. Raises DataError where it holds no catalogue."""
        with Store.open(path, read_only=True) as store:
            arrays, found = GraphArrays.of(store), store.embeddings()
            return cls(
                str(store.meta("domain")),
                InvertedGraph(with_audience_edges(arrays, store)),
                _unit_vectors(arrays, found) if found else None,
                arrays_folder(store),
            )

    @property
    def arrays(self) -> GraphArrays:
        """The arrays of both graphs; items are in the order of their ids."""
        return self.graph.arrays

    def place(self, item: str) -> int:
        """The place of an item. Raises DataError for an unknown id."""
        found = self.graph.place(item)
        if found is None:
            raise DataError(f"no item {item!r} in this catalogue")
        return found

    def liked_by(self, user: str) -> np.ndarray:
        """The places of the items that a user liked, oldest first. Raises DataError for an unknown
        user.
        """
        arrays, edges = self.arrays, self._interactions(user)
        return arrays.item[edges][arrays.liked[edges]]

    def met_by(self, user: str) -> np.ndarray:
        """The places of the items that a user had to do with, liked or not."""
        return self.arrays.item[self._interactions(user)]

    def _interactions(self, user: str) -> slice:
        place = self.arrays.user_ids.find(user)
        if place is None:
            raise DataError(f"no user {user!r} in this store: leave --user out, or name one of it")
        return slice(*self.arrays.like_start[place : place + 2].tolist())

    @cached_property
    def popularity(self) -> np.ndarray:
        """How well each item is liked and by how many, in 0..1: the logarithm of its likes times
        the share of likes among its interactions, which is shrunk towards the average share.
        """
        arrays, size = self.arrays, self.graph.size
        likes = np.bincount(arrays.item[arrays.liked], minlength=size)
        met = np.bincount(arrays.item, minlength=size)
        average = likes.sum() / max(1, met.sum())
        score = np.log1p(likes) * (likes + PRIOR * average) / (met + PRIOR)
        return np.asarray(score / max(score.max(), 1e-9), np.float32)


def _unit_vectors(arrays: GraphArrays, found: dict[str, np.ndarray]) -> np.ndarray:
    """The vectors in the order of the items, each divided by its length."""
    vectors = np.zeros((len(arrays.item_ids), len(next(iter(found.values())))), np.float32)
    for item, vector in found.items():
        place = arrays.item_ids.find(item)
        length = float(np.linalg.norm(vector))
        if place is not None and length:
            vectors[place] = vector / length
    return vectors
