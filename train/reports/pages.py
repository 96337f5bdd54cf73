"""What every report is made of: a template that needs no other file, and pictures that lie in it."""

import base64
import io
import json
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from jinja2 import Environment, FileSystemLoader

SMOOTHED = 5  # steps
Metrics = dict[str, tuple[list[int], list[float]]]  # name → (steps, values)


def render(template: str, **facts: object) -> str:
    """One HTML page, whole in itself; what comes from data or models is escaped."""
    page = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return page.get_template(template).render(**facts)


def png(figure: object) -> bytes:
    """A matplotlib figure as PNG; the figure is closed."""
    import matplotlib.pyplot as plt

    for panel in figure.axes:
        panel.spines[["top", "right"]].set_visible(False)
    image = io.BytesIO()
    figure.savefig(image, format="png", dpi=110)
    plt.close(figure)
    return image.getvalue()


def inline(image: bytes) -> str:
    """For src="data:image/png;base64,…"."""
    return base64.b64encode(image).decode()


def canvas(rows: int, columns: int, width: float, height: float) -> tuple[object, np.ndarray]:
    """(figure, axes (rows, columns)) that need no screen."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    return plt.subplots(
        rows, columns, figsize=(width, height), constrained_layout=True, squeeze=False
    )


def read_metrics(paths: Iterable[Path]) -> Metrics:
    """verl's logs; {} when there is none. After a resume the last value of a step counts."""
    found: dict[str, dict[int, float]] = {}
    for line in (line for path in paths for line in path.read_text().splitlines()):
        entry = json.loads(line)
        for key, value in entry["data"].items():
            if isinstance(value, int | float):
                found.setdefault(key, {})[entry["step"]] = value
    return {
        key: (sorted(points), [points[s] for s in sorted(points)]) for key, points in found.items()
    }


def pieces(text: str, segments: Sequence[dict], score: float) -> list[dict]:
    """A response cut into its segments (start, end, verdict, reward), each with its `text` and a `tone`: "lost" where RAAE took reward away or a
    wrong item was recommended."""
    return [{**s, "text": text[s["start"] : s["end"]], "tone": _tone(s, score)} for s in segments]


def _tone(segment: dict, score: float) -> str:
    if segment["reward"] < score or segment["verdict"] == "wrong_item":
        return "lost"
    return "good" if score >= 1 else "poor"


def curve(
    panel: object, points: tuple[list[int], list[float]], colour: str, label: str | None = None
) -> None:
    """Thin: each step; thick: the mean of five. The label is the thick line's, or the thin one's where there are too few steps for it."""
    steps, values = points
    smoothed = len(values) >= SMOOTHED
    if steps:
        panel.plot(
            steps,
            values,
            color=colour,
            alpha=0.3 if smoothed else 1,
            linewidth=0.8,
            label=None if smoothed else label,
        )
    if smoothed:
        panel.plot(
            steps[SMOOTHED - 1 :],
            np.convolve(values, np.ones(SMOOTHED) / SMOOTHED, "valid"),
            color=colour,
            linewidth=2,
            label=label,
        )
