"""NDCG@K with binary gain and the log2 discount (Järvelin and Kekäläinen, TOIS 20, 2002).

    DCG@K  = sum over the first K ranks r of relevant items of 1 / log2(r + 1)
    NDCG@K = DCG@K / the DCG@K of a ranking that begins with all relevant items

Three forms of the one formula: of a ranking of item ids, of the rank of a single relevant item, and
of many such ranks at once.
"""

from collections.abc import Collection, Sequence
from math import log2

import numpy as np


def ndcg(ranked: Sequence[str], relevant: Collection[str], k: int) -> float:
    """NDCG@k of a ranking without repeats, 0..1. Raises ValueError for no relevant item."""
    if not relevant:
        raise ValueError("NDCG needs at least one relevant item")
    gain = sum(1 / log2(n + 2) for n, item in enumerate(ranked[:k]) if item in relevant)
    return gain / sum(1 / log2(n + 2) for n in range(min(k, len(relevant)))) if gain else 0.0


def ndcg_of_rank(rank: int, k: int) -> float:
    """NDCG@k, 0..1, where one item is relevant and stands at `rank`, from 1."""
    return 1 / log2(rank + 1) if rank <= k else 0.0


def mean_ndcg(ranks: np.ndarray, k: int) -> float:
    """Mean NDCG@k, 0..1, over queries with one relevant item each; 0 for no query.

    `ranks` (queries,) are from 1 and may be fractions, as of an item tied with others.
    """
    if not len(ranks):
        return 0.0
    return float(np.where(ranks <= k, 1 / np.log2(ranks + 1), 0.0).mean())


def discounts(k: int) -> np.ndarray:
    """(k,): what a relevant item at each of the first k ranks adds to DCG."""
    return 1 / np.log2(np.arange(2, k + 2))
