"""The liked interactions as index arrays: what is learned from, and what is held out to watch the
learning.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.sparse import csr_array

from data_engine.datasets.splits import interaction_split
from data_engine.graphs.interactions import InteractionGraph


@dataclass(frozen=True)
class Likes:
    """`user`, `item` (train) and `held_user`, `held_item` (validation) are indices into `users` and
    `items`.
    """

    users: list[str]
    items: list[str]
    user: np.ndarray
    item: np.ndarray
    held_user: np.ndarray
    held_item: np.ndarray

    @classmethod
    def of(cls, graph: InteractionGraph, split: np.ndarray | None = None) -> "Likes":
        """The positive interactions of a graph; `split` (0 train, 1 validation, 2 test) is the
        house's when left out.
        """
        split = interaction_split(graph) if split is None else split
        train, held = graph.positive & (split == 0), graph.positive & (split == 1)
        return cls(
            graph.users,
            graph.items,
            graph.user[train],
            graph.item[train],
            graph.user[held],
            graph.item[held],
        )

    @cached_property
    def matrix(self) -> csr_array:
        """(users, items), 1 where a user liked an item in the train part."""
        ones = np.ones(len(self.user), np.float32)
        matrix = csr_array((ones, (self.user, self.item)), shape=(len(self.users), len(self.items)))
        matrix.data[:] = 1  # a pair that occurs twice was summed
        return matrix

    @cached_property
    def held(self) -> csr_array:
        """(users, items), 1 where a user liked an item in the validation part and not before."""
        ones = np.ones(len(self.held_user), np.float32)
        held = csr_array((ones, (self.held_user, self.held_item)), shape=self.matrix.shape)
        held.data[:] = 1
        new = held - held.multiply(self.matrix)
        new.eliminate_zeros()
        return csr_array(new)
