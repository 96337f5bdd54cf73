"""The HTML report of a journey, with the table of results, learning curves, data and responses."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from data_engine.graphs.evidence import Evidence
from data_engine.runtime.atomic import write
from data_engine.schema import Example
from data_engine.store.database import Store
from train.errors import TrainError
from train.reports.dataset_page import dataset_page
from train.reports.metrics import read_metrics
from train.reports.pages import write_page
from train.reports.plots import canvas, curve, inline, png
from train.reports.segments import claim_marks, marked
from train.rft.resume import metrics_files

ARMS = {
    "popularity": "most liked",
    "untrained": "untrained",  # in runs of earlier versions
    "sft": "after SFT",
    "grpo": "GRPO",
    "rerec": "ReRec as published",
    "rerec-graph": "ReRec, judged claims",
}
CURVES = (
    ("rerec/ndcg", "NDCG@1 of rollouts"),
    ("rerec/qas", "query alignment (QAS)"),
    ("rerec/pas", "preference alignment (PAS)"),
    ("rerec/score", "reward r"),
    ("rerec/bad_claims", "share of bad claims"),
    ("rerec/entropy", "token entropy"),
)
COLOURS = {"grpo": "#888888", "rerec": "#335c99", "rerec-graph": "#0a7d5a"}
RESPONSES = 10


def write_journey_report(run: Path) -> Path:
    """Write run/report.html and run/curves.png; returns the path of the page.

    From run/eval/*.json, the training logs and the store. Raises TrainError without an evaluation.
    """
    evaluations = _read_evaluations(run)
    with Store.open(run / "store.duckdb", read_only=True) as store:
        examples = store.examples()
    evidence, by_id = Evidence.load(run / "store.duckdb"), {e.example_id: e for e in examples}
    curves = _draw_curves(run)
    write(run / "curves.png", curves)
    last = list(evaluations)[-1]
    record = run / "journey.json"
    return write_page(
        run / "report.html",
        "report.html",
        journey=json.loads(record.read_text()) if record.is_file() else {},
        names=ARMS,
        evaluations={arm: found["summary"] for arm, found in evaluations.items()},
        provenance=evaluations[last]["provenance"],
        curves=inline(curves),
        dataset=dataset_page(examples, evidence),
        asked=_read_asked(run / "asked.json"),
        last=ARMS[last],
        responses=[
            coloured(row, by_id[row["example_id"]], evidence)
            for row in pick(evaluations[last]["rows"])
        ],
    )


def _read_evaluations(run: Path) -> dict[str, dict[str, Any]]:
    """What `rerec eval` wrote, by arm."""
    found = {}
    for arm in ARMS:
        path = run / f"eval/{arm}.json"
        if path.is_file():
            found[arm] = json.loads(path.read_text())
    if not found:
        raise TrainError(
            f"{run} holds no evaluation (eval/*.json): run `rerec demo --run {run}` "
            f"or `rerec eval … --out {run}/eval/sft.json`"
        )
    return found


def _read_asked(path: Path) -> list[dict[str, Any]]:
    """What `rerec ask --out` wrote, with the reasonings in pieces; [] where nothing was asked."""
    if not path.is_file():
        return []
    found = []
    for one in json.loads(path.read_text())["answers"]:
        reasoning = one["answer"]["reasoning"]
        if reasoning is None:  # nothing was left to choose from
            continue
        graph = one["answer"]["text"].split("\n")[: -len(reasoning["summary"])]
        parts = {"pieces": marked(reasoning["text"], reasoning["marks"]), "graph": graph}
        found.append({"question": one["question"], "summary": reasoning["summary"], **parts})
    return found


def pick(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Ten rows in evaluation order: of each kind in turn, one wrong and one right."""
    groups: dict[tuple[str, bool], list[dict[str, Any]]] = {}
    for row in rows:
        groups.setdefault((row["kind"], row["ndcg"] > 0), []).append(row)
    chosen: list[dict[str, Any]] = []
    for depth in range(RESPONSES):
        chosen += [group[depth] for _, group in sorted(groups.items()) if depth < len(group)]
    return chosen[:RESPONSES]


def coloured(row: Mapping[str, Any], example: Example, evidence: Evidence) -> dict[str, Any]:
    """A response with its claims marked, beside its question."""
    titles, text = evidence.attributes.titles, row["response"]
    return {
        **row,
        "query": example.query,
        "pieces": marked(text, claim_marks(row["segments"], len(text))),
        "gold": [titles[item] for item in example.gold],
        "candidates": [titles[item] for item in example.candidates],
    }


def _draw_curves(run: Path) -> bytes:
    """PNG: SFT loss, then each part of the reward over RFT steps for every arm there is."""
    figure, grid = canvas(2, 4, 15, 6.2)
    panels = list(grid.flat)
    losses = run / "sft/curve.json"
    if losses.is_file():
        panels[0].plot(*zip(*json.loads(losses.read_text()), strict=True), color="#335c99")
    panels[0].set(title="SFT: loss (smoothed)", xlabel="step", yscale="log")
    arms = {arm: read_metrics(metrics_files(run / arm)) for arm in COLOURS}
    for axes, (key, title) in zip(panels[1:], CURVES, strict=False):
        for arm, metrics in arms.items():
            curve(axes, metrics.get(key, ([], [])), COLOURS[arm], ARMS[arm])
        axes.set(title=title, xlabel="RFT step")
    panels[-1].set(title="ReRec: mastered queries", xlabel="RFT step")
    if mastered := arms["rerec"].get("curriculum/mastered"):
        panels[-1].plot(*mastered, color=COLOURS["rerec"])
    if panels[1].get_legend_handles_labels()[0]:
        panels[1].legend(frameon=False)
    return png(figure)
