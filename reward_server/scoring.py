"""The dual-graph reward (ReRec, arXiv 2604.07851; our rules in brackets), pure functions over sets
and vectors.

NDCG@K: binary gain, log2 discount, ideal cut at min(K, |gold|) [a repeated item counts once].
QAS(p, gt) = |R_p ∩ R_gt| / |R_gt| over (relation, attribute) edges; [absent where R_gt is empty].
[QAS over conditions: the share of the query's own conditions that p meets; absent where it has
none.] PAS(p, gt) = cos(M(p), M(gt)); [absent where an embedding is]. r = NDCG + w1 QAS + w2 PAS
[over the present parts, weights scaled so that their sum stays w1 + w2]. [Several gold items: the
best gold for each recommended item, then the mean over the top K.]
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from typing import TypeVar

import msgspec

from reward_server.wire import Profile, Weights

# K is 1: our recipes ask for one answer. The weights are the probe's, not tuned.
PROFILES: dict[Profile, Weights] = {
    "ndcg": Weights(),
    "rerec": Weights(qas=0.3, pas=0.2, penalty=0.5),
    "rerec-conditions": Weights(qas=0.3, pas=0.2, penalty=0.5, qas_over="conditions"),
    "open-catalogue": Weights(
        qas=0.3, pas=0.2, penalty=0.5, qas_over="conditions", right="conditions"
    ),
}
C = TypeVar("C")
EdgesOf = Callable[[str], frozenset[Hashable]]


@dataclass(frozen=True)
class Parts:
    """The parts of one response's reward, each part None where the graphs cannot give it."""

    ndcg: float
    qas: float | None
    pas: float | None


@lru_cache(256)
def digest(weights: Weights) -> str:
    """16 hex digits: the identity of a way to score."""
    return sha256(msgspec.json.encode(weights, order="deterministic")).hexdigest()[:16]


def query_alignment(
    ranked: Sequence[str], gold: frozenset[str], edges: EdgesOf, k: int
) -> float | None:
    """Mean over the top k of the best QAS against a gold item, 0..1; None when no gold item has an
    edge. `edges` gives R_x.
    """
    targets = [target for g in gold if (target := edges(g))]
    if not targets or not ranked:
        return None
    best = []
    for item in ranked[:k]:
        found = edges(item)
        best.append(max([len(found & target) / len(target) for target in targets]))
    return _mean(best)


def condition_alignment(
    ranked: Sequence[str], conditions: Sequence[C], meets: Callable[[str, C], bool | None], k: int
) -> float | None:
    """Mean over the top k of the share of conditions an item meets, 0..1; None for a query without
    conditions.
    """
    if not conditions or not ranked:
        return None
    shares = []
    for item in ranked[:k]:
        met = [meets(item, condition) is True for condition in conditions]
        shares.append(sum(met) / len(met))
    return _mean(shares)


def preference_alignment(
    ranked: Sequence[str], gold: frozenset[str], cosine: Callable[[str, str], float | None], k: int
) -> float | None:
    """Mean over the embedded items of the top k of the best cosine with a gold item, −1..1; None
    when either side has no embedding.

    `cosine` gives cos(M(p), M(gt)), None where an embedding is absent.
    """
    best = []
    for item in ranked[:k]:
        if found := [c for g in gold if (c := cosine(item, g)) is not None]:
            best.append(max(found))
    return _mean(best) if best else None


def combine(parts: Parts, weights: Weights) -> float:
    """r of the paper, by the weights over the parts that are present."""
    present = [
        (w, p) for w, p in ((weights.qas, parts.qas), (weights.pas, parts.pas)) if p is not None
    ]
    weight = sum(w for w, _ in present)
    if not weight:
        return parts.ndcg
    return parts.ndcg + (weights.qas + weights.pas) * (sum(w * p for w, p in present) / weight)


def penalised(reward: float, weights: Weights) -> float:
    """The reward of a segment that led to a wrong item: r − w_penalty·|r|, so that a penalty always
    lowers.
    """
    return reward - weights.penalty * abs(reward)


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)
