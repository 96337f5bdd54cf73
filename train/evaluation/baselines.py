"""What a score must be read against: rules that answer an Example without a policy. Each ranks the candidates, or the whole catalogue, best first.

random       by the seed
popularity   by how many users like them: what fame alone gives
lightgcn     by the mean cosine of their embeddings with those of the anchors and the history: what interactions alone give
rules        by how many of the true conditions the graph proves met: what perfect reading gives
"""

from collections import Counter
from collections.abc import Callable
from random import Random

import numpy as np

from data_engine.graphs.evidence import Evidence
from data_engine.schema import Example

MOST_ANSWERED = 50  # titles of an answer
Baseline = Callable[[Example], list[str]]
Value = Callable[[Example], Callable[[str], float]]


def baseline(name: str, evidence: Evidence, seed: int, open_catalogue: bool = False) -> Baseline:
    """The ranker of that name, one of `BASELINES`; equal items are ranked by the seed. Of the open catalogue what the query does not name."""
    value, everything = BASELINES[name](evidence), sorted(evidence.attributes.titles)

    def rank(example: Example) -> list[str]:
        rng, worth = Random(f"{seed} {example.example_id}"), value(example)
        among = (
            [item for item in everything if item not in example.anchors]
            if open_catalogue
            else example.candidates
        )
        return sorted(rng.sample(among, len(among)), key=lambda item: -worth(item))

    return rank


def answers(rank: Baseline, examples: list[Example], evidence: Evidence) -> list[str]:
    """The responses that name each ranking, best first, and give no reasons."""
    titles = evidence.attributes.titles
    return [
        "\n".join(["<answer>", *(titles[item] for item in rank(e)[:MOST_ANSWERED]), "</answer>"])
        for e in examples
    ]


def _popularity(evidence: Evidence) -> Value:
    likes = Counter(item for items in evidence.interactions.liked.values() for item in items)
    return lambda _: lambda item: likes[item]


def _lightgcn(evidence: Evidence) -> Value:
    units = {
        item: v / max(float(np.linalg.norm(v)), 1e-12) for item, v in evidence.embeddings.items()
    }

    def taste(example: Example) -> Callable[[str], float]:
        known = [units[i] for i in (*example.anchors, *example.history) if i in units]
        liked = np.mean(known, axis=0) if known else None
        return lambda item: float(liked @ units[item]) if known and item in units else -1.0

    return taste


def _rules(evidence: Evidence) -> Value:
    return lambda example: (
        lambda item: sum(evidence.attributes.judge(item, c) is True for c in example.conditions)
    )


BASELINES: dict[str, Callable[[Evidence], Value]] = {
    "random": lambda _: lambda _example: lambda _item: 0.0,
    "popularity": _popularity,
    "lightgcn": _lightgcn,
    "rules": _rules,
}
