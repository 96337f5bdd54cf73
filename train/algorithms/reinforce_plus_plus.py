"""REINFORCE++ (Hu et al., arXiv 2501.03262), with verl's own estimator."""

from typing import ClassVar

from train.algorithms.base import Algorithm


class ReinforcePlusPlus(Algorithm):
    """Returns are standardised over the tokens of the whole batch in place of the query's group."""

    name: ClassVar[str] = "reinforce_plus_plus"
