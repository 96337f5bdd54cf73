"""One evaluated Example as a row: its response, its score, and figures beside NDCG."""

from typing import Any

import msgspec

from data_engine.graphs.evidence import Evidence
from data_engine.responses.reading import split_answer, without_tags
from data_engine.schema import Example
from reward_server.wire import Score


def row(example: Example, text: str, score: Score, evidence: Evidence) -> dict[str, Any]:
    """The row of a scored response.

    satisfied: share of the true conditions that the first recommendation meets (null without any);
    premise_corrected: see `_corrected`; steps_right: share of the judged claims that are true and
    about what is asked (null without any); claims_good, claims_bad, claims_unknown: how many claims
    are so; invented: answered titles that no item bears.
    """
    return {
        "example_id": example.example_id,
        "kind": example.kind,
        "gold_position": example.gold_position,
        "ndcg": score.ndcg,
        "score": score.score,
        "status": score.status,
        "satisfied": _satisfied(example, score, evidence),
        "response": text,
        "segments": msgspec.to_builtins(score.segments),
        "premise_corrected": _corrected(example, text, score, evidence),
        "steps_right": _steps_right(score),
        **_claims(score),
        "invented": score.unresolved,
        "words": len(without_tags(text).split()),
        "conditions": len(example.conditions),
        "candidates": len(example.candidates),
    }


def _claims(score: Score) -> dict[str, int]:
    """How many claims of the response are good (true and to the point), bad, or unknown."""
    verdicts = [claim for segment in score.segments for claim in segment.claims]
    unknown = sum(claim.verdict == "unknown" for claim in verdicts)
    good = sum(c.verdict == "supported" and c.relevant is not False for c in verdicts)
    return {
        "claims_good": good,
        "claims_bad": len(verdicts) - good - unknown,
        "claims_unknown": unknown,
    }


def _satisfied(example: Example, score: Score, evidence: Evidence) -> float | None:
    if not example.conditions:
        return None
    if not score.recommended:
        return 0.0
    first, judge = score.recommended[0], evidence.attributes.judge
    return sum(bool(judge(first, c)) for c in example.conditions) / len(example.conditions)


def _steps_right(score: Score) -> float | None:
    right: list[bool] = []
    for segment in score.segments:
        for claim in segment.claims:
            if claim.verdict != "unknown":
                right.append(claim.verdict == "supported" and claim.relevant is not False)
    return sum(right) / len(right) if right else None


def _corrected(example: Example, text: str, score: Score, evidence: Evidence) -> bool | None:
    """Whether the reasoning to a misinformed query names the true value before the candidates.

    The true value is the one that a condition, or else the graph, says the premise's subject has.
    None for other kinds, for a response without reasoning (a baseline's), and where no true value
    is known.
    """
    if example.kind != "misinformed" or not split_answer(text)[0]:
        return None
    graph, premise = evidence.attributes, example.premise
    if premise:
        true = tuple(graph.values(premise.subject, premise.relation))
    else:
        true = tuple(c.value for c in example.conditions[:1])
    names = [c.name for c in example.conditions if c.value in true]
    names = names or [graph.names[value] for value in true]
    if not names:
        return None
    candidates = set(example.candidates)
    first = min(
        (s.start for s in score.segments if candidates & set(s.mentions)), default=len(text)
    )
    return any(name in text[:first] for name in names)
