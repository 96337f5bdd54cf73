"""A response cut into its segments, each in the tone of what it earned."""

from collections.abc import Mapping, Sequence
from typing import Any


def pieces(text: str, segments: Sequence[Mapping[str, Any]], score: float) -> list[dict[str, Any]]:
    """The segments (start, end, verdict, reward), each with its `text` and a `tone`.

    The tone is "lost" where RAAE took reward away or a wrong item was recommended, else "good" for
    a full score, else "poor".
    """
    return [
        {**segment, "text": text[segment["start"] : segment["end"]], "tone": _tone(segment, score)}
        for segment in segments
    ]


def _tone(segment: Mapping[str, Any], score: float) -> str:
    if segment["reward"] < score or segment["verdict"] == "wrong_item":
        return "lost"
    return "good" if score >= 1 else "poor"
