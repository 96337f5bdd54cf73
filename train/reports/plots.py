"""Figures as PNG, drawn without a screen."""

import base64
import io
from typing import TYPE_CHECKING

import numpy as np

from train.reports.metrics import Curve

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SMOOTHED = 5  # steps


def canvas(rows: int, columns: int, width: float, height: float) -> tuple["Figure", np.ndarray]:
    """(figure, axes (rows, columns)); width and height in inches."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    return plt.subplots(
        rows, columns, figsize=(width, height), constrained_layout=True, squeeze=False
    )


def png(figure: "Figure") -> bytes:
    """The figure as PNG; it is closed."""
    import matplotlib.pyplot as plt

    for axes in figure.axes:
        axes.spines[["top", "right"]].set_visible(False)
    image = io.BytesIO()
    figure.savefig(image, format="png", dpi=110)
    plt.close(figure)
    return image.getvalue()


def inline(image: bytes) -> str:
    """An image for src="data:image/png;base64,…"."""
    return base64.b64encode(image).decode()


def smoothed(values: list[float]) -> np.ndarray:
    """The mean of every SMOOTHED consecutive values; there must be so many."""
    return np.convolve(values, np.ones(SMOOTHED) / SMOOTHED, "valid")


def curve(axes: "Axes", points: Curve, colour: str, label: str | None = None) -> None:
    """Draw each step as a thin line and the mean of five as a thick one.

    The label is that of the thick line, or of the thin one where there are too few steps for it.
    """
    steps, values = points
    enough = len(values) >= SMOOTHED
    if steps:
        axes.plot(
            steps,
            values,
            color=colour,
            alpha=0.3 if enough else 1,
            linewidth=0.8,
            label=None if enough else label,
        )
    if enough:
        thick = smoothed(values)
        axes.plot(steps[SMOOTHED - 1 :], thick, color=colour, linewidth=2, label=label)
