"""The dual-graph reward (ReRec, arXiv 2604.07851; our rules in brackets), pure functions over sets and vectors.

NDCG@K: binary gain, log2 discount, ideal cut at min(K, |gold|) [a repeated item counts once].
QAS(p, gt) = |R_p ∩ R_gt| / |R_gt| over (relation, attribute) edges; [absent where R_gt is empty].
PAS(p, gt) = cos(M(p), M(gt)); [absent where an embedding is].
r = NDCG + w1 QAS + w2 PAS [over the present parts, weights scaled so that their sum stays w1 + w2].
[Several gold items: the best gold for each recommended item, then the mean over the top K.]
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log2

import numpy as np

from data_engine.graphs import Edge


@dataclass(frozen=True)
class Profile:
    """How parts make a score: cut-off K, w1 (QAS), w2 (PAS), and RAAE's w_penalty for segments that led to a wrong item."""

    k: int
    qas: float
    pas: float
    penalty: float


# K is 1: our recipes ask for one answer. The weights are the probe's, not tuned.
PROFILES = {"ndcg": Profile(1, 0.0, 0.0, 0.0), "rerec": Profile(1, 0.3, 0.2, 0.5)}


@dataclass(frozen=True)
class Parts:
    """The parts of one response's reward, each part None where the graphs cannot give it."""

    ndcg: float
    qas: float | None
    pas: float | None


def ndcg(ranked: Sequence[str], gold: frozenset[str], k: int) -> float:
    """NDCG@k of a ranking without repeats, 0..1. Raises ValueError for an empty gold set."""
    if not gold:
        raise ValueError("NDCG needs at least one gold item")
    gain = sum(1 / log2(n + 2) for n, item in enumerate(ranked[:k]) if item in gold)
    return gain / sum(1 / log2(n + 2) for n in range(min(k, len(gold))))


def query_alignment(ranked: Sequence[str], gold: frozenset[str], edges: Mapping[str, frozenset[Edge]], k: int) -> float | None:
    """Mean over the top k of the best QAS against a gold item, 0..1; None when no gold item has an edge."""
    targets = [edges[g] for g in sorted(gold) if edges.get(g)]
    if not targets or not ranked:
        return None
    return float(np.mean([max(len(edges.get(item, frozenset()) & t) / len(t) for t in targets) for item in ranked[:k]]))


def preference_alignment(ranked: Sequence[str], gold: frozenset[str], unit: Mapping[str, np.ndarray], k: int) -> float | None:
    """Mean over the embedded items of the top k of the best cosine with a gold item, −1..1; None when either side has no embedding.

    `unit` maps item → embedding of length 1.
    """
    targets = [unit[g] for g in sorted(gold) if g in unit]
    known = [unit[item] for item in ranked[:k] if item in unit]
    if not targets or not known:
        return None
    return float(np.mean([max(float(v @ t) for t in targets) for v in known]))


def combine(parts: Parts, profile: Profile) -> float:
    """r of the paper, by the profile's weights over the parts that are present."""
    present = [(w, p) for w, p in ((profile.qas, parts.qas), (profile.pas, parts.pas)) if p is not None]
    weight = sum(w for w, _ in present)
    if not weight:
        return parts.ndcg
    return parts.ndcg + (profile.qas + profile.pas) / weight * sum(w * p for w, p in present)


def penalised(reward: float, profile: Profile) -> float:
    """The reward of a segment that led to a wrong item: r − w_penalty·|r|, so that a penalty always lowers."""
    return reward - profile.penalty * abs(reward)
