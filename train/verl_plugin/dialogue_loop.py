"""The agent loop of a dialogue: the policy speaks, a scripted user goes on or the tool answers, until there is nothing more to say back.

Only the policy's own tokens are learned from; its last message is what is scored.
"""

import json
from functools import cache
from uuid import uuid4

from verl.experimental.agent_loop.agent_loop import AgentLoopMetrics, AgentLoopOutput

from reward_server.client import AsyncLookClient
from reward_server.errors import RewardError
from train.tasks.dialogues import MOST_CALLS, asked, told
from train.verl_plugin.agent_loop import TokenRewardAgentLoop
from train.verl_plugin.reward import UNSCORED


@cache
def _client(server: str, digest: str, retries: int) -> AsyncLookClient:
    return AsyncLookClient(server, digest, retries)


class DialogueAgentLoop(TokenRewardAgentLoop):
    """verl makes one loop a response, so that what is counted here is that response's own."""

    async def _respond(self, sampling_params: dict, **kwargs: object) -> AgentLoopOutput:
        extra, messages = kwargs["extra_info"], list(kwargs["raw_prompt"])
        self.later, self.among, self.calls, self.lost = (
            list(extra["later"]),
            list(extra["among"]),
            0,
            "",
        )
        ids, mask, logprobs, fields = await self.ct_build_initial_tokens(messages), [], [], {}
        while (room := self.response_length - len(mask)) > 0:
            said = await self.server_manager.generate(
                request_id=uuid4().hex,
                prompt_ids=ids,
                sampling_params=sampling_params | {"max_tokens": room},
            )
            merged, mask, logprobs = await self.ct_merge_assistant_token(
                ids, said.token_ids, mask, logprobs, assistant_logprobs=said.log_probs
            )
            ids, fields = merged.token_ids, fields or said.extra_fields
            text = self.tokenizer.decode(said.token_ids, skip_special_tokens=True)
            reply = await self._reply(text)
            if reply is None:
                break
            before, messages = (
                [*messages, {"role": "assistant", "content": text}],
                [*messages, {"role": "assistant", "content": text}, reply],
            )
            merged, mask, logprobs = await self.ct_merge_context_msg(
                before, messages, ids, mask, logprobs
            )
            ids = merged.token_ids
        begin = len(ids) - len(mask)
        return AgentLoopOutput(
            prompt_ids=ids[:begin],
            response_ids=ids[begin:][: self.response_length],
            response_mask=mask[: self.response_length],
            response_logprobs=logprobs[: self.response_length] if logprobs else None,
            num_turns=len(messages) + 1,
            metrics=AgentLoopMetrics(),
            extra_fields={**fields, "turn_scores": [], "tool_rewards": []},
        )

    async def _reply(self, text: str) -> dict[str, str] | None:
        """What is said back, None at the end."""
        call = asked(text, self.among)
        if call is not None and self.calls < MOST_CALLS:
            self.calls += 1
            settings = self.config.rerec
            try:
                found = await _client(
                    settings.server, settings.graph_digest, settings.retries
                ).score(call)
            except RewardError as error:
                self.lost = str(error)
                return None
            return {"role": "tool", "content": told(found)}
        return {"role": "user", "content": self.later.pop(0)} if self.later else None

    async def _reward(self, output: AgentLoopOutput, truth: str) -> tuple[dict, list[float]]:
        """Of the last message; a response whose tool did not answer is unscored."""
        counted = {"calls": float(self.calls), "turns": float(output.num_turns)}
        if self.lost:
            return UNSCORED | counted | {"reason": self.lost}, [0.0] * len(output.response_ids)
        begin = max((k + 1 for k, own in enumerate(output.response_mask) if not own), default=0)
        figures, rewards = await super()._reward(
            output.model_copy(update={"response_ids": output.response_ids[begin:]}), truth
        )
        whole, last = (
            self.tokenizer.decode(ids, skip_special_tokens=True)
            for ids in (output.response_ids, output.response_ids[begin:])
        )
        shift = len(whole) - len(
            last
        )  # not what is decoded before it: the last message may lose a space when it stands alone
        cut = [
            s | {"start": s["start"] + shift, "end": s["end"] + shift}
            for s in json.loads(figures["segments"])
        ]
        return figures | counted | {"segments": json.dumps(cut)}, [0.0] * begin + rewards
