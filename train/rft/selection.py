"""Which step of a run is its model, by what validation measured on the same queries at several steps."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np

from train.errors import TrainError

DOUBT = 2.0  # standard errors


def first_of_the_best(
    samples: Path, part: str, kept: Callable[[int], bool]
) -> tuple[int, dict[int, float]]:
    """The earliest of the kept steps that validation cannot tell from the best of them, and the mean of that part of the reward by step.

    `samples` has verl's answers to the validation queries, a file a step. Steps are compared query by query, over those scored at both: one is worse
    when the mean difference is more than two of its standard errors (the one-standard-error rule of Breiman et al., "Classification and Regression
    Trees" (1984), 3.4.3, made paired and stricter). Which of several means is the highest is mostly luck, and each further step costs the policy some
    of what it knew. Raises TrainError when of none there are weights and scores.
    """
    found = {
        step: _measured(samples / f"{step}.jsonl", part)
        for step in sorted(int(path.stem) for path in samples.glob("*.jsonl"))
        if kept(step)
    }
    means = {
        step: float(np.mean(list(values.values()))) for step, values in found.items() if values
    }
    if not means:
        raise TrainError(
            f"of no step in {samples} there are both weights and scored answers: nothing to choose by"
        )
    best = max(means, key=means.get)
    return next(
        step for step in means if step == best or not _worse(found[step], found[best])
    ), means


def _measured(answers: Path, part: str) -> dict[str, float]:
    """By query, less what could not be scored, or was cut short by a kill."""
    rows = [json.loads(line) for line in answers.read_text().splitlines() if line.endswith("}")]
    return {row["gts"]: row[part] for row in rows if np.isfinite(row[part])}


def _worse(one: dict[str, float], best: dict[str, float]) -> bool:
    differences = np.array([best[query] - one[query] for query in one.keys() & best.keys()])
    if len(differences) < 2:
        return True
    return differences.mean() > DOUBT * differences.std(ddof=1) / len(differences) ** 0.5
