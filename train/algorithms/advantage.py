"""Reasoning-aware advantage estimation (ReRec, arXiv 2604.07851, §RAAE), made safe; pure torch.

Published: every token takes its segment's reward r_k, then A_t = (r_t − mean) / std over the G response-level rewards of the
query. Ours: a penalty always lowers (r_k ≤ r is the scorer's rule); where std < 1e-3 the outcome part is 0; and where std < 0.1
the penalty stays unnormalised. All responses of such a group are about equally good, mostly wrong ones that differ by a little
QAS or PAS; the published quotient gave single tokens advantages of −64 there and undid what training had learned.
"""

from collections.abc import Hashable, Sequence

import torch

FLAT = 1e-3  # below: no outcome signal
CLOSE = 0.1  # below: too little contrast to scale a penalty by


def raae(
    rewards: torch.Tensor, mask: torch.Tensor, group: Sequence[Hashable], *, scaled: bool = True
) -> torch.Tensor:
    """Advantages, shape (responses, tokens), 0 outside the mask.

    rewards (responses, tokens): on the last masked token the response's reward r, on the others the process part: published, the segment
    penalty r_k − r ≤ 0; for `raae-graph` the centred judgement of claims, never divided by the outcome's spread (`scaled` false).
    mask (responses, tokens): 1 on response tokens. group: the query of each response; a group of one has no outcome part.
    """
    mask = mask.to(rewards.dtype)
    last = (mask * torch.arange(1, mask.shape[1] + 1, device=mask.device)).argmax(1, keepdim=True)
    outcome = rewards.gather(1, last)
    numbers: dict[Hashable, int] = {}
    of = torch.tensor(
        [numbers.setdefault(name, len(numbers)) for name in group], device=rewards.device
    )
    count = torch.bincount(of)[:, None]
    centred = outcome - (_sums(outcome, of, len(numbers)) / count)[of]
    std = (_sums(centred**2, of, len(numbers)) / (count - 1).clamp(min=1)).sqrt()[
        of
    ]  # 0 for a group of one
    process = rewards.scatter(1, last, 0.0)
    if scaled:
        process /= torch.where(std >= CLOSE, std, 1.0)
    return process.add_(torch.where(std >= FLAT, centred / std, 0.0)).mul_(mask)


def _sums(values: torch.Tensor, of: torch.Tensor, groups: int) -> torch.Tensor:
    """The sum of each group's rows."""
    return torch.zeros(groups, 1, dtype=values.dtype, device=values.device).index_add_(
        0, of, values
    )
