"""The HTML report of one reinforcement run: every part of the reward, how validation went, how healthy it was, what was written last."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from math import isnan, nan
from pathlib import Path

from omegaconf import OmegaConf

from data_engine.runtime.atomic import write
from train.errors import TrainError
from train.reports.pages import Metrics, canvas, curve, inline, pieces, png, read_metrics, render
from train.rft.health import alarms
from train.rft.run import metrics_files

HEALTH = {
    "response_length/mean": "tokens a response",
    "response_length/clip_ratio": "share cut at the limit",
    "actor/ppo_kl": "KL of a step, nats a token",
    "actor/grad_norm": "gradient norm",
}
SECONDS = {
    "gen": "rollouts and rewards",
    "old_log_prob": "log-probs",
    "adv": "advantages",
    "update_actor": "update",
}
COLUMNS, SAMPLES = 4, 8
INK = ("#0a7d5a", "#335c99")


def write_run_report(run: Path) -> Path:
    """Write run/report.html from the logs of `rerec train rft`. Raises TrainError when no step was made."""
    metrics = read_metrics(metrics_files(run))
    if "rerec/score" not in metrics:
        raise TrainError(f"{run} holds no step of a run yet: nothing to report")
    seconds = {
        name: values
        for key, name in SECONDS.items()
        if (values := metrics.get(f"timing_s/{key}", ((), ()))[1])
    }
    html = render(
        "run.html",
        run=run.name,
        provenance=json.loads((run / "provenance.json").read_text()),
        alarms=alarms({name: values for name, (_, values) in metrics.items()}),
        plot=inline(draw({"": metrics})),
        steps=metrics["rerec/score"][0][-1],
        validation=validations(metrics),
        decoding=decoding(run),
        seconds={name: sum(values) / len(values) for name, values in seconds.items()},
        samples=samples(run),
    )
    write(run / "report.html", html)
    return run / "report.html"


def decoding(run: Path) -> str:
    """How validation had the policy answer."""
    settings = OmegaConf.load(run / "config.yaml").actor_rollout_ref.rollout.val_kwargs
    return f"sampled at temperature {settings.temperature:g}" if settings.do_sample else "greedy"


def validations(metrics: Metrics) -> dict[str, tuple[list[int], list[float]]]:
    """What verl measured on the validation queries, by part of the reward ("score" is the whole): at each step the mean over the kinds of query that
    have it, NaN where none has; and where there are several kinds the NDCG of each."""
    found: dict[str, dict[str, tuple[list[int], list[float]]]] = defaultdict(dict)
    for key, points in metrics.items():
        if key.startswith("val-") and key.endswith("/mean@1"):
            *_, kind, part, _ = key.split("/")
            found[part][kind] = points
    means = {
        part: _mean(list(kinds.values()))
        for part, kinds in sorted(found.items())
        if part not in ("reward", "unscored", "reward_seconds")
    }
    each = found["ndcg"]
    return means | ({f"ndcg {kind}": each[kind] for kind in sorted(each)} if len(each) > 1 else {})


def _mean(curves: Sequence[tuple[list[int], list[float]]]) -> tuple[list[int], list[float]]:
    """At each step of any curve the mean of those that have a number there."""
    at: dict[int, list[float]] = defaultdict(list)
    for step, value in (
        point for steps, values in curves for point in zip(steps, values, strict=True)
    ):
        at[step] += [] if isnan(value) else [value]
    return sorted(at), [sum(at[step]) / len(at[step]) if at[step] else nan for step in sorted(at)]


def samples(run: Path) -> list[dict]:
    """Some of what was written in the last validation, evenly over all, each with what every part of the reward says."""
    files = sorted((run / "samples").glob("*.jsonl"), key=lambda p: int(p.stem))
    rows = [json.loads(row) for row in files[-1].read_text().splitlines()] if files else []
    chosen = (
        [rows[k * len(rows) // SAMPLES] for k in range(SAMPLES)] if len(rows) > SAMPLES else rows
    )
    parts = ("ndcg", "qas", "pas", "consistency", "compression", "entropy_gap", "answered")
    return [
        {
            "asked": row["input"],
            "response": row["output"],
            "pieces": (
                cut := pieces(row["output"], json.loads(row.get("segments", "[]")), row["score"])
            ),
            "before": row["output"][: cut[0]["start"]] if cut else "",
            "score": row["score"],
            "parts": {name: row[name] for name in parts if not isnan(row.get(name, nan))},
        }
        for row in chosen
    ]


def draw(runs: Mapping[str, Metrics]) -> bytes:
    """PNG: each part of the reward on the rollouts (and, where it was measured, on validation: dots), then health; a colour a run."""
    parts = sorted(
        {
            key
            for found in runs.values()
            for key in found
            if key.startswith(("rerec/", "curriculum/")) and "seconds" not in key
        }
    )
    keys = [*parts, *(key for key in HEALTH if any(key in found for found in runs.values()))]
    rows = -(-len(keys) // COLUMNS)
    figure, axes = canvas(rows, COLUMNS, 15, 2.6 * rows)
    for panel, key in zip(axes.flat, keys, strict=False):
        name = key.rpartition("/")[2]
        for (label, metrics), colour in zip(
            runs.items(), [*INK, *(f"C{n}" for n in range(len(runs)))], strict=False
        ):
            curve(panel, metrics.get(key, ([], [])), colour, label)
            if key.startswith("rerec/") and name in (watched := validations(metrics)):
                panel.plot(
                    *watched[name],
                    "o--",
                    color=colour,
                    markersize=5,
                    linewidth=0.8,
                    label=f"{label} validation".strip(),
                )
        panel.set_title(HEALTH.get(key, name.replace("_", " ")), fontsize=10)
    for panel in list(axes.flat)[len(keys) :]:
        panel.set_visible(False)
    labelled = next((panel for panel in axes.flat if panel.get_legend_handles_labels()[0]), None)
    if labelled:
        labelled.legend(frameon=False, fontsize=8)
    return png(figure)
