"""RAAE with graph-judged claims in place of segment penalties."""

from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, ClassVar

from reward_server.wire import Score
from train.algorithms.base import Algorithm, Spans
from train.algorithms.claims import JudgedClaim, claim_rewards, judged_claims
from train.algorithms.raae import RAAE

if TYPE_CHECKING:
    import torch


class RAAEGraph(RAAE):
    """Tokens that lead to a claim carry how much better it is than like claims of the group.

    Only right answers are compared (PAPO, arXiv 2603.26535): so the claims decide between responses
    that the outcome holds for equal, and never speak for a wrong one. Compared over all answers,
    they cost explicit queries (experiment 027).

    These rewards are centred over the group already (see `train.algorithms.claims`), so they are
    added to the outcome part as they are, never divided by the outcome's spread.
    """

    name: ClassVar[str] = "raae_graph"
    compares_claims: ClassVar[bool] = True

    def response_rewards(self, score: Score, spans: Spans) -> list[float]:
        """None: what one response says is worth depends on the others."""
        return Algorithm.response_rewards(self, score, spans)

    def claims(self, score: Score, spans: Spans) -> list[JudgedClaim]:
        """The judged claims of a response whose answer is right; none of another."""
        return judged_claims(score, spans) if score.ndcg == 1 else []

    def group_rewards(
        self, group: Sequence[Sequence[JudgedClaim]], weight: float
    ) -> list[dict[int, float]]:
        """Per response, token index → weight · (mean badness of like claims − own badness)."""
        return claim_rewards(group, weight)

    def advantages(
        self, rewards: "torch.Tensor", mask: "torch.Tensor", group: Sequence[Hashable]
    ) -> "torch.Tensor":
        """Group-relative outcome, plus the process rewards as they are."""
        from train.algorithms.advantage import group_advantages

        return group_advantages(rewards, mask, group, scaled=False)
