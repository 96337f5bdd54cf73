"""The summary of methods × seeds of next-item recommendation."""

import json
from pathlib import Path

import numpy as np

from data_engine.ndcg import mean_ndcg
from train.evaluation.comparison import Difference, Entry, adjust, interval, paired
from train.sequential.config import SequentialConfig
from train.sequential.ranking import hits

Table = dict[str, dict[str, Entry]]  # by method and figure


def figures(places: np.ndarray, k: int) -> dict[str, float]:
    """H@K and NDCG@K of the ranks of the true next items."""
    return {f"H@{k}": hits(places, k), f"NDCG@{k}": mean_ndcg(places, k)}


def summarise(run: Path, config: SequentialConfig) -> Table:
    """Means over seeds, and paired differences from the first method, from run/METHOD-SEED.json.

    p is adjusted over all differences of the table.
    """
    first, table, shown = config.methods[0], Table(), list[Difference]()
    for name in config.methods:
        table[name] = {}
        for figure in (f"H@{config.k}", f"NDCG@{config.k}"):
            by_seed = _by_seed(run, name, config.seeds, figure)
            entry: Entry = {**interval(list(by_seed.values()))}
            if name != first:
                entry["against"] = paired(by_seed, _by_seed(run, first, config.seeds, figure))
                shown.append(entry["against"])
            table[name][figure] = entry
    adjust(shown)
    return table


def _by_seed(run: Path, name: str, seeds: tuple[int, ...], figure: str) -> dict[int, float]:
    return {seed: json.loads((run / f"{name}-{seed}.json").read_text())[figure] for seed in seeds}
