"""The HTML report of a comparison: means over seeds, paired differences, learning curves."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from train.evaluation.comparison import ALL, Entry
from train.reports.metrics import Metrics, read_metrics
from train.reports.pages import write_page
from train.reports.plots import SMOOTHED, canvas, inline, png, smoothed
from train.rft.resume import metrics_files

Table = Mapping[str, Mapping[str, Entry]]


def write_comparison_report(
    run: Path, split: str, summary: Mapping[str, Any], folders: Mapping[str, Mapping[int, Path]]
) -> Path:
    """Write run/comparison.html; returns its path.

    summary: the content of comparison.json; folders: of training runs, by method and seed.
    """
    table: Table = summary["table"]
    curves = {
        name: [read_metrics(metrics_files(folder)) for folder in by_seed.values()]
        for name, by_seed in folders.items()
    }
    return write_page(
        run / "comparison.html",
        "comparison.html",
        kinds=list(next(iter(table.values()))),
        first=next(iter(table)),
        plot=inline(_draw(table, curves)),
        split=split,
        **summary,
    )


def _draw(table: Table, curves: Mapping[str, list[Metrics]]) -> bytes:
    """PNG: left, mean and interval of each method with its seeds as dots; right, rollout NDCG."""
    figure, panels = canvas(1, 2, 12, 1.6 + 0.5 * max(4, len(table)))
    left, right = panels[0]
    for n, (name, kinds) in enumerate(table.items()):
        entry, colour = kinds[ALL], f"C{n}"
        seeds = list(entry["seeds"].values())
        left.errorbar(entry["mean"], n, xerr=entry["half"] or 0, fmt="o", color=colour, capsize=4)
        left.scatter(seeds, [n + 0.18] * entry["n"], s=12, alpha=0.6, color=colour)
        values = _mean_over_seeds(curves[name])
        if len(values) >= SMOOTHED:
            right.plot(range(SMOOTHED, len(values) + 1), smoothed(values), color=colour)
    left.set(
        yticks=range(len(table)), yticklabels=list(table), title="held-out NDCG@1, 95 % over seeds"
    )
    left.invert_yaxis()
    right.set(title="NDCG@1 of rollouts, mean of five steps (colours: left)", xlabel="step")
    return png(figure)


def _mean_over_seeds(runs: list[Metrics]) -> list[float]:
    """The NDCG of the rollouts per step, as far as all seeds got."""
    series = [metrics["rerec/ndcg"][1] for metrics in runs if "rerec/ndcg" in metrics]
    length = min(map(len, series), default=0)
    return list(np.mean([values[:length] for values in series], axis=0)) if length else []
