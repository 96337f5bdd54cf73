"""The user–item graph as index arrays: taste, as against the truths of the item–attribute graph."""

from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from data_engine.store.database import Store
from data_engine.store.ratings import liked_sql


@dataclass(frozen=True)
class InteractionGraph:
    """Interactions as arrays of equal length, in (user, time, item) order.

    user, item: indices into `users` and `items`. rating: nan where unknown. time: seconds since
    1970, -1 where unknown. positive: whether the interaction is a like, as the source says; where
    it does not say, a rating of the store's `liked_from` or more, or no rating (implicit feedback).
    """

    users: list[str]
    items: list[str]
    user: np.ndarray
    item: np.ndarray
    rating: np.ndarray
    time: np.ndarray
    positive: np.ndarray

    @classmethod
    def from_store(cls, store: Store) -> "InteractionGraph":
        """Read all interactions; every item of the catalogue has an index, with interactions or
        not.
        """
        users = [
            user for (user,) in store.rows("SELECT DISTINCT user_id FROM interactions ORDER BY 1")
        ]
        items = [item for (item,) in store.rows("SELECT item_id FROM items ORDER BY 1")]
        columns = store.db.execute(f"""
            WITH u AS (SELECT user_id, row_number() OVER (ORDER BY user_id) - 1 AS n
                FROM (SELECT DISTINCT user_id FROM interactions)),
            i AS (SELECT item_id, row_number() OVER (ORDER BY item_id) - 1 AS n FROM items)
            SELECT u.n AS user, i.n AS item, coalesce(rating, 'nan') AS rating,
                coalesce(timestamp, -1) AS time, {liked_sql(store.scale.liked_from)} AS liked
            FROM interactions JOIN u USING (user_id) JOIN i USING (item_id)
            ORDER BY u.n, timestamp NULLS FIRST, i.n""").fetchnumpy()
        names = ("user", "item", "rating", "time", "liked")
        return cls(users, items, *(np.asarray(columns[name]) for name in names))

    @property
    def has_time(self) -> bool:
        """Whether every interaction has a time."""
        return bool((self.time >= 0).all())

    @cached_property
    def liked(self) -> dict[str, tuple[str, ...]]:
        """User → liked items, oldest first."""
        items: dict[str, list[str]] = defaultdict(list)
        for u, i in zip(self.user[self.positive], self.item[self.positive], strict=True):
            items[self.users[u]].append(self.items[i])
        return {user: tuple(liked) for user, liked in items.items()}
