"""From a response to per-token rewards: ask the reward server, map its segments to tokens.

A response that could not be scored is said to be so.
"""

from collections.abc import Mapping
from math import nan
from typing import Any

import msgspec
import numpy as np

from data_engine.ndcg import ndcg_of_rank
from reward_server.client import AsyncHeadClient, AsyncRewardClient
from reward_server.errors import RewardError
from reward_server.wire import MOST_CHARACTERS, HeadAsk, Response, Score
from train.algorithms import Algorithm
from train.algorithms.claims import JudgedClaim, judged_claims
from train.algorithms.spans import Decode, token_spans

Figures = dict[str, Any]
_ENCODE = msgspec.json.Encoder().encode
_FIGURES = ("score", "ndcg", "qas", "pas", "answered", "penalised", "bad_claims")
_QUALITY = ("consistency", "compression", "entropy_gap")
_NEXT_FIGURES = ("score", "ndcg", "ndcg@10", *_QUALITY, "answered")
UNSCORED: Figures = {
    **dict.fromkeys(_FIGURES, nan),
    "unscored": 1.0,
    "claims": [],
    "segments": "[]",
}
NEXT_UNSCORED: Figures = {**dict.fromkeys(_NEXT_FIGURES, nan), "unscored": 1.0}


async def reward(
    client: AsyncRewardClient,
    example_id: str,
    ids: list[int],
    decode: Decode,
    algorithm: Algorithm,
) -> tuple[Figures, list[float]]:
    """(figures of the response, one reward per token).

    The score is on the last token, which lies in no segment; on the others the algorithm's process
    rewards. Claims that it compares within the group are among the figures: only the trainer sees
    the group.

    A response that could not be scored after the client's retries comes back with `unscored` 1, the
    reason, and figures that are no numbers, so that nothing takes them for one: the trainer leaves
    its group out, or stops, before the batch reaches the advantage.
    """
    text, spans = token_spans(ids, decode)
    try:
        score = await client.score(Response(example_id=example_id, response=text[:MOST_CHARACTERS]))
    except RewardError as error:
        return UNSCORED | {"reason": str(error)}, [0.0] * len(ids)
    rewards = algorithm.response_rewards(score, spans)
    figures = _figures(score, rewards, judged_claims(score, spans))
    figures["claims"] = algorithm.claims(score, spans)
    if rewards:
        rewards[-1] = score.score
    return figures, rewards


def _figures(score: Score, process: list[float], claims: list[JudgedClaim]) -> Figures:
    """The logged figures of a scored response, from its process rewards and judged claims too."""
    segments = [
        {"start": s.start, "end": s.end, "verdict": s.verdict, "reward": s.reward}
        for s in score.segments
    ]
    return {
        "score": score.score,
        "ndcg": score.ndcg,
        "qas": _part(score.qas, score.status),
        "pas": _part(score.pas, score.status),
        "answered": float(score.status == "ok"),
        "penalised": sum(r < 0 for r in process) / max(1, len(process)),
        "bad_claims": sum(c.bad for c in claims) / max(1, len(claims)),
        "unscored": 0.0,
        "reason": "",
        "claims": [],
        "segments": _ENCODE(segments).decode(),
    }


def _part(value: float | None, status: str) -> float:
    """A part of the reward: 0 without a named item, nan where the graphs cannot give it."""
    return (nan if status == "ok" else 0.0) if value is None else value


async def next_item_reward(
    client: AsyncHeadClient,
    query_id: str,
    ids: list[int],
    logprobs: list[float],
    decode: Decode,
    weights: Mapping[str, float],
) -> tuple[Figures, list[float]]:
    """As `reward`, for a response about what comes next: all of it on the last token.

    score = accuracy · NDCG@K + answered · (format + consistency · cosine + compression · ratio +
    entropy_gap · gap), by `weights` (RPORec, arXiv 2605.21967).
    """
    text, rewards = token_spans(ids, decode)[0], [0.0] * len(ids)
    try:
        found = await client.score(HeadAsk(query_id=query_id, response=text[:MOST_CHARACTERS]))
    except RewardError as error:
        return NEXT_UNSCORED | {"reason": str(error)}, rewards
    figures: Figures = {
        "ndcg": found.ndcg or 0.0,
        "ndcg@10": 0.0,
        "consistency": found.consistency or 0.0,
        "compression": found.compression or 0.0,
        "entropy_gap": entropy_gap(logprobs),
        "answered": float(found.status == "ok"),
    }
    if found.ndcg and found.rank is not None:
        figures["ndcg@10"] = ndcg_of_rank(found.rank, 10)
    quality = weights["format"] + sum(weights[name] * figures[name] for name in _QUALITY)
    figures["score"] = weights["accuracy"] * figures["ndcg"] + figures["answered"] * quality
    if rewards:
        rewards[-1] = figures["score"]
    return figures | {"unscored": 0.0, "reason": ""}, rewards


def entropy_gap(logprobs: list[float]) -> float:
    """E20% − Eµ in nats: the mean of the highest fifth of token entropies less the mean of all.

    At least one token is in the fifth. A token's entropy is estimated by its own surprise, −log p,
    which is what a rollout tells of it.
    """
    if not logprobs:
        return 0.0
    surprise = -np.sort(np.asarray(logprobs, np.float64))
    return float(surprise[: max(1, len(surprise) // 5)].mean() - surprise.mean())
