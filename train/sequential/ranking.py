"""The rank of the true next item among the whole catalogue, less what the user has had."""

from collections.abc import Callable, Sequence

import numpy as np

from data_engine.datasets.sequences import Next

BATCH = 256
Scorer = Callable[[Sequence[Next]], np.ndarray]  # moments → (moments, items) scores


def ranks(scorer: Scorer, nexts: Sequence[Next]) -> np.ndarray:
    """(moments,) the rank of each target, from 1.

    Items of the history are out of the running, but for the target itself; among equals the target
    stands in the middle.
    """
    found = np.empty(len(nexts))
    for start in range(0, len(nexts), BATCH):
        part = nexts[start : start + BATCH]
        table = np.array(scorer(part), dtype=np.float64)
        for k, (one, row) in enumerate(zip(part, table, strict=True), start):
            own = row[one.target]
            row[one.history] = -np.inf
            row[one.target] = own
            found[k] = 1 + (row > own).sum() + ((row == own).sum() - 1) / 2
    return found


def hits(places: np.ndarray, k: int) -> float:
    """H@K: the share of targets among the first K."""
    return float((places <= k).mean()) if len(places) else 0.0
