"""The HTML report of one reinforcement run.

Every part of the reward, how validation went, how healthy the policy was, what it wrote last.
"""

import json
from math import isnan, nan
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from data_engine.datasets.sampling import evenly
from train.errors import TrainError
from train.reports.metrics import Metrics, read_metrics, validations
from train.reports.pages import write_page
from train.reports.plots import inline
from train.reports.reward_plot import draw
from train.reports.segments import pieces
from train.rft.health import alarms
from train.rft.resume import metrics_files

SECONDS = {
    "gen": "rollouts and rewards",
    "old_log_prob": "log-probs",
    "adv": "advantages",
    "update_actor": "update",
}
PARTS = ("ndcg", "qas", "pas", "consistency", "compression", "entropy_gap", "answered")
SAMPLES = 8


def write_run_report(run: Path) -> Path:
    """Write run/report.html from the logs of `rerec train rft`; returns its path.

    Raises TrainError when no step was made.
    """
    metrics = read_metrics(metrics_files(run))
    if "rerec/score" not in metrics:
        raise TrainError(f"{run} holds no step of a run yet: nothing to report")
    return write_page(
        run / "report.html",
        "run.html",
        provenance=json.loads((run / "provenance.json").read_text()),
        alarms=alarms({name: values for name, (_, values) in metrics.items()}),
        plot=inline(draw({"": metrics})),
        steps=metrics["rerec/score"][0][-1],
        validation=validations(metrics),
        decoding=decoding(run),
        seconds=_mean_seconds(metrics),
        samples=samples(run),
    )


def _mean_seconds(metrics: Metrics) -> dict[str, float]:
    """Seconds per step of each phase that was timed."""
    found = {}
    for key, name in SECONDS.items():
        _, values = metrics.get(f"timing_s/{key}", ([], []))
        if values:
            found[name] = sum(values) / len(values)
    return found


def decoding(run: Path) -> str:
    """How validation had the policy answer, in words."""
    settings = OmegaConf.load(run / "config.yaml").actor_rollout_ref.rollout.val_kwargs
    return f"sampled at temperature {settings.temperature:g}" if settings.do_sample else "greedy"


def samples(run: Path) -> list[dict[str, Any]]:
    """Some responses of the last validation, evenly over all, with each part of their reward."""
    files = sorted((run / "samples").glob("*.jsonl"), key=lambda path: int(path.stem))
    rows = [json.loads(line) for line in files[-1].read_text().splitlines()] if files else []
    return [_sample(row) for row in evenly(rows, SAMPLES)]


def _sample(row: dict[str, Any]) -> dict[str, Any]:
    cut = pieces(row["output"], json.loads(row.get("segments", "[]")), row["score"])
    return {
        "asked": row["input"],
        "response": row["output"],
        "pieces": cut,
        "before": row["output"][: cut[0]["start"]] if cut else "",
        "score": row["score"],
        "parts": {name: row[name] for name in PARTS if not isnan(row.get(name, nan))},
    }
