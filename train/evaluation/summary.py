"""Evaluated rows summed up: means with 95 % intervals, by kind and more."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

FIGURES = (
    "satisfied",
    "premise_corrected",
    "steps_right",
    "claims_good",
    "claims_bad",
    "claims_unknown",
    "invented",
    "words",
)
GROUPS = ("kind", "conditions", "candidates")
READABLE = ("ok", "unresolved")  # statuses of a response with one answer block that has titles
DEEPER = (5, 10)  # the K of NDCG@K beside 1
Row = Mapping[str, Any]  # see `train.evaluation.rows`


def summarise(rows: Sequence[Row], seed: int = 0) -> dict[str, Any]:
    """NDCG@1 with 95 % bootstrap intervals over queries, over all and by group, and other means.

    Groups are kind, number of conditions and number of candidates. Beside them: the mean by gold
    position and `position_bias`; the means of the other figures over the rows that have them (null
    where none has). best_of_samples: the mean over queries of their best sample's NDCG@1, null
    where each has one.
    """
    responses, rows = rows, _by_query(rows)
    places = {
        str(position): _mean(values)
        for position, values in _ndcg_by("gold_position", rows).items()
        if position is not None
    }
    figures = (*FIGURES, *(f"ndcg_{k}" for k in DEEPER))
    return {
        "queries": len(rows),
        "samples": len(responses) // len(rows),
        "best_of_samples": _mean([r["best"] for r in rows]) if len(responses) > len(rows) else None,
        "ndcg": interval([r["ndcg"] for r in rows], seed),
        **{f"by_{key}": _intervals_by(key, rows, seed) for key in GROUPS},
        "by_gold_position": places,
        "position_bias_p": position_bias(rows, seed),
        "format": _mean([r["status"] in READABLE for r in responses]),
        "answered": _mean([r["status"] == "ok" for r in responses]),
        **{figure: _mean_of(figure, responses) for figure in figures},
    }


def _by_query(rows: Sequence[Row]) -> list[Row]:
    """A row per query: that of its first sample, with the mean NDCG of all and the `best`."""
    groups: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        groups[row["example_id"]].append(row)
    found: list[Row] = []
    for samples in groups.values():
        values = [row["ndcg"] for row in samples]
        found.append({**samples[0], "ndcg": float(np.mean(values)), "best": max(values)})
    return found


def _ndcg_by(key: str, rows: Sequence[Row]) -> dict[Any, list[float]]:
    groups: dict[Any, list[float]] = defaultdict(list)
    for row in rows:
        groups[row[key]].append(row["ndcg"])
    return dict(sorted(groups.items()))


def _intervals_by(key: str, rows: Sequence[Row], seed: int) -> dict[str, dict[str, float]]:
    return {str(name): interval(values, seed) for name, values in _ndcg_by(key, rows).items()}


def _mean_of(figure: str, rows: Sequence[Row]) -> float | None:
    values = [row[figure] for row in rows if row.get(figure) is not None]
    return _mean(values) if values else None


def _mean(values: Sequence[float]) -> float:
    return round(float(np.mean(values)), 4)


def position_bias(rows: Sequence[Row], seed: int, draws: int = 2000) -> float | None:
    """The p value, in 0..1, of "the place of the gold among the candidates is indifferent to NDCG".

    A permutation test of the sum of squares between gold positions. Positions are permuted among
    queries of as many candidates, `draws` times; the same seed gives the same p. None where there
    are not two positions.
    """
    placed = [r for r in rows if r["gold_position"] is not None]
    if len({r["gold_position"] for r in placed}) < 2:
        return None
    values = np.array([r["ndcg"] for r in placed], float)
    values -= values.mean()
    position = np.unique([r["gold_position"] for r in placed], return_inverse=True)[1]
    candidates = np.array([r["candidates"] for r in placed])
    strata = [np.flatnonzero(candidates == n) for n in np.unique(candidates)]
    count = np.bincount(position)
    rng = np.random.default_rng(seed)

    def between(ordered: np.ndarray) -> float:
        return float((np.bincount(position, ordered) ** 2 / count).sum())

    def permuted() -> np.ndarray:
        found = values.copy()
        for stratum in strata:
            found[stratum] = values[rng.permutation(stratum)]
        return found

    observed = between(values) * (1 - 1e-9)  # equal ones differ by rounding
    return round((1 + sum(between(permuted()) >= observed for _ in range(draws))) / (1 + draws), 4)


def interval(values: Sequence[float], seed: int, draws: int = 2000) -> dict[str, float]:
    """Mean and its 95 % percentile-bootstrap interval over queries.

    The same seed gives the same interval.
    """
    x = np.asarray(values, float)
    means = x[np.random.default_rng(seed).integers(len(x), size=(draws, len(x)))].mean(1)
    low, high = np.quantile(means, (0.025, 0.975))
    return {
        "mean": round(float(x.mean()), 4),
        "low": round(float(low), 4),
        "high": round(float(high), 4),
        "n": len(x),
    }
