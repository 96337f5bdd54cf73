"""NDCG@10 of held-out likes, ranking the whole catalogue less what the user liked in training."""

from collections.abc import Callable

import numpy as np

from data_engine.ndcg import discounts
from data_engine.preference.likes import Likes

AT_ONCE = 2_000_000  # scores held in memory at a time
MOST_USERS = 10_000  # of more, every n-th is asked: users · items scores would grow as a square
ReportRound = Callable[[int, float], None]  # called with (rounds done, validation NDCG@10)


def ndcg10(scores: Callable[[np.ndarray], np.ndarray], likes: Likes) -> float:
    """Mean over the users who have train and held-out likes, 0..1; 0 where nobody has both. Of
    more than MOST_USERS such users, over every n-th. `scores` maps user indices to rows of item
    scores.

    Users without train likes are left out: nothing is known of them that could be ranked by.
    """
    held, known = likes.held, likes.matrix
    users = np.flatnonzero((np.diff(held.indptr) > 0) & (np.diff(known.indptr) > 0))
    if not len(users):
        return 0.0
    users = users[:: -(-len(users) // MOST_USERS)]
    cut = min(10, len(likes.items))
    discount = discounts(cut)
    total = 0.0
    for part in np.array_split(users, -(-len(users) * len(likes.items) // AT_ONCE)):
        table = np.array(scores(part))
        for row, user in enumerate(part):
            table[row, known.indices[known.indptr[user] : known.indptr[user + 1]]] = -np.inf
        top = np.argpartition(-table, cut - 1, axis=1)[:, :cut]
        top = np.take_along_axis(
            top, np.argsort(-np.take_along_axis(table, top, 1), axis=1, kind="stable"), 1
        )
        for row, user in enumerate(part):
            wanted = held.indices[held.indptr[user] : held.indptr[user + 1]]
            total += (np.isin(top[row], wanted) * discount).sum() / discount[: len(wanted)].sum()
    return float(total / len(users))
