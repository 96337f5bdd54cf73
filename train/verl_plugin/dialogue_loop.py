"""The agent loop of a dialogue, played by the rules of `train.tasks.play`.

Only the policy's own tokens are learned from; its last message is scored.
"""

import json
from functools import cache
from typing import Any
from uuid import uuid4

from verl.experimental.agent_loop.agent_loop import AgentLoopMetrics, AgentLoopOutput

from reward_server.client import AsyncLookClient
from reward_server.errors import RewardError
from train.tasks.play import Dialogue
from train.verl_plugin.agent_loop import TokenRewardAgentLoop
from train.verl_plugin.reward import UNSCORED, Figures


@cache
def _client(server: str, digest: str, retries: int) -> AsyncLookClient:
    return AsyncLookClient(server, digest, retries)


class DialogueAgentLoop(TokenRewardAgentLoop):
    """verl makes one loop per response, so the state here is that response's own."""

    dialogue: Dialogue
    unscored_reason: str

    async def _respond(self, sampling_params: dict[str, Any], **kwargs: Any) -> AgentLoopOutput:
        extra = kwargs["extra_info"]
        self.unscored_reason = ""
        self.dialogue = Dialogue(
            list(kwargs["raw_prompt"]), list(extra["later"]), list(extra["among"])
        )
        ids = await self.ct_build_initial_tokens(self.dialogue.chat)
        mask: list[int] = []
        logprobs: list[float] = []
        fields: dict[str, Any] = {}
        while (room := self.response_length - len(mask)) > 0:
            generated = await self.server_manager.generate(
                request_id=uuid4().hex,
                prompt_ids=ids,
                sampling_params=sampling_params | {"max_tokens": room},
            )
            merged, mask, logprobs = await self.ct_merge_assistant_token(
                ids, generated.token_ids, mask, logprobs, assistant_logprobs=generated.log_probs
            )
            ids, fields = merged.token_ids, fields or generated.extra_fields
            text = self._decode(generated.token_ids)
            if not await self._continue(text):
                break
            chat = self.dialogue.chat
            merged, mask, logprobs = await self.ct_merge_context_msg(
                chat[:-1], chat, ids, mask, logprobs
            )
            ids = merged.token_ids
        return self._output(ids, mask, logprobs, fields)

    def _output(
        self, ids: list[int], mask: list[int], logprobs: list[float], fields: dict[str, Any]
    ) -> AgentLoopOutput:
        start, length = len(ids) - len(mask), self.response_length
        return AgentLoopOutput(
            prompt_ids=ids[:start],
            response_ids=ids[start:][:length],
            response_mask=mask[:length],
            response_logprobs=logprobs[:length] if logprobs else None,
            num_turns=len(self.dialogue.chat) + self.dialogue.open,  # one more where it was cut
            metrics=AgentLoopMetrics(),
            extra_fields={**fields, "turn_scores": [], "tool_rewards": []},
        )

    async def _continue(self, text: str) -> bool:
        """Add the policy's message and the reply to it; whether there is one."""
        self.dialogue.add_response(text)
        if self.dialogue.pending:
            settings = self.config.rerec
            client = _client(settings.server, settings.graph_digest, settings.retries)
            try:
                self.dialogue.add_result(await client.score(self.dialogue.pending))
            except RewardError as error:
                self.unscored_reason = str(error)
                self.dialogue.open = False
        return self.dialogue.open

    async def _reward(self, output: AgentLoopOutput, truth: str) -> tuple[Figures, list[float]]:
        """Of the last message; a response whose tool did not answer is unscored."""
        counts = {"calls": float(self.dialogue.calls), "turns": float(output.num_turns)}
        if self.unscored_reason:
            figures = UNSCORED | counts | {"reason": self.unscored_reason}
            return figures, [0.0] * len(output.response_ids)
        begin = max((k + 1 for k, own in enumerate(output.response_mask) if not own), default=0)
        last_message = output.model_copy(update={"response_ids": output.response_ids[begin:]})
        figures, rewards = await super()._reward(last_message, truth)
        # the last message may lose a space when it stands alone, so its end is what is aligned
        shift = len(self._text(output)) - len(self._text(last_message))
        segments = json.loads(figures["segments"])
        for segment in segments:
            segment["start"] += shift
            segment["end"] += shift
        return figures | counts | {"segments": json.dumps(segments)}, [0.0] * begin + rewards

    def _text(self, output: AgentLoopOutput) -> str:
        return self._decode(output.response_ids)

    def _decode(self, ids: list[int]) -> str:
        tokenizer: Any = self.tokenizer
        return str(tokenizer.decode(ids, skip_special_tokens=True))
