"""Group-relative advantages with process rewards (ReRec, arXiv 2604.07851, §RAAE), made safe.

Published: every token takes its segment's reward r_k, then A_t = (r_t − mean) / std over the G
response-level rewards of the query. Here a penalty always lowers (r_k ≤ r is the scorer's rule);
where std < 1e-3 the outcome part is 0; and where std < 0.1 the process part stays unnormalised. All
responses of such a group are about equally good, mostly wrong ones that differ by a little QAS or
PAS; the published quotient gave single tokens advantages of −64 there and undid what training had
learned.
"""

from collections.abc import Hashable, Sequence

import torch

MIN_STD = 1e-3  # below: no outcome signal
MIN_SCALE = 0.1  # below: too little contrast to scale a penalty by


def group_advantages(
    rewards: torch.Tensor, mask: torch.Tensor, group: Sequence[Hashable], *, scaled: bool = True
) -> torch.Tensor:
    """Advantages, shape (responses, tokens), 0 outside the mask.

    rewards (responses, tokens): on the last masked token the response's reward r, on the others the
    process part. mask (responses, tokens): 1 on response tokens. group: the query of each response;
    a group of one has no outcome part. scaled: whether the process part is divided by the outcome's
    spread, as published for segment penalties r_k − r; a part that is centred already is not.
    """
    mask = mask.to(rewards.dtype)
    position = torch.arange(1, mask.shape[1] + 1, device=mask.device)
    last = (mask * position).argmax(1, keepdim=True)
    outcome = rewards.gather(1, last)
    members = _group_numbers(group, rewards.device)
    count = torch.bincount(members)[:, None]
    groups = len(count)
    centred = outcome - (_group_sums(outcome, members, groups) / count)[members]
    variance = _group_sums(centred**2, members, groups) / (count - 1).clamp(min=1)
    std = variance.sqrt()[members]  # 0 for a group of one
    process = rewards.scatter(1, last, 0.0)
    if scaled:
        process /= torch.where(std >= MIN_SCALE, std, 1.0)
    return process.add_(torch.where(std >= MIN_STD, centred / std, 0.0)).mul_(mask)


def _group_numbers(group: Sequence[Hashable], device: torch.device) -> torch.Tensor:
    """The groups numbered 0, 1, … as they first appear, one number per response."""
    numbers: dict[Hashable, int] = {}
    return torch.tensor([numbers.setdefault(name, len(numbers)) for name in group], device=device)


def _group_sums(values: torch.Tensor, members: torch.Tensor, groups: int) -> torch.Tensor:
    """The sum of each group's rows, shape (groups, 1)."""
    zeros = torch.zeros(groups, 1, dtype=values.dtype, device=values.device)
    return zeros.index_add_(0, members, values)
