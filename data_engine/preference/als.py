"""Alternating least squares on implicit feedback (Hu, Koren and Volinsky, ICDM 2008), from the
`implicit` library.
"""

import numpy as np
from implicit.cpu.als import AlternatingLeastSquares
from pydantic import Field
from scipy.sparse import csr_matrix
from threadpoolctl import threadpool_limits

from data_engine.preference.likes import Likes
from data_engine.preference.ranking import ReportRound, ndcg10
from data_engine.runtime.config import Config

PATIENCE = 3


class ALSConfig(Config):
    """`rounds` is the most; fitting stops when validation NDCG@10 has not risen for a few
    rounds.
    """

    dims: int = Field(64, ge=2, le=1024)
    rounds: int = Field(60, ge=1)
    confidence: float = Field(10.0, gt=0)
    regularisation: float = Field(0.05, ge=0)
    seed: int = 0


class ALS:
    """Factors for users and items whose product is high where a user liked an item."""

    def __init__(self, config: ALSConfig) -> None:
        self.config = config

    def fit(self, likes: Likes, report: ReportRound) -> None:
        """A round at a time, keeping the factors of the best one."""
        with threadpool_limits(1, "blas"):  # the library asks for it: its own threads are enough
            self._fit(likes, report)

    def _fit(self, likes: Likes, report: ReportRound) -> None:
        c = self.config
        rng = np.random.default_rng(c.seed)
        model = AlternatingLeastSquares(
            factors=c.dims,
            iterations=1,
            regularization=c.regularisation,
            alpha=c.confidence,
            random_state=c.seed,
        )
        model.user_factors, model.item_factors = (
            rng.normal(0, 0.01, (n, c.dims)).astype(np.float32)
            for n in (len(likes.users), len(likes.items))
        )
        matrix, best, stale = csr_matrix(likes.matrix), -1.0, 0
        for done in range(1, c.rounds + 1):
            model.fit(matrix, show_progress=False)
            self.users, self.items = model.user_factors, model.item_factors
            found = ndcg10(self.scores, likes)
            report(done, found)
            stale = 0 if found > best else stale + 1
            if found > best:
                best, kept = found, (self.users.copy(), self.items.copy())
            if stale == PATIENCE:
                break
        self.users, self.items = kept

    def scores(self, users: np.ndarray) -> np.ndarray:
        """Products of user and item factors."""
        return np.asarray(self.users[users] @ self.items.T)

    def vectors(self) -> np.ndarray:
        """The item factors."""
        return np.asarray(self.items)
