"""From a response to per-token rewards: ask the reward server, map its segments to tokens, or say that it could not be scored."""

from collections.abc import Callable

from reward_server.client import AsyncRewardClient
from reward_server.errors import RewardError
from reward_server.wire import Response
from train.judged import judged
from train.spans import spread, token_spans

UNSCORED = {"score": 0.0, "ndcg": 0.0, "qas": 0.0, "pas": 0.0, "answered": 0.0, "penalised": 0.0, "bad_claims": 0.0, "unscored": 1.0, "claims": []}


async def reward(
    client: AsyncRewardClient, example_id: str, ids: list[int], decode: Callable[[tuple[int, ...]], str], judge: bool = False
) -> tuple[dict, list[float]]:
    """(figures of the response, a reward a token): the score on the last token, which lies in no segment, on the others the penalty (≤ 0);
    or, with `judge`, nothing on the others and the judged claims among the figures: only the trainer sees the group that they are compared in.

    A response that could not be scored after the client's retries comes back with `unscored` 1 and the reason: the trainer stops before
    such a batch reaches the advantage.
    """
    text, spans = token_spans(ids, decode)
    rewards = [0.0] * len(ids)
    try:
        score = await client.score(Response(example_id=example_id, response=text))
    except RewardError as error:
        return UNSCORED | {"reason": str(error)}, rewards
    claims = judged(score, spans)
    for segment in () if judge else score.segments:
        for k in spread(spans, segment.start, segment.end):
            rewards[k] = segment.reward - score.score
    figures = {
        "score": score.score,
        "ndcg": score.ndcg,
        "qas": score.qas or 0.0,
        "pas": score.pas or 0.0,
        "answered": float(score.status == "ok"),
        "penalised": sum(r < 0 for r in rewards) / max(1, len(rewards)),
        "bad_claims": sum(c.bad for c in claims) / max(1, len(claims)),
        "unscored": 0.0,
        "reason": "",
        "claims": claims if judge else [],
    }
    if rewards:
        rewards[-1] = score.score
    return figures, rewards
