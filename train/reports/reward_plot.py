"""Every part of the reward, and the health of the policy, over the steps of runs."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from train.reports.metrics import Curve, Metrics, validations
from train.reports.plots import canvas, curve, png

if TYPE_CHECKING:
    from matplotlib.axes import Axes

HEALTH = {
    "response_length/mean": "tokens per response",
    "response_length/clip_ratio": "share cut at the limit",
    "actor/ppo_kl": "KL per step, nats per token",
    "actor/grad_norm": "gradient norm",
}
COLUMNS = 4
INK = ("#0a7d5a", "#335c99")


def draw(runs: Mapping[str, Metrics]) -> bytes:
    """PNG: one panel per part of the reward, then health; one colour per run.

    Lines are the rollouts, dots the validation queries where they were measured.
    """
    keys = _panel_keys(runs.values())
    rows = -(-len(keys) // COLUMNS)
    figure, grid = canvas(rows, COLUMNS, 15, 2.6 * rows)
    panels = list(grid.flat)
    colours = [*INK, *(f"C{n}" for n in range(len(runs)))]
    for axes, key in zip(panels, keys, strict=False):
        name = key.rpartition("/")[2]
        for (label, metrics), colour in zip(runs.items(), colours, strict=False):
            curve(axes, metrics.get(key, ([], [])), colour, label)
            validated: Metrics = validations(metrics) if key.startswith("rerec/") else {}
            if name in validated:
                _dots(axes, validated[name], colour, f"{label} validation".strip())
        axes.set_title(HEALTH.get(key, name.replace("_", " ")), fontsize=10)
    for axes in panels[len(keys) :]:
        axes.set_visible(False)
    labelled = next((axes for axes in panels if axes.get_legend_handles_labels()[0]), None)
    if labelled:
        labelled.legend(frameon=False, fontsize=8)
    return png(figure)


def _panel_keys(runs: Iterable[Metrics]) -> list[str]:
    """The metrics that get a panel: parts of the reward and the curriculum, then health."""
    names: set[str] = set()
    for metrics in runs:
        names |= metrics.keys()
    parts = [
        name
        for name in sorted(names)
        if name.startswith(("rerec/", "curriculum/")) and "seconds" not in name
    ]
    return [*parts, *(name for name in HEALTH if name in names)]


def _dots(axes: "Axes", points: Curve, colour: str, label: str) -> None:
    axes.plot(*points, "o--", color=colour, markersize=5, linewidth=0.8, label=label)
