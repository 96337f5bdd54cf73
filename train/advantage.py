"""Reasoning-aware advantage estimation (ReRec, arXiv 2604.07851, §RAAE), made safe; pure torch.

Published: every token takes its segment's reward r_k, then A_t = (r_t − mean) / std over the G response-level rewards of the
query. Ours: a penalty always lowers (r_k ≤ r is the scorer's rule), and where std < 1e-3 the outcome part is 0 and the penalty
stays unnormalised, because the published quotient turns a small penalty into an advantage of −10 there (TINY.md).
"""

from collections import defaultdict
from collections.abc import Hashable, Sequence

import torch

FLAT = 1e-3


def raae(rewards: torch.Tensor, mask: torch.Tensor, group: Sequence[Hashable]) -> torch.Tensor:
    """Advantages, shape (responses, tokens), 0 outside the mask.

    rewards (responses, tokens): on the last masked token the response's reward r, on the others the segment penalty r_k − r ≤ 0.
    mask (responses, tokens): 1 on response tokens. group: the query of each response; a group of one has no outcome part.
    """
    mask = mask.to(rewards.dtype)
    last = (mask * torch.arange(1, mask.shape[1] + 1, device=mask.device)).argmax(1, keepdim=True)
    outcome = rewards.gather(1, last)
    penalty = rewards.scatter(1, last, 0.0) * mask
    rows_of: dict[Hashable, list[int]] = defaultdict(list)
    for row, name in enumerate(group):
        rows_of[name].append(row)
    advantage = torch.zeros_like(rewards)
    for rows in rows_of.values():
        r, p = outcome[rows], penalty[rows]
        std = r.std() if len(rows) > 1 else torch.zeros(())
        advantage[rows] = (r + p - r.mean()) / std if std >= FLAT else p
    return advantage * mask
