"""What a matrix of methods and seeds says: means over seeds with 95 % t-intervals, and paired differences from the first method, their p values
adjusted for how many are shown together.

The unit is the seed, not the query: two runs from other seeds differ by more than their queries' spread. Pure; from the rows that
`train.evaluation.evaluate` writes.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from scipy import stats

ALL = "all"
Cells = Mapping[str, Mapping[int, Sequence[dict]]]  # method → seed → evaluated rows


def by_seed(cells: Cells, method: str, kind: str = ALL) -> dict[int, float]:
    """Mean NDCG of each seed of a method, over one kind or all."""
    return {
        seed: float(np.mean([r["ndcg"] for r in rows if kind in (ALL, r["kind"])]))
        for seed, rows in cells[method].items()
    }


def interval(values: Sequence[float]) -> dict[str, float | int | None]:
    """{"mean", "half", "n"}: half the width of the 95 % t-interval of the mean, None for fewer than two values."""
    n = len(values)
    half = float(stats.t.ppf(0.975, n - 1) * np.std(values, ddof=1) / np.sqrt(n)) if n > 1 else None
    return {"mean": float(np.mean(values)), "half": half, "n": n}


def paired(one: Mapping[int, float], other: Mapping[int, float]) -> dict[str, float | int | None]:
    """The differences one − other over the seeds that both have: `interval`'s figures, the two-sided paired t-test's "p" and the effect
    size "d" (mean over standard deviation, Cohen's d_z). p and d are None for fewer than two seeds or equal differences."""
    shared = sorted(one.keys() & other.keys())
    differences = [one[seed] - other[seed] for seed in shared]
    if not differences:
        return {"mean": None, "half": None, "n": 0, "p": None, "d": None}
    spread = float(np.std(differences, ddof=1)) if len(differences) > 1 else 0.0
    if spread < 1e-12:
        return interval(differences) | {"p": None, "d": None}
    p = float(stats.ttest_rel([one[s] for s in shared], [other[s] for s in shared]).pvalue)
    return interval(differences) | {"p": p, "d": float(np.mean(differences)) / spread}


def adjusted(family: Sequence[float | None]) -> list[float | None]:
    """Holm's step-down p values (Scandinavian Journal of Statistics 6, 1979) of comparisons that are shown together, in their order: the i-th
    smallest of m, times m − i + 1, no less than the one before and at most 1. What has no p stays without, and does not count."""
    given = sorted((p, k) for k, p in enumerate(family) if p is not None)
    found: list[float | None] = [None] * len(family)
    least = 0.0
    for i, (p, k) in enumerate(given):
        found[k] = least = max(least, min(1.0, p * (len(given) - i)))
    return found


def adjust(family: Sequence[dict]) -> None:
    """Give each of these differences (see `paired`) its "p_holm"."""
    for difference, p in zip(family, adjusted([one["p"] for one in family]), strict=True):
        difference["p_holm"] = p


def compare(cells: Cells) -> dict[str, dict[str, dict]]:
    """{method: {kind or "all": interval's figures, with "seeds" and, but for the first method, "against" (see `paired`)}}. Two families are adjusted
    for: the differences over all queries, one per method, and those by kind, one per method and kind."""
    first = next(iter(cells))
    kinds = sorted({r["kind"] for by in cells.values() for rows in by.values() for r in rows})
    table: dict[str, dict[str, dict]] = {}
    for method in cells:
        for kind in (*kinds, ALL):
            scores = by_seed(cells, method, kind)
            entry = interval(list(scores.values())) | {
                "seeds": {str(seed): round(score, 4) for seed, score in scores.items()}
            }
            if method != first:
                entry["against"] = paired(scores, by_seed(cells, first, kind))
            table.setdefault(method, {})[kind] = entry
    others = [entries for method, entries in table.items() if method != first]
    adjust([entries[ALL]["against"] for entries in others])
    adjust([entries[kind]["against"] for entries in others for kind in kinds])
    return table
