"""Windows of histories, and cross entropy against sampled negatives."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn.functional import cross_entropy

from reward_server.rechead.model import PAD

POWER = 0.75  # of an item's count: how often it is drawn as a negative


def windows(rows: Sequence[np.ndarray], length: int) -> np.ndarray:
    """(windows, length + 1) item numbers from 1, padded behind with 0.

    Each sequence is cut from its end, neighbours sharing one item, so that every step from one item
    to the next is learned once.
    """
    found = []
    for row in rows:
        for end in range(len(row), 1, -length):
            part = row[max(0, end - length - 1) : end] + 1
            found.append(np.pad(part, (0, length + 1 - len(part)), constant_values=PAD))
    return np.array(found, np.int64).reshape(-1, length + 1)


@dataclass(frozen=True)
class NegativeSampler:
    """Draws negatives by how often items occur.

    weights: (items + 1,) not normalised; log_share: (items + 1,) log of the expected number of
    draws of an item among `count`.
    """

    weights: torch.Tensor
    log_share: torch.Tensor
    count: int

    @classmethod
    def of(cls, rows: Sequence[np.ndarray], items: int, count: int) -> "NegativeSampler":
        """From the training sequences; an item that is in none counts as one that is in one."""
        occurrences = np.bincount(np.concatenate(rows) + 1, minlength=items + 1)
        powers = occurrences.astype(np.float32) ** POWER
        powers = np.where(np.arange(len(powers)) == PAD, 0, np.maximum(powers, 1))
        weights = torch.from_numpy(powers)
        return cls(weights, torch.log(weights / weights.sum() * count), count)

    def draw(self) -> torch.Tensor:
        """(count,) item numbers from torch's global generator."""
        return torch.multinomial(self.weights, self.count, replacement=True)


def sampled_loss(
    states: torch.Tensor,
    targets: torch.Tensor,
    table: torch.Tensor,
    negatives: torch.Tensor,
    log_share: torch.Tensor,
) -> torch.Tensor:
    """Mean cross entropy of the targets (N,) among themselves and shared negatives (M,).

    states: (N, dims); table: (items + 1, dims) item embeddings.
    Each logit is less the log of the item's share in the draws, so that what is drawn often is not
    punished for it (logQ, Yi et al. 2019); a negative that is the target is left out.
    """
    right = (states * table[targets]).sum(1, keepdim=True) - log_share[targets][:, None]
    wrong = states @ table[negatives].T - log_share[negatives]
    wrong = wrong.masked_fill(targets[:, None] == negatives, -torch.inf)
    return cross_entropy(torch.cat([right, wrong], 1), torch.zeros(len(targets), dtype=torch.long))
