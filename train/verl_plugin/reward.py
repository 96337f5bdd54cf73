"""From a response to per-token rewards: ask the reward server, map its segments to tokens, or say that it could not be scored."""

from math import nan

import msgspec
import numpy as np

from data_engine.ndcg import ndcg_of_rank
from reward_server.client import AsyncHeadClient, AsyncRewardClient
from reward_server.errors import RewardError
from reward_server.wire import MOST_CHARACTERS, HeadAsk, Response
from train.algorithms import Algorithm
from train.algorithms.claims import judged_claims
from train.algorithms.spans import Decode, token_spans

_ENCODE = msgspec.json.Encoder().encode
_FIGURES, _NEXT_FIGURES = (
    ("score", "ndcg", "qas", "pas", "answered", "penalised", "bad_claims"),
    ("score", "ndcg", "ndcg@10", "consistency", "compression", "entropy_gap", "answered"),
)
UNSCORED = {**dict.fromkeys(_FIGURES, nan), "unscored": 1.0, "claims": [], "segments": "[]"}
NEXT_UNSCORED = {**dict.fromkeys(_NEXT_FIGURES, nan), "unscored": 1.0}


async def reward(
    client: AsyncRewardClient,
    example_id: str,
    ids: list[int],
    decode: Decode,
    algorithm: Algorithm,
) -> tuple[dict, list[float]]:
    """(figures of the response, a reward a token): the score on the last token, which lies in no segment, on the others the penalty (≤ 0);
    or, with `judge`, nothing on the others and the judged claims among the figures: only the trainer sees the group that they are compared in.

    A response that could not be scored after the client's retries comes back with `unscored` 1, the reason, and figures that are no numbers, so
    that nothing takes them for one: the trainer leaves its group out, or stops, before the batch reaches the advantage.
    """
    text, spans = token_spans(ids, decode)
    rewards = [0.0] * len(ids)
    try:
        score = await client.score(Response(example_id=example_id, response=text[:MOST_CHARACTERS]))
    except RewardError as error:
        return UNSCORED | {"reason": str(error)}, rewards
    claims = judged_claims(score, spans)
    rewards = algorithm.response_rewards(score, spans)
    figures = {
        "score": score.score,
        "ndcg": score.ndcg,
        "qas": _part(score.qas, score.status),
        "pas": _part(score.pas, score.status),
        "answered": float(score.status == "ok"),
        "penalised": sum(r < 0 for r in rewards) / max(1, len(rewards)),
        "bad_claims": sum(c.bad for c in claims) / max(1, len(claims)),
        "unscored": 0.0,
        "reason": "",
        "claims": algorithm.claims(score, spans),
        "segments": _ENCODE(
            [
                {"start": s.start, "end": s.end, "verdict": s.verdict, "reward": s.reward}
                for s in score.segments
            ]
        ).decode(),
    }
    if rewards:
        rewards[-1] = score.score
    return figures, rewards


def _part(value: float | None, status: str) -> float:
    """Who names no item earns nothing of any part; a part that the graphs cannot give of an answer is no number."""
    return (nan if status == "ok" else 0.0) if value is None else value


async def next_item_reward(
    client: AsyncHeadClient,
    query_id: str,
    ids: list[int],
    logprobs: list[float],
    decode: Decode,
    weights: dict[str, float],
) -> tuple[dict, list[float]]:
    """As `reward`, for a response about what comes next (RPORec, arXiv 2605.21967): all of it on the last token, none before.

    score = accuracy · NDCG@K + answered · (format + consistency · cosine + compression · ratio + entropy_gap · gap), by `weights`.
    """
    text, rewards = token_spans(ids, decode)[0], [0.0] * len(ids)
    try:
        found = await client.score(HeadAsk(query_id=query_id, response=text[:MOST_CHARACTERS]))
    except RewardError as error:
        return NEXT_UNSCORED | {"reason": str(error)}, rewards
    figures = {
        "ndcg": found.ndcg or 0.0,
        "ndcg@10": ndcg_of_rank(found.rank, 10) if found.ndcg else 0.0,
        "consistency": found.consistency or 0.0,
        "compression": found.compression or 0.0,
        "entropy_gap": entropy_gap(logprobs),
        "answered": float(found.status == "ok"),
    }
    quality = weights["format"] + sum(
        weights[name] * figures[name] for name in ("consistency", "compression", "entropy_gap")
    )
    figures["score"] = weights["accuracy"] * figures["ndcg"] + figures["answered"] * quality
    if rewards:
        rewards[-1] = figures["score"]
    return figures | {"unscored": 0.0, "reason": ""}, rewards


def entropy_gap(logprobs: list[float]) -> float:
    """E20% − Eµ in nats: the mean of the highest fifth of token entropies (at least one) less their mean. A token's entropy is estimated by its own
    surprise, −log p: what a rollout tells of it."""
    if not logprobs:
        return 0.0
    surprise = -np.sort(np.asarray(logprobs, np.float64))
    return float(surprise[: max(1, len(surprise) // 5)].mean() - surprise.mean())
