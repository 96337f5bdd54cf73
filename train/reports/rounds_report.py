"""The HTML report of RPORec's rounds: what each pair of policy and head ranks, and how each part of the reward went in stage 2."""

import json
from pathlib import Path

from data_engine.runtime.atomic import write
from train.reports.pages import canvas, inline, png, read_metrics, render
from train.reports.run_report import draw, validations
from train.rft.run import metrics_files

COLOURS = {"validation": "#335c99", "test": "#0a7d5a"}


def write_rounds_report(run: Path) -> Path:
    """Write run/report.html from rporec.json and the logs of each round's stage 2."""
    found = json.loads((run / "rporec.json").read_text())
    stages = sorted(run.glob("*/rft"), key=lambda folder: int(folder.parent.name))
    logs = {f"round {folder.parent.name}": read_metrics(metrics_files(folder)) for folder in stages}
    html = render(
        "rounds.html",
        run=run.name,
        rounds=found["rounds"],
        best=found["best"],
        figures=list(found["best"]["validation"]),
        whose=list(found["best"]["test"]),
        learned={
            name: {part: points[1] for part, points in validations(metrics).items()}
            for name, metrics in logs.items()
        },
        curves=inline(draw(logs)) if any(logs.values()) else "",
        plot=inline(_draw(found["rounds"])),
        provenance=found["provenance"],
    )
    write(run / "report.html", html)
    return run / "report.html"


def _draw(rounds: list[dict]) -> bytes:
    """PNG: each figure by pair of policy and head, on validation and on test."""
    figures = list(rounds[0]["validation"])
    figure, axes = canvas(1, len(figures), 12, 3.4)
    for panel, name in zip(axes[0], figures, strict=True):
        for part, colour in COLOURS.items():
            values = [
                (one["test"]["their own"] if part == "test" else one["validation"])[name]
                for one in rounds
            ]
            panel.plot(range(len(rounds)), values, "o-", color=colour, label=part)
        panel.set(
            title=name,
            xticks=range(len(rounds)),
            xticklabels=[f"round {one['round']}\n{one['head']} head" for one in rounds],
        )
    axes[0][0].legend(frameon=False)
    return png(figure)
