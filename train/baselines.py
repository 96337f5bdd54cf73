"""What a score must be read against: rules that answer an Example without a policy. Each ranks the candidates, best first.

random       by the seed
popularity   by how many users like them: what fame alone gives
lightgcn     by the mean cosine of their embeddings with those of the anchors and the history: what interactions alone give
rules        by how many of the true conditions the graph proves met: what perfect reading gives
"""

from collections import Counter
from collections.abc import Callable
from random import Random

import numpy as np

from data_engine.evidence import Evidence
from data_engine.schema import Example

Baseline = Callable[[Example], list[str]]


def baseline(name: str, evidence: Evidence, seed: int) -> Baseline:
    """The ranker of that name, one of `BASELINES`; equal candidates are ranked by the seed."""
    value = BASELINES[name](evidence)

    def rank(example: Example) -> list[str]:
        rng = Random(f"{seed} {example.example_id}")
        return sorted(rng.sample(example.candidates, len(example.candidates)), key=lambda item: -value(example, item))

    return rank


def answers(rank: Baseline, examples: list[Example], evidence: Evidence) -> list[str]:
    """The responses that name each ranking, best first, and give no reasons."""
    titles = evidence.attributes.titles
    return ["\n".join(["<answer>", *(titles[item] for item in rank(e)), "</answer>"]) for e in examples]


def _popularity(evidence: Evidence) -> Callable[[Example, str], float]:
    likes = Counter(item for items in evidence.interactions.liked.values() for item in items)
    return lambda _, item: likes[item]


def _lightgcn(evidence: Evidence) -> Callable[[Example, str], float]:
    units = {item: v / max(float(np.linalg.norm(v)), 1e-12) for item, v in evidence.embeddings.items()}

    def taste(example: Example, item: str) -> float:
        known = [units[i] for i in (*example.anchors, *example.history) if i in units]
        return float(np.mean(known, axis=0) @ units[item]) if known and item in units else -1.0

    return taste


def _rules(evidence: Evidence) -> Callable[[Example, str], float]:
    return lambda example, item: sum(evidence.attributes.judge(item, c) is True for c in example.conditions)


BASELINES: dict[str, Callable[[Evidence], Callable[[Example, str], float]]] = {
    "random": lambda _: lambda _example, _item: 0.0,
    "popularity": _popularity,
    "lightgcn": _lightgcn,
    "rules": _rules,
}
