"""RAAE against verl's own GRPO estimator on 1,024 responses of 2,048 tokens, eight to a query, in
turns.
"""

import time

import numpy as np
import torch
from verl.trainer.ppo.core_algos import compute_grpo_outcome_advantage

from tests.bench.load import report
from train.algorithms.advantage import group_advantages

RESPONSES, TOKENS, PER_QUERY, TURNS, TARGET = 1024, 2048, 8, 40, 2.0

generator = torch.Generator().manual_seed(0)
lengths = torch.randint(TOKENS // 4, TOKENS + 1, (RESPONSES, 1), generator=generator)
mask = (torch.arange(TOKENS) < lengths).long()
final = torch.zeros(RESPONSES, TOKENS).scatter(
    1, lengths - 1, torch.rand(RESPONSES, 1, generator=generator)
)
penalised = (final - 0.1 * (torch.rand(RESPONSES, TOKENS, generator=generator) < 0.05)) * mask
index = (
    np.arange(RESPONSES).astype(str).reshape(-1, PER_QUERY)[:, 0].repeat(PER_QUERY).astype(object)
)
seconds: tuple[list[float], list[float]] = ([], [])
for _ in range(TURNS):
    for taken, estimate in zip(
        seconds,
        (
            lambda: compute_grpo_outcome_advantage(final, mask, index),
            lambda: group_advantages(penalised, mask, list(index)),
        ),
        strict=True,
    ):
        start = time.perf_counter()
        estimate()
        taken.append(time.perf_counter() - start)
theirs, ours = (float(np.median(taken)) for taken in seconds)
print(f"GRPO {1000 * theirs:.1f} ms, RAAE {1000 * ours:.1f} ms")
report("raae", ours / theirs, "× verl's GRPO estimator", TARGET, ours <= TARGET * theirs)
