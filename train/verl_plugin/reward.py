"""From a trajectory to per-token rewards: ask the reward server, map its segments to tokens, or say that it could not be scored."""

from functools import cache

import torch
from verl.experimental.reward_loop.reward_manager.base import RewardManagerBase

from reward_server.client import AsyncRewardClient
from reward_server.errors import RewardError
from reward_server.wire import Response
from train.spans import spread, token_spans


class ServerRewardManager(RewardManagerBase):
    """Scores by HTTP. Token rewards: on the last token the response's score, on the others their segment's penalty (≤ 0).

    A response that could not be scored after the client's retries comes back with `unscored` 1 and no invented score: the trainer
    stops before such a batch reaches the advantage.
    """

    def __init__(
        self, config: object, tokenizer: object, compute_score: object, reward_router_address: object = None, reward_model_tokenizer: object = None
    ) -> None:
        super().__init__(config, tokenizer, compute_score)
        settings = config.rerec
        self.decode = cache(lambda part: tokenizer.decode(list(part), skip_special_tokens=True))
        self.client = AsyncRewardClient(settings.server, settings.graph_digest, settings.profile, settings.retries)

    async def run_single(self, data: object) -> dict:
        """verl's interface: the last output of one trajectory in, score and extra scalars out."""
        item = data[-1:][0]
        ids = item.batch["responses"]
        count = int(item.batch["attention_mask"][-ids.shape[-1] :].sum())
        text, spans = token_spans(ids[:count].tolist(), self.decode)
        example_id = item.non_tensor_batch["reward_model"]["ground_truth"]
        try:
            score = await self.client.score(Response(example_id=example_id, response=text))
        except RewardError as error:
            nothing = {"score": 0.0, "ndcg": 0.0, "qas": 0.0, "pas": 0.0, "answered": 0.0, "penalised": 0.0, "unscored": 1.0}
            return {"reward_score": 0.0, "reward_extra_info": nothing | {"reason": str(error), "token_rewards": [0.0] * count}}
        rewards = [0.0] * count
        for segment in score.segments:
            for k in spread(spans, segment.start, segment.end):
                rewards[k] = segment.reward - score.score
        penalised = sum(r < 0 for r in rewards) / max(1, count)
        if count:
            rewards[-1] = score.score  # the end token lies in no segment
        figures = {
            "score": score.score,
            "ndcg": score.ndcg,
            "qas": score.qas or 0.0,
            "pas": score.pas or 0.0,
            "answered": float(score.status == "ok"),
            "penalised": penalised,
            "unscored": 0.0,
            "reason": "",
            "token_rewards": rewards,
        }
        return {"reward_score": score.score, "reward_extra_info": figures}


def token_rewards(extra_info: dict, length: int) -> torch.Tensor | None:
    """Take the per-token rewards out of a trajectory's extra info, as `rm_scores` of `length` tokens; None when there are none."""
    rewards = extra_info.pop("token_rewards", None)
    return None if rewards is None else torch.tensor(rewards[:length], dtype=torch.float32)
