"""The single-turn agent loops that score their own response.

verl's reward workers would cost a process and a remote call per response, and put one scalar on the
last token where we need one reward per token.
"""

import time
from functools import cache
from typing import Any

import torch
from verl.experimental.agent_loop.agent_loop import AgentLoopOutput
from verl.experimental.agent_loop.single_turn_agent_loop import SingleTurnAgentLoop

from reward_server.client import AsyncHeadClient, AsyncRewardClient
from reward_server.wire import Weights
from train.algorithms import ALGORITHMS
from train.algorithms.spans import decoder
from train.verl_plugin.reward import Figures, next_item_reward, reward

_decoder = cache(decoder)  # one per tokenizer, with its cached texts


class TokenRewardOutput(AgentLoopOutput):
    """An output whose `token_rewards` become verl's `rm_scores`."""

    token_rewards: list[float]

    def as_dict(self) -> dict[str, Any]:
        """verl's fields, with one of `rm_scores` per token."""
        fields: dict[str, Any] = super().as_dict()
        rewards = fields.pop("token_rewards")[: len(self.response_ids)]
        fields["rm_scores"] = torch.tensor(rewards, dtype=torch.float32)
        return fields


@cache
def _client(server: str, digest: str, weights: Weights, retries: int) -> AsyncRewardClient:
    """One client per process, open as long as that, though verl makes one loop per response.

    So calls in flight travel together.
    """
    return AsyncRewardClient(server, digest, weights, retries)


class TokenRewardAgentLoop(SingleTurnAgentLoop):
    """One prompt, one response, scored."""

    async def run(self, sampling_params: dict[str, Any], **kwargs: Any) -> TokenRewardOutput:
        """verl's interface."""
        output = await self._respond(sampling_params, **kwargs)
        start = time.perf_counter()
        figures, rewards = await self._reward(output, kwargs["reward_model"]["ground_truth"])
        figures["reward_seconds"] = time.perf_counter() - start
        fields = {name: getattr(output, name) for name in output.model_fields_set}
        fields["extra_fields"] = {**output.extra_fields, "reward_extra_info": figures}
        return TokenRewardOutput(
            **fields | {"reward_score": (rewards or [0.0])[-1], "token_rewards": rewards}
        )

    async def _respond(self, sampling_params: dict[str, Any], **kwargs: Any) -> AgentLoopOutput:
        return await super().run(sampling_params, **kwargs)

    async def _reward(self, output: AgentLoopOutput, truth: str) -> tuple[Figures, list[float]]:
        settings = self.config.rerec
        client = _client(
            settings.server, settings.graph_digest, Weights(**settings.weights), settings.retries
        )
        algorithm = ALGORITHMS[settings.algorithm]
        return await reward(client, truth, output.response_ids, _decoder(self.tokenizer), algorithm)


@cache
def _head_client(server: str, digest: str, k: int, retries: int, head: str) -> AsyncHeadClient:
    return AsyncHeadClient(server, digest, k, retries, head)


class NextItemAgentLoop(TokenRewardAgentLoop):
    """The same for what comes next, scored by a RecHead (`rerec.head`)."""

    async def _reward(self, output: AgentLoopOutput, truth: str) -> tuple[Figures, list[float]]:
        settings = self.config.rerec
        client = _head_client(
            settings.server,
            settings.graph_digest,
            settings.head.k,
            settings.retries,
            settings.head_digest,
        )
        logprobs = (output.response_logprobs or [])[: len(output.response_ids)]
        return await next_item_reward(
            client, truth, output.response_ids, logprobs, _decoder(self.tokenizer), settings.head
        )
