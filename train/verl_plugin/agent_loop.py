"""The single-turn agent loop whose output carries the reward manager's per-token rewards (verl's own puts one scalar on the last token)."""

from verl.experimental.agent_loop.agent_loop import AgentLoopOutput
from verl.experimental.agent_loop.single_turn_agent_loop import SingleTurnAgentLoop

from train.verl_plugin.reward import token_rewards


class TokenRewardOutput(AgentLoopOutput):
    """verl calls `as_dict` after scoring: the place to add `rm_scores`."""

    def as_dict(self) -> dict:
        """verl's fields, with `rm_scores` a token."""
        info = self.extra_fields.get("reward_extra_info") or {}
        rewards = token_rewards(info, len(self.response_ids))
        fields = super().as_dict()
        if rewards is not None:
            fields["rm_scores"] = rewards
        return fields


class TokenRewardAgentLoop(SingleTurnAgentLoop):
    """One prompt, one response."""

    async def run(self, sampling_params: dict, **kwargs: object) -> TokenRewardOutput:
        """verl's interface."""
        output = await super().run(sampling_params, **kwargs)
        return TokenRewardOutput(**{name: getattr(output, name) for name in output.model_fields_set})
