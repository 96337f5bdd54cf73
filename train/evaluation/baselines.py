"""What a score must be read against: rules that answer an Example without a policy.

Each ranks the candidates, or the whole catalogue, best first:

random       by the seed
popularity   by how many users like them: what fame alone gives
lightgcn     by the mean cosine of their embeddings with those of the anchors and the history: what
             interactions alone give
rules        by how many of the true conditions the graph proves met: what perfect reading gives
"""

from collections import Counter
from collections.abc import Callable, Sequence
from random import Random

import numpy as np

from data_engine.graphs.evidence import Evidence
from data_engine.schema import Example

MOST_ANSWERED = 50  # titles of an answer
Baseline = Callable[[Example], list[str]]
Value = Callable[[str], float]  # of an item
Valuer = Callable[[Example], Value]


def baseline(name: str, evidence: Evidence, seed: int, open_catalogue: bool = False) -> Baseline:
    """The ranker of that name, one of `BASELINES`; equal items are ranked by the seed.

    Of the open catalogue it ranks the items that the query does not name.
    """
    valuer, everything = BASELINES[name](evidence), sorted(evidence.attributes.titles)

    def rank(example: Example) -> list[str]:
        rng, value = Random(f"{seed} {example.example_id}"), valuer(example)
        items: Sequence[str] = example.candidates
        if open_catalogue:
            items = [item for item in everything if item not in example.anchors]
        return sorted(rng.sample(items, len(items)), key=lambda item: -value(item))

    return rank


def answers(rank: Baseline, examples: list[Example], evidence: Evidence) -> list[str]:
    """The responses that name each ranking, best first, and give no reasons."""
    return [_answer(rank(example)[:MOST_ANSWERED], evidence) for example in examples]


def _answer(items: list[str], evidence: Evidence) -> str:
    titles = [evidence.attributes.titles[item] for item in items]
    return "\n".join(["<answer>", *titles, "</answer>"])


def _random(evidence: Evidence) -> Valuer:
    """All items are equal."""

    def valuer(example: Example) -> Value:
        return lambda item: 0.0

    return valuer


def _popularity(evidence: Evidence) -> Valuer:
    likes: Counter[str] = Counter()
    for items in evidence.interactions.liked.values():
        likes.update(items)

    def valuer(example: Example) -> Value:
        return lambda item: likes[item]

    return valuer


def _lightgcn(evidence: Evidence) -> Valuer:
    units = {
        item: v / max(float(np.linalg.norm(v)), 1e-12) for item, v in evidence.embeddings.items()
    }

    def valuer(example: Example) -> Value:
        known = [units[i] for i in (*example.anchors, *example.history) if i in units]
        if not known:
            return lambda item: -1.0
        liked = np.mean(known, axis=0)
        return lambda item: float(liked @ units[item]) if item in units else -1.0

    return valuer


def _rules(evidence: Evidence) -> Valuer:
    judge = evidence.attributes.judge

    def valuer(example: Example) -> Value:
        return lambda item: sum(judge(item, c) is True for c in example.conditions)

    return valuer


BASELINES: dict[str, Callable[[Evidence], Valuer]] = {
    "random": _random,
    "popularity": _popularity,
    "lightgcn": _lightgcn,
    "rules": _rules,
}
