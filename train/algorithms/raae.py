"""Reasoning-aware advantage estimation with segment penalties (ReRec, arXiv 2604.07851, §RAAE)."""

from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, ClassVar

from reward_server.wire import Score
from train.algorithms.base import Algorithm, Spans
from train.algorithms.spans import tokens_within
from train.errors import BadRecipe

if TYPE_CHECKING:
    import torch
    from omegaconf import DictConfig


class RAAE(Algorithm):
    """Tokens of a segment that led to a wrong recommendation carry its penalty, r_k − r ≤ 0."""

    name: ClassVar[str] = "raae"
    own_estimator: ClassVar[bool] = True

    def response_rewards(self, score: Score, spans: Spans) -> list[float]:
        """Per token its segment's reward less the response's, 0 outside segments.

        A token of two segments, such as ")<" before an answer in the same line, has the lower one.
        """
        rewards = super().response_rewards(score, spans)
        for segment in score.segments:
            for token in tokens_within(spans, segment.start, segment.end):
                rewards[token] = min(rewards[token], segment.reward - score.score)
        return rewards

    def advantages(
        self, rewards: "torch.Tensor", mask: "torch.Tensor", group: Sequence[Hashable]
    ) -> "torch.Tensor":
        """Group-relative advantages; penalties are scaled as the outcome is."""
        from train.algorithms.advantage import group_advantages

        return group_advantages(rewards, mask, group)

    def check_settings(self, recipe: "DictConfig") -> None:
        """Raises BadRecipe where process rewards would be missing, or taken for something else."""
        if recipe.rerec.task == "next_item":
            raise BadRecipe(
                f"{self.label} reads the reasoning of Examples; of what comes next only the end is "
                "rewarded: set rerec.algorithm=grpo"
            )
        if recipe.actor_rollout_ref.rollout.n < 2:
            raise BadRecipe(
                f"{self.label} compares the rollouts of a query with each other: "
                "set actor_rollout_ref.rollout.n to 2 or more"
            )
        if recipe.algorithm.use_kl_in_reward:
            raise BadRecipe(
                f"{self.label} would take each token's KL for a penalty: set "
                "algorithm.use_kl_in_reward=false (actor.use_kl_loss is another way)"
            )
        if not recipe.algorithm.norm_adv_by_std_in_grpo:
            raise BadRecipe(
                f"{self.label} always divides by a group's spread: "
                "algorithm.norm_adv_by_std_in_grpo=false is GRPO's alone"
            )
