"""The choice of a run's model among its steps, by validation on the same queries at each."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np

from train.errors import TrainError

DOUBT = 2.0  # standard errors


def first_of_the_best(
    samples: Path, part: str, kept: Callable[[int], bool]
) -> tuple[int, dict[int, float]]:
    """The earliest kept step that validation cannot tell from the best, and the mean per step.

    `samples` has verl's answers to the validation queries, one file per step; `part` is the part
    of the reward that is compared. Steps are compared query by query, over those scored at both:
    one is worse when the mean difference is more than two of its standard errors (the
    one-standard-error rule of Breiman et al., "Classification and Regression Trees" (1984),
    3.4.3, made paired and stricter). Which of several means is the highest is mostly luck, and
    each further step costs the policy some of what it knew. Raises TrainError when no step has
    both weights and scores.
    """
    scores: dict[int, dict[str, float]] = {}
    for step in sorted(int(path.stem) for path in samples.glob("*.jsonl")):
        if kept(step) and (by_query := _scores(samples / f"{step}.jsonl", part)):
            scores[step] = by_query
    if not scores:
        raise TrainError(
            f"of no step in {samples} there are both weights and scored answers: "
            "nothing to choose by"
        )
    means = {step: float(np.mean(list(by_query.values()))) for step, by_query in scores.items()}
    best = max(means, key=lambda step: means[step])
    for step in means:
        if step == best or not _is_worse(scores[step], scores[best]):
            return step, means
    return best, means


def _scores(answers: Path, part: str) -> dict[str, float]:
    """Scores by query, without answers that were not scored, or cut short by a kill."""
    rows = [json.loads(line) for line in answers.read_text().splitlines() if line.endswith("}")]
    return {row["gts"]: row[part] for row in rows if np.isfinite(row[part])}


def _is_worse(one: dict[str, float], best: dict[str, float]) -> bool:
    differences = np.array([best[query] - one[query] for query in one.keys() & best.keys()])
    if len(differences) < 2:
        return True
    standard_error = differences.std(ddof=1) / len(differences) ** 0.5
    return bool(differences.mean() > DOUBT * standard_error)
