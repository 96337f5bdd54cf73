"""Popularity: everybody wants what most people liked. The floor every other method has to beat."""

import numpy as np

from data_engine.preference.likes import Likes
from data_engine.preference.ranking import ReportRound


class Popularity:
    """Counts likes; two items are alike when about as many people liked them."""

    def fit(self, likes: Likes, report: ReportRound) -> None:
        """Count."""
        self.counts = np.bincount(likes.item, minlength=len(likes.items)).astype(np.float32)

    def scores(self, users: np.ndarray) -> np.ndarray:
        """The same row for every user."""
        return np.tile(self.counts, (len(users), 1))

    def vectors(self) -> np.ndarray:
        """(items, 2): the standardised log count, and 1 so that a cosine is defined."""
        log = np.log1p(self.counts)
        return np.stack([(log - log.mean()) / max(float(log.std()), 1e-6), np.ones_like(log)], 1)
