"""Statistics of a matrix of methods and seeds.

Means over seeds with 95 % t-intervals, and paired differences from the first method, their p values
adjusted for how many are shown together. The unit is the seed, not the query: two runs from other
seeds differ by more than their queries' spread. Pure functions of the rows that
`train.evaluation.evaluate` writes.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NotRequired, TypedDict

import numpy as np
from scipy import stats

ALL = "all"
Cells = Mapping[str, Mapping[int, Sequence[Mapping[str, Any]]]]  # method → seed → evaluated rows


class Interval(TypedDict):
    """Mean of n values; `half`: half the width of its 95 % t-interval, None for n < 2."""

    mean: float
    half: float | None
    n: int


class Difference(TypedDict):
    """Mean difference over the n seeds that two methods share; None where there is too little.

    p: of the two-sided paired t-test; p_holm: adjusted over those shown together.
    d: effect size, mean over standard deviation (Cohen's d_z).
    """

    mean: float | None
    half: float | None
    n: int
    p: float | None
    d: float | None
    p_holm: NotRequired[float | None]


class Entry(Interval):
    """One figure of one method.

    against: in all methods but the first; seeds: where they are shown.
    """

    seeds: NotRequired[dict[str, float]]
    against: NotRequired[Difference]


def by_seed(cells: Cells, method: str, kind: str = ALL) -> dict[int, float]:
    """Mean NDCG of each seed of a method, over one kind or all."""
    return {seed: _mean_ndcg(rows, kind) for seed, rows in cells[method].items()}


def _mean_ndcg(rows: Sequence[Mapping[str, Any]], kind: str) -> float:
    return float(np.mean([row["ndcg"] for row in rows if kind in (ALL, row["kind"])]))


def interval(values: Sequence[float]) -> Interval:
    """The mean of the values with its 95 % t-interval."""
    n = len(values)
    half = float(stats.t.ppf(0.975, n - 1) * np.std(values, ddof=1) / np.sqrt(n)) if n > 1 else None
    return {"mean": float(np.mean(values)), "half": half, "n": n}


def paired(one: Mapping[int, float], other: Mapping[int, float]) -> Difference:
    """The differences one − other over the seeds that both have.

    p and d are None for fewer than two seeds or equal differences.
    """
    shared = sorted(one.keys() & other.keys())
    differences = [one[seed] - other[seed] for seed in shared]
    if not differences:
        return {"mean": None, "half": None, "n": 0, "p": None, "d": None}
    spread = float(np.std(differences, ddof=1)) if len(differences) > 1 else 0.0
    if spread < 1e-12:
        return {**interval(differences), "p": None, "d": None}
    p = float(stats.ttest_rel([one[s] for s in shared], [other[s] for s in shared]).pvalue)
    return {**interval(differences), "p": p, "d": float(np.mean(differences)) / spread}


def adjusted(family: Sequence[float | None]) -> list[float | None]:
    """Holm's step-down p values of comparisons that are shown together, in their order.

    The i-th smallest of m, times m − i + 1, no less than the one before and at most 1. A None
    stays and does not count. Source: Holm, Scandinavian Journal of Statistics 6, 1979.
    """
    given = sorted((p, k) for k, p in enumerate(family) if p is not None)
    found: list[float | None] = [None] * len(family)
    least = 0.0
    for i, (p, k) in enumerate(given):
        found[k] = least = max(least, min(1.0, p * (len(given) - i)))
    return found


def adjust(family: Sequence[Difference]) -> None:
    """Give each of these differences its "p_holm"."""
    for difference, p in zip(family, adjusted([one["p"] for one in family]), strict=True):
        difference["p_holm"] = p


def compare(cells: Cells) -> dict[str, dict[str, Entry]]:
    """The entries by method and by kind, ALL last.

    Two families are adjusted for: the differences over all queries, one per method, and those by
    kind, one per method and kind.
    """
    first = next(iter(cells))
    kinds = _kinds(cells)
    table: dict[str, dict[str, Entry]] = {method: {} for method in cells}
    over_all: list[Difference] = []
    over_kinds: list[Difference] = []
    for method, entries in table.items():
        for kind in (*kinds, ALL):
            scores = by_seed(cells, method, kind)
            seeds = {str(seed): round(score, 4) for seed, score in scores.items()}
            entry: Entry = {**interval(list(scores.values())), "seeds": seeds}
            if method != first:
                entry["against"] = paired(scores, by_seed(cells, first, kind))
                (over_all if kind == ALL else over_kinds).append(entry["against"])
            entries[kind] = entry
    adjust(over_all)
    adjust(over_kinds)
    return table


def _kinds(cells: Cells) -> list[str]:
    found: set[str] = set()
    for by_seed_of_method in cells.values():
        for rows in by_seed_of_method.values():
            found.update(row["kind"] for row in rows)
    return sorted(found)


def in_words(entry: Entry) -> str:
    """The entry as text: ".612 ± .021, +.034 ± .018, p .010, d 1.90 (3 seeds)"; p is Holm's."""
    parts = [_plus_minus(f"{entry['mean']:.3f}", entry["half"])]
    against = entry.get("against")
    if against and against["mean"] is not None:
        parts.append(_plus_minus(f"{against['mean']:+.3f}", against["half"]))
        p, d = against.get("p_holm"), against["d"]
        if p is not None:
            parts.append(f"p {p:.3f}, d {d:.2f}")
    return f"{', '.join(parts)} ({entry['n']} seeds)"


def _plus_minus(mean: str, half: float | None) -> str:
    return mean if half is None else f"{mean} ± {half:.3f}"
