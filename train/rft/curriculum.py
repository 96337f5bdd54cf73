"""The online curriculum (ReRec, arXiv 2604.07851): easy to hard, without what is mastered.

After each pass over the plan, what is mastered is dropped and the rest sorted easy to hard.
Difficulty d(q) is the mean over the query's last rollouts of 1 − NDCG, its prior before the first.
Ours: dropped queries come back every `recheck` epochs for one check; when all are mastered there is
no plan and training stops; the state resumes exactly.
"""

import random
from collections.abc import Iterable
from typing import TypedDict

from pydantic import Field

from data_engine.runtime.config import Config


class CurriculumConfig(Config):
    """The settings of a curriculum.

    tau: below this difficulty a query is mastered. recheck: epochs between checks of the mastered
    (forgetting). passes: a run learns from no more queries than it has time to ask so often
    (`affordable`).
    """

    tau: float = Field(0.05, ge=0, le=1)
    recheck: int = Field(3, ge=1)
    passes: int = Field(3, ge=1)
    seed: int = 0

    def affordable(self, steps: int, batch: int) -> int:
        """The number of queries for a run of so many steps.

        With more it would end among the easy ones, and kinds whose priors are high would never be
        asked.
        """
        return max(batch, steps * batch // self.passes)


class CurriculumState(TypedDict):
    """All that a resume needs. seen: the last observed difficulty of each query, None for none."""

    epoch: int
    plan: list[int]
    done: int
    seen: list[float | None]


class Curriculum:
    """Plans epochs over queries 0..n−1 and learns from observations.

    A query counts as done when it is observed, not when handed out.
    """

    def __init__(self, priors: list[float], batch: int, config: CurriculumConfig) -> None:
        """priors: static difficulty of each query, 0..1. batch: queries per step.

        Every plan is padded to a multiple of the batch.
        """
        if len(priors) < batch:
            raise ValueError(f"{len(priors)} queries are fewer than one batch of {batch}")
        self.config, self.batch = config, batch
        self.prior = list(priors)
        self.seen: list[float | None] = [None] * len(priors)
        self.epoch, self.done = 0, 0
        self.plan: list[int] = []

    def difficulty(self, query: int) -> float:
        """The last observed difficulty, or the prior of a query never rolled out."""
        seen = self.seen[query]
        return self.prior[query] if seen is None else seen

    def mastered(self, query: int) -> bool:
        """Observed, and below tau."""
        seen = self.seen[query]
        return seen is not None and seen < self.config.tau

    def next_plan(self) -> list[int]:
        """Plan the next epoch: the unmastered, easy to hard; [] when all are mastered.

        In every `recheck`-th epoch the mastered come first. Padded to whole batches at the front,
        so that the hardest are never cut off.
        """
        everyone = range(len(self.prior))
        live = [q for q in everyone if not self.mastered(q)]
        if not live:
            self.plan, self.done = [], 0
            return []
        self.epoch += 1
        if self.epoch % self.config.recheck == 0:
            live = list(everyone)
        rng = random.Random(f"{self.config.seed}/{self.epoch}")
        tie = {q: rng.random() for q in live}
        plan = sorted(live, key=lambda q: (self.difficulty(q), tie[q]))
        self.plan, self.done = self._padding(plan, rng) + plan, 0
        return self.plan

    def _padding(self, plan: list[int], rng: random.Random) -> list[int]:
        """The queries that a plan lacks to whole batches.

        Of less than one batch, others at random; else its own easiest.
        """
        short = -len(plan) % self.batch
        if len(plan) >= self.batch:
            return plan[:short]
        planned = set(plan)
        spare = [q for q in range(len(self.prior)) if q not in planned]
        return (rng.sample(spare, min(short, len(spare))) + plan)[:short]

    def observe(self, scores: Iterable[tuple[int, float]]) -> None:
        """Take (query, NDCG) of every rollout of a finished batch.

        The difficulty of a query becomes the mean of 1 − NDCG.
        """
        observed: dict[int, list[float]] = {}
        for query, ndcg in scores:
            observed.setdefault(query, []).append(1.0 - ndcg)
        for query, lacks in observed.items():
            self.seen[query] = sum(lacks) / len(lacks)
        self.done = min(len(self.plan), self.done + self.batch)

    def state(self) -> CurriculumState:
        """All that a resume needs, as plain values."""
        return {
            "epoch": self.epoch,
            "plan": list(self.plan),
            "done": self.done,
            "seen": list(self.seen),
        }

    def restore(self, state: CurriculumState) -> None:
        """Continue exactly after the last observed batch. Raises ValueError for other data."""
        if len(state["seen"]) != len(self.prior):
            raise ValueError(
                f"the checkpoint knows {len(state['seen'])} queries, this run has "
                f"{len(self.prior)}: resume with the same data"
            )
        self.epoch, self.done = state["epoch"], state["done"]
        self.plan, self.seen = list(state["plan"]), list(state["seen"])
