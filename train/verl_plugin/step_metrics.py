"""Figures of a training step and of a validation, from those of its responses. Pure."""

from collections.abc import Mapping, Sequence
from math import isnan
from typing import Any

import numpy as np

FLAT_STD = 1e-3  # below: the responses of a group all earn the same
Figures = Mapping[str, Any]


def step_metrics(figures: Sequence[tuple[str, Figures]]) -> dict[str, float]:
    """Means over the responses that have a figure, and the share of flat groups.

    `figures` has (example id, reward figures) of each scored response.
    """
    metrics: dict[str, float] = {}
    for name in sorted(figures[0][1]):
        if isinstance(figures[0][1][name], float) and name != "unscored":
            values = [one[name] for _, one in figures if not isnan(one[name])]
            if values:
                metrics[f"rerec/{name}"] = float(np.mean(values))
    groups: dict[str, list[float]] = {}
    for example, one in figures:
        groups.setdefault(example, []).append(one["score"])
    flat = [np.std(scores) < FLAT_STD for scores in groups.values()]
    metrics["rerec/flat_groups"] = float(np.mean(flat))
    return metrics


def mean_filled(column: Sequence[Any]) -> list[Any]:
    """A column with its mean in place of nan, which leaves the mean as it is.

    Empty where no value is a number.
    """
    given = [value for value in column if value == value]
    if len(given) == len(column) or not given:
        return given
    mean = float(np.mean(given))
    return [value if value == value else mean for value in column]
