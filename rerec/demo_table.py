"""The table at the end of the demo: held-out NDCG@1 after each stage of training."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich import box
from rich.table import Table

from rerec.journey import evaluation_file

TITLES = {
    "popularity": "most liked",
    "sft": "after SFT",
    "grpo": "GRPO",
    "rerec": "ReRec",
    "rerec-graph": "judged",
}
FIGURES = {
    "steps right": "steps_right",
    "premise corrected": "premise_corrected",
    "position bias p": "position_bias_p",
}
Summary = Mapping[str, Any]


def results_table(run: Path, policies: Sequence[str]) -> Table:
    """NDCG@1 by kind of query, one column per policy.

    ± is half the width of the 95 % interval; the report has both ends.
    """
    summaries = {policy: _summary(run, policy) for policy in policies}
    kinds = list(summaries["sft"]["by_kind"])
    title = f"held-out NDCG@1, {summaries['sft']['queries']} unseen queries, ± 95 %"
    table = Table(  # 80 columns hold it
        title=title, title_justify="left", box=box.SIMPLE, show_edge=False, padding=(0, 1, 0, 0)
    )
    table.add_column("kind", no_wrap=True)
    for policy in policies:
        table.add_column(TITLES[policy], no_wrap=True)
    for kind in kinds:
        values = [_interval(summary["by_kind"][kind]) for summary in summaries.values()]
        table.add_row(kind, *values, end_section=kind == kinds[-1])
    table.add_row("all", *[_interval(summary["ndcg"]) for summary in summaries.values()])
    for name, figure in FIGURES.items():
        table.add_row(name, *[_figure(summary.get(figure)) for summary in summaries.values()])
    return table


def _summary(run: Path, policy: str) -> Summary:
    found: Summary = json.loads(evaluation_file(run, policy).read_text())["summary"]
    return found


def _interval(value: Mapping[str, float]) -> str:
    """A mean with half the width of its interval: ".612 ±.031"."""
    return f"{_short(value['mean'])} ±{_short((value['high'] - value['low']) / 2)}"


def _figure(value: float | None) -> str:
    return "-" if value is None else _short(value)


def _short(value: float) -> str:
    """Three decimals without the leading zero: ".612"."""
    return f"{value:.3f}".removeprefix("0")
