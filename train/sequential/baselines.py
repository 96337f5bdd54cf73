"""Baselines that know no order: popularity, and the mean of LightGCN item vectors."""

from collections.abc import Sequence

import numpy as np

from data_engine.datasets.sequences import Next, Sequences
from data_engine.graphs.interactions import InteractionGraph
from data_engine.preference import Likes
from data_engine.preference.lightgcn import LightGCN, LightGCNConfig
from train.sequential.ranking import Scorer


def popularity(sequences: Sequences) -> Scorer:
    """Scores every item by how often it occurs in training."""
    occurrences = np.concatenate(sequences.train())
    counts = np.bincount(occurrences, minlength=len(sequences.items)).astype(np.float64)

    def score(nexts: Sequence[Next]) -> np.ndarray:
        return np.tile(counts, (len(nexts), 1))

    return score


def lightgcn_mean(sequences: Sequences, graph: InteractionGraph, seed: int) -> Scorer:
    """Scores an item by its product with the mean item vector of a history.

    LightGCN learns the vectors from all training interactions. It would itself rank by the vector
    of the user; the mean is there for users who are new, too.
    """
    split = np.concatenate(sequences.parts)
    train, held = split == 0, split == 1
    likes = Likes(
        graph.users,
        graph.items,
        graph.user[train],
        graph.item[train],
        graph.user[held],
        graph.item[held],
    )
    model = LightGCN(LightGCNConfig(seed=seed))
    model.fit(likes, lambda done, found: None)
    vectors = model.vectors()

    def score(nexts: Sequence[Next]) -> np.ndarray:
        means = np.stack([vectors[one.history].mean(0) for one in nexts])
        return means @ vectors.T

    return score
