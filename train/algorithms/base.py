"""The interface of an algorithm, and its default: the outcome alone is rewarded."""

from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, ClassVar

from reward_server.wire import Score
from train.algorithms.claims import JudgedClaim
from train.errors import BadRecipe

if TYPE_CHECKING:  # torch takes seconds to import, and recipes are composed without it
    import torch
    from omegaconf import DictConfig

Spans = Sequence[tuple[int, int]]  # per token its characters in the response, start..end


class Algorithm:
    """Rewards and advantages of tokens; as it stands, of algorithms that reward only the outcome.

    The score of a response is always the reward of its last token. `name` is what recipes call the
    algorithm, and verl its advantage estimator.
    """

    name: ClassVar[str]
    own_estimator: ClassVar[bool] = False  # whether `advantages` stands in for one of verl's
    compares_claims: ClassVar[bool] = False  # whether the trainer has to ask `group_rewards`

    def response_rewards(self, score: Score, spans: Spans) -> list[float]:
        """Process rewards of one response, one per token."""
        return [0.0] * len(spans)

    def claims(self, score: Score, spans: Spans) -> list[JudgedClaim]:
        """The claims of one response that `group_rewards` compares with those of its group."""
        return []

    def group_rewards(
        self, group: Sequence[Sequence[JudgedClaim]], weight: float
    ) -> list[dict[int, float]]:
        """Process rewards by token index for each response to one query, from the claims of all.

        `weight` is the recipe's `rerec.judged`.
        """
        return [{} for _ in group]

    def advantages(
        self, rewards: "torch.Tensor", mask: "torch.Tensor", group: Sequence[Hashable]
    ) -> "torch.Tensor":
        """Advantages, shape (responses, tokens); see `train.algorithms.advantage`."""
        raise NotImplementedError(f"verl has an estimator of its own for {self.name}")

    def check(self, recipe: "DictConfig") -> None:
        """Raises BadRecipe for a composed recipe with settings that do not fit the algorithm."""
        estimator = recipe.algorithm.adv_estimator
        if estimator != self.name:
            raise BadRecipe(
                f"algorithm.adv_estimator={estimator} and {self.label} do not agree: the algorithm "
                f"names its estimator: set rerec.algorithm={estimator} instead"
            )
        if self.compares_claims != (recipe.rerec.judged > 0):
            raise BadRecipe(
                f"{self.label} and rerec.judged={recipe.rerec.judged:g} do not agree: judged "
                "claims are raae_graph's alone, and it has nothing else: set "
                "rerec.algorithm=raae_graph and rerec.judged above 0, or another algorithm "
                "and rerec.judged=0"
            )
        self.check_settings(recipe)

    def check_settings(self, recipe: "DictConfig") -> None:
        """As `check`, what each algorithm asks for itself."""
        if recipe.rerec.task == "examples" and recipe.rerec.weights.penalty:
            raise BadRecipe(
                f"{self.label} would add up the penalties of all tokens, so that to say nothing "
                "pays better than to be nearly right: set rerec.weights.penalty=0, or take raae"
            )

    @property
    def label(self) -> str:
        """The setting that chooses it, for messages."""
        return f"rerec.algorithm={self.name}"
