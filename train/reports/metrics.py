"""The metrics that verl logs in a reinforcement run."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from math import isnan, nan
from pathlib import Path

Curve = tuple[list[int], list[float]]  # steps, values
Metrics = dict[str, Curve]  # by name
NOT_PARTS = ("reward", "unscored", "reward_seconds")  # validated, but no part of the reward


def read_metrics(paths: Iterable[Path]) -> Metrics:
    """The metrics of verl's logs, {} when there is none.

    After a resume the last value of a step counts.
    """
    found: dict[str, dict[int, float]] = {}
    for path in paths:
        for line in path.read_text().splitlines():
            entry = json.loads(line)
            for key, value in entry["data"].items():
                if isinstance(value, int | float):
                    found.setdefault(key, {})[entry["step"]] = value
    return {key: _by_step(values) for key, values in found.items()}


def _by_step(values: dict[int, float]) -> Curve:
    steps = sorted(values)
    return steps, [values[step] for step in steps]


def validations(metrics: Mapping[str, Curve]) -> Metrics:
    """What verl measured on the validation queries, by part of the reward ("score": the whole).

    Each is at each step the mean over the kinds of query that have it, NaN where none has. Where
    there are several kinds, the NDCG of each follows.
    """
    found: dict[str, Metrics] = defaultdict(dict)
    for key, points in metrics.items():
        if key.startswith("val-") and key.endswith("/mean@1"):
            *_, kind, part, _ = key.split("/")
            found[part][kind] = points
    means = {
        part: _mean(list(kinds.values()))
        for part, kinds in sorted(found.items())
        if part not in NOT_PARTS
    }
    ndcg = found["ndcg"]
    if len(ndcg) > 1:
        means |= {f"ndcg {kind}": ndcg[kind] for kind in sorted(ndcg)}
    return means


def _mean(curves: Sequence[Curve]) -> Curve:
    """At each step of any curve the mean of those that have a number there."""
    at: dict[int, list[float]] = defaultdict(list)
    for steps, values in curves:
        for step, value in zip(steps, values, strict=True):
            at[step] += [] if isnan(value) else [value]
    return sorted(at), [sum(at[step]) / len(at[step]) if at[step] else nan for step in sorted(at)]
