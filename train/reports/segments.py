"""A response in coloured parts: its segments by what they earned, or its claims by their truth."""

from collections.abc import Mapping, Sequence
from typing import Any

from data_engine.responses.marks import worst

ORDER = ("good", "unknown", "bad")  # of claims; the later, the worse


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


def claim_marks(segments: Sequence[Mapping[str, Any]], length: int) -> list[dict[str, Any]]:
    """The claims of all segments as marks (start, end, verdict) of a text of so many characters.

    good: true and to the point. bad: contradicted, or about nothing that the query needs. unknown:
    the graph cannot say.
    """
    spans = [(c["start"], c["end"], _verdict(c)) for s in segments for c in s["claims"]]
    return [
        {"start": start, "end": end, "verdict": verdict}
        for start, end, verdict in worst(spans, ORDER, length)
    ]


def _verdict(claim: Mapping[str, Any]) -> str:
    if claim["verdict"] == "unknown":
        return "unknown"
    return "good" if claim["verdict"] == "supported" and claim["relevant"] is not False else "bad"


def marked(text: str, marks: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """All of a text in pieces: `text`, and `verdict` where the assistant marked it, else ""."""
    found, at = [], 0
    for mark in marks:
        found.append({"text": text[at : mark["start"]], "verdict": ""})
        at = mark["end"]
        found.append({"text": text[mark["start"] : at], "verdict": mark["verdict"]})
    return [piece for piece in (*found, {"text": text[at:], "verdict": ""}) if piece["text"]]
