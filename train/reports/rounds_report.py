"""The HTML report of RPORec's rounds.

How each pair of policy and head ranks, and how each part of the reward went in stage 2.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from train.reports.metrics import Metrics, read_metrics, validations
from train.reports.pages import write_page
from train.reports.plots import canvas, inline, png
from train.reports.reward_plot import draw
from train.rft.resume import metrics_files

COLOURS = {"validation": "#335c99", "test": "#0a7d5a"}


def write_rounds_report(run: Path) -> Path:
    """Write run/report.html from rporec.json and the logs of stage 2; returns its path."""
    found = json.loads((run / "rporec.json").read_text())
    stages = sorted(run.glob("*/rft"), key=lambda folder: int(folder.parent.name))
    logs = {f"round {folder.parent.name}": read_metrics(metrics_files(folder)) for folder in stages}
    return write_page(
        run / "report.html",
        "rounds.html",
        rounds=found["rounds"],
        best=found["best"],
        figures=list(found["best"]["validation"]),
        whose=list(found["best"]["test"]),
        learned={name: _validated(metrics) for name, metrics in logs.items()},
        curves=inline(draw(logs)) if any(logs.values()) else "",
        plot=inline(_draw_rounds(found["rounds"])),
        provenance=found["provenance"],
    )


def _validated(metrics: Metrics) -> dict[str, list[float]]:
    """The values on the validation queries, by part of the reward."""
    return {part: values for part, (_, values) in validations(metrics).items()}


def _draw_rounds(rounds: Sequence[Mapping[str, Any]]) -> bytes:
    """PNG: each figure by pair of policy and head, on validation and on test."""
    names = list(rounds[0]["validation"])
    figure, panels = canvas(1, len(names), 12, 3.4)
    labels = [f"round {one['round']}\n{one['head']} head" for one in rounds]
    places = range(len(rounds))
    for axes, name in zip(panels[0], names, strict=True):
        validation = [one["validation"][name] for one in rounds]
        test = [one["test"]["their own"][name] for one in rounds]
        axes.plot(places, validation, "o-", color=COLOURS["validation"], label="validation")
        axes.plot(places, test, "o-", color=COLOURS["test"], label="test")
        axes.set(title=name, xticks=places, xticklabels=labels)
    panels[0][0].legend(frameon=False)
    return png(figure)
