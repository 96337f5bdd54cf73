"""What knows no order: the most frequent items, and those nearest to the mean of a history's LightGCN item vectors."""

import numpy as np

from data_engine.datasets.sequences import Sequences
from data_engine.graphs.interactions import InteractionGraph
from data_engine.preference import Likes
from data_engine.preference.lightgcn import LightGCN, LightGCNConfig
from train.sequential.ranking import Scorer


def popularity(sequences: Sequences) -> Scorer:
    """Every history wants what occurs most in training."""
    counts = np.bincount(np.concatenate(sequences.train()), minlength=len(sequences.items)).astype(
        np.float64
    )
    return lambda nexts: np.tile(counts, (len(nexts), 1))


def lightgcn_mean(sequences: Sequences, graph: InteractionGraph, seed: int) -> Scorer:
    """The products of item embeddings, learned by LightGCN from all training interactions, with the mean of a history's. LightGCN itself would rank
    by the user's own vector; the mean is there for users who are new, too."""
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
    return lambda nexts: np.stack([vectors[n.history].mean(0) for n in nexts]) @ vectors.T
