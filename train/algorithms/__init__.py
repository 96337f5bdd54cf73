"""Algorithms: how the scored responses to a query become one advantage per token.

A recipe names one (`rerec.algorithm: raae_graph`). To add one:

1. Write `train/algorithms/NAME.py` with a subclass of `Algorithm` (`base.py`) named NAME.
2. Say which process rewards go on the tokens before the last: `response_rewards`, where one
   response is enough; `claims` and `group_rewards`, where responses to a query are compared.
3. Where verl has no estimator of that name, set `own_estimator` and write `advantages`.
4. Refuse settings that it would ignore or misread in `check_settings`.
5. Add it to `ALGORITHMS` below: recipes, agent loop and trainer find it there.
"""

from train.algorithms.base import Algorithm
from train.algorithms.grpo import GRPO
from train.algorithms.raae import RAAE
from train.algorithms.raae_graph import RAAEGraph
from train.algorithms.reinforce_plus_plus import ReinforcePlusPlus

ALGORITHMS: dict[str, Algorithm] = {
    algorithm.name: algorithm for algorithm in (GRPO(), ReinforcePlusPlus(), RAAE(), RAAEGraph())
}
