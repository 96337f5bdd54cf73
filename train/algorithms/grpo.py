"""GRPO (Shao et al., arXiv 2402.03300), with verl's own estimator."""

from typing import ClassVar

from train.algorithms.base import Algorithm


class GRPO(Algorithm):
    """Every token's advantage is the response's reward, standardised over its query's responses.

    verl's settings make two variants of it, which have recipes: `algorithm.filter_groups` replaces
    groups whose responses all earn the same (tiny-dapo; DAPO, arXiv 2503.14476), and without
    `algorithm.norm_adv_by_std_in_grpo` rewards are centred only (tiny-rporec).
    """

    name: ClassVar[str] = "grpo"
