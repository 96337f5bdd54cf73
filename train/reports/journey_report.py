"""The HTML report of a journey: one self-contained file with the table, learning curves, a dataset page and coloured responses."""

import json
from collections import Counter
from pathlib import Path

import numpy as np

from data_engine.graphs.evidence import Evidence
from data_engine.runtime.atomic import write
from data_engine.schema import Example
from data_engine.store.database import Store
from train.errors import TrainError
from train.reports.pages import canvas, curve, inline, pieces, png, read_metrics, render
from train.rft.run import metrics_files

ARMS = {
    "popularity": "most liked",
    "untrained": "untrained",
    "sft": "after SFT",
    "grpo": "after GRPO",
    "rerec": "after ReRec",
}
CURVES = (
    ("rerec/ndcg", "NDCG@1 of rollouts"),
    ("rerec/qas", "query alignment (QAS)"),
    ("rerec/pas", "preference alignment (PAS)"),
    ("rerec/score", "reward r"),
    ("rerec/penalised", "share of penalised tokens"),
    ("rerec/entropy", "token entropy"),
)
COLOURS = {"grpo": "#888888", "rerec": "#0a7d5a"}
RESPONSES = 10


def write_report(run: Path) -> Path:
    """Write run/report.html and run/curves.png from run/eval/*.json, the training logs and the store. Raises TrainError without an evaluation."""
    evaluations = {
        arm: json.loads(p.read_text()) for arm in ARMS if (p := run / f"eval/{arm}.json").is_file()
    }
    if not evaluations:
        raise TrainError(
            f"{run} holds no evaluation (eval/*.json): run `rerec demo --run {run}` or `rerec eval … --out {run}/eval/sft.json`"
        )
    with Store.open(run / "store.duckdb", read_only=True) as store:
        examples = store.examples()
    evidence, by_id = Evidence.load(run / "store.duckdb"), {e.example_id: e for e in examples}
    curves = _draw_curves(run)
    write(run / "curves.png", curves)
    last = list(evaluations)[-1]
    journey = (
        json.loads((run / "journey.json").read_text()) if (run / "journey.json").is_file() else {}
    )
    html = render(
        "report.html",
        run=run.name,
        journey=journey,
        names=ARMS,
        evaluations={arm: e["summary"] for arm, e in evaluations.items()},
        provenance=evaluations[last]["provenance"],
        curves=inline(curves),
        dataset=dataset_page(examples, evidence),
        last=ARMS[last],
        responses=[
            coloured(r, by_id[r["example_id"]], evidence) for r in pick(evaluations[last]["rows"])
        ],
    )
    write(run / "report.html", html)
    return run / "report.html"


def pick(rows: list[dict]) -> list[dict]:
    """Ten rows: from each kind in turn, a right and a wrong one, in evaluation order."""
    piles: dict[tuple, list[dict]] = {}
    for r in rows:
        piles.setdefault((r["kind"], r["ndcg"] > 0), []).append(r)
    chosen = [
        pile[depth]
        for depth in range(RESPONSES)
        for _, pile in sorted(piles.items())
        if depth < len(pile)
    ]
    return chosen[:RESPONSES]


def coloured(row: dict, example: Example, evidence: Evidence) -> dict[str, object]:
    """A response cut into its segments, each with its verdict and reward."""
    titles = evidence.attributes.titles
    return row | {
        "query": example.query,
        "pieces": pieces(row["response"], row["segments"], row["score"]),
        "gold": [titles[g] for g in example.gold],
        "candidates": [titles[c] for c in example.candidates],
    }


def dataset_page(examples: list[Example], evidence: Evidence) -> dict[str, object]:
    """Counts, query lengths, gold positions, relation coverage, and one Example of each kind with its labelled chains."""
    graph = evidence.attributes
    coverage = Counter(relation for by in graph.edges.values() for relation in by)
    lengths = np.quantile([len(e.query.split()) for e in examples], (0.1, 0.5, 0.9))
    shown = {e.kind: e for e in reversed(examples) if e.split == "sft"}
    return {
        "domain": evidence.domain,
        "digest": evidence.digest,
        "items": len(graph.titles),
        "users": len(evidence.interactions.users),
        "interactions": len(evidence.interactions.user),
        "edges": sum(map(len, graph.edge_sets.values())),
        "coverage": {r: n / len(graph.titles) for r, n in coverage.most_common()},
        "table": {
            split: Counter(e.kind for e in examples if e.split == split)
            for split in dict.fromkeys(e.split for e in examples)
        },
        "lengths": [int(x) for x in lengths],
        "positions": dict(sorted(Counter(e.gold_position for e in examples).items())),
        "total": len(examples),
        "examples": [shown[kind] for kind in sorted(shown)],
        "titles": graph.titles,
    }


def _draw_curves(run: Path) -> bytes:
    """PNG: SFT loss, then each reward part over RFT steps for every arm there is."""
    figure, axes = canvas(2, 4, 15, 6.2)
    panels = list(axes.flat)
    losses = run / "sft/curve.json"
    if losses.is_file():
        panels[0].plot(*zip(*json.loads(losses.read_text()), strict=True), color="#335c99")
    panels[0].set(title="SFT: loss (smoothed)", xlabel="step", yscale="log")
    arms = {arm: read_metrics(metrics_files(run / arm)) for arm in COLOURS}
    for panel, (key, title) in zip(panels[1:], CURVES, strict=False):
        for arm, metrics in arms.items():
            curve(panel, metrics.get(key, ([], [])), COLOURS[arm], ARMS[arm].removeprefix("after "))
        panel.set(title=title, xlabel="RFT step")
    panels[-1].set(title="ReRec: mastered queries", xlabel="RFT step")
    if mastered := arms["rerec"].get("curriculum/mastered"):
        panels[-1].plot(*mastered, color=COLOURS["rerec"])
    if panels[1].get_legend_handles_labels()[0]:
        panels[1].legend(frameon=False)
    return png(figure)
