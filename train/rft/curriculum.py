"""The online curriculum (ReRec): after each pass over the plan, drop what is mastered, sort the rest easy to hard, go on.

Difficulty d(q) is the mean over the query's last rollouts of 1 − NDCG, its prior before the first. Ours: dropped queries come
back every `recheck` epochs for one check; when all are mastered there is no plan and training stops; the state resumes exactly.
"""

import random
from collections.abc import Iterable

from pydantic import Field

from data_engine.runtime.config import Config


class CurriculumConfig(Config):
    """tau: below this difficulty a query is mastered. recheck: epochs between checks of the mastered (forgetting). passes: a run learns from no
    more queries than it has time to ask so often (`affordable`)."""

    tau: float = Field(0.05, ge=0, le=1)
    recheck: int = Field(3, ge=1)
    passes: int = Field(3, ge=1)
    seed: int = 0

    def affordable(self, steps: int, batch: int) -> int:
        """The queries of a run of so many steps. With more it would end among the easy ones, and kinds whose priors are high would never be
        asked."""
        return max(batch, steps * batch // self.passes)


class Curriculum:
    """Plans epochs over queries 0..n−1 and learns from observations. A query counts as done when it is observed, not when handed out."""

    def __init__(self, priors: list[float], batch: int, config: CurriculumConfig) -> None:
        """priors: static difficulty of each query, 0..1; batch: queries a step, every plan is padded to a multiple of it."""
        if len(priors) < batch:
            raise ValueError(f"{len(priors)} queries are fewer than one batch of {batch}")
        self.config, self.batch = config, batch
        self.prior, self.seen = list(priors), [None] * len(priors)
        self.epoch, self.plan, self.done = 0, [], 0

    def difficulty(self, query: int) -> float:
        """The last observed difficulty, or the prior of a query never rolled out."""
        return self.prior[query] if self.seen[query] is None else self.seen[query]

    def mastered(self, query: int) -> bool:
        """Observed, and below tau."""
        return self.seen[query] is not None and self.seen[query] < self.config.tau

    def next_plan(self) -> list[int]:
        """Plan the next epoch: the unmastered, easy to hard, with every `recheck`-th epoch the mastered first; [] when all are mastered.

        Padded by its own easiest queries to whole batches, at the front, so that the hardest are never cut off.
        """
        everyone = range(len(self.prior))
        live = [q for q in everyone if not self.mastered(q)]
        if not live:
            self.plan, self.done = [], 0
            return []
        self.epoch += 1
        if self.epoch % self.config.recheck == 0:
            live = list(everyone)
        tie = random.Random(f"{self.config.seed}/{self.epoch}")
        order = {q: tie.random() for q in live}
        plan = sorted(live, key=lambda q: (self.difficulty(q), order[q]))
        short = -len(plan) % self.batch
        spare = [q for q in everyone if q not in set(plan)] if len(plan) < self.batch else []
        filler = (
            (tie.sample(spare, min(short, len(spare))) + plan)[:short] if spare else plan[:short]
        )
        self.plan, self.done = filler + plan, 0
        return self.plan

    def observe(self, scores: Iterable[tuple[int, float]]) -> None:
        """One finished batch: (query, NDCG) of every rollout. A query's difficulty becomes the mean of 1 − NDCG."""
        by: dict[int, list[float]] = {}
        for query, ndcg in scores:
            by.setdefault(query, []).append(1.0 - ndcg)
        for query, lacks in by.items():
            self.seen[query] = sum(lacks) / len(lacks)
        self.done = min(len(self.plan), self.done + self.batch)

    def state(self) -> dict[str, object]:
        """All that a resume needs, as plain values."""
        return {
            "epoch": self.epoch,
            "plan": list(self.plan),
            "done": self.done,
            "seen": list(self.seen),
        }

    def restore(self, state: dict[str, object]) -> None:
        """Continue exactly after the last observed batch."""
        if len(state["seen"]) != len(self.prior):
            raise ValueError(
                f"the checkpoint knows {len(state['seen'])} queries, this run has {len(self.prior)}: resume with the same data"
            )
        self.epoch, self.plan, self.done, self.seen = (
            state["epoch"],
            list(state["plan"]),
            state["done"],
            list(state["seen"]),
        )
