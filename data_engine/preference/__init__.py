"""Preference models: what users like, learned from interactions alone, as vectors for the
preference alignment score.

likes.py     the liked interactions as index arrays, split into train and validation
ranking.py   NDCG@10 over the whole catalogue, the one judge of all methods
lightgcn.py, als.py, popularity.py   a method each: a class with `fit`, `scores` and `vectors`

To add one: write the module, name it in `make_model`.
"""

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

import numpy as np

from data_engine.errors import DataError
from data_engine.preference.als import ALS, ALSConfig
from data_engine.preference.likes import Likes
from data_engine.preference.popularity import Popularity
from data_engine.preference.ranking import ReportRound, ndcg10


class PreferenceModel(Protocol):
    """What every method offers."""

    def fit(self, likes: Likes, report: ReportRound) -> None:
        """Learn from the train likes, watching the validation ones."""

    def scores(self, users: np.ndarray) -> np.ndarray:
        """(len(users), items): how much each user wants each item, higher is more."""

    def vectors(self) -> np.ndarray:
        """(items, dims): items are alike where the cosine of their rows is high."""


@dataclass(frozen=True)
class Embedded:
    """Item ids with their `vectors` (items, dims), only those liked in training; and the validation
    NDCG@10 reached.
    """

    items: list[str]
    vectors: np.ndarray
    validation_ndcg10: float


def make_model(
    method: str,
    dims: int,
    layers: int,
    epochs: int,
    seed: int,
    checkpoint: Path | None,
    patience: int = 6,
    processes: int = 0,
) -> PreferenceModel:
    """The model of that name. Raises DataError for an unknown one. `checkpoint`: where LightGCN
    keeps its state to go on from; `patience`: of its early stopping; `processes`: of a Ray cluster,
    0 for this process alone.
    """
    if processes and method != "lightgcn":
        raise DataError(f"--ray is for lightgcn: {method} learns in one process")
    if method == "lightgcn":
        if find_spec("torch") is None:
            raise DataError(
                'LightGCN needs torch: pip install "rerec[rporec]", or take --method als'
            )
        # Here, not above: torch takes seconds to import.
        from data_engine.preference.lightgcn import LightGCN, LightGCNConfig

        config = LightGCNConfig(
            dims=dims, layers=layers, epochs=epochs, patience=patience, seed=seed
        )
        if not processes:
            return LightGCN(config, checkpoint)
        if find_spec("ray") is None:
            raise DataError('--ray needs Ray: pip install "rerec[train]", or leave it out')
        from data_engine.preference.data_parallel import DataParallelLightGCN

        return DataParallelLightGCN(config, processes, checkpoint)
    if method == "als":
        return ALS(ALSConfig(dims=dims, rounds=epochs, seed=seed))
    if method == "popularity":
        return Popularity()
    raise DataError(f"no method {method!r}: choose from lightgcn, als, popularity")


def _silent(done: int, ndcg: float) -> None:
    """Report to nobody."""


def embed(likes: Likes, model: PreferenceModel, report: ReportRound = _silent) -> Embedded:
    """Fit the model and take its item vectors. Raises DataError when nothing is liked in the train
    part.
    """
    if not len(likes.user):
        raise DataError(
            "no liked interactions (rating 4 or more, or unrated) in the train part: nothing "
            "to embed"
        )
    model.fit(likes, report)
    seen = np.unique(likes.item)
    return Embedded(
        [likes.items[k] for k in seen], model.vectors()[seen], ndcg10(model.scores, likes)
    )
