"""Muon (Jordan et al. 2024) in fp32.

torch's own iterates in bfloat16, which a CPU without such units multiplies some twenty times
slower: it took 60 % of an SFT step.
"""

import math
from collections.abc import Iterable

import torch

MOMENTUM = 0.95
A, B, C, ITERATIONS = 3.4445, -4.7750, 2.0315, 5  # Jordan's quintic: steepest at zero


class Muon(torch.optim.Optimizer):
    """Nesterov momentum, orthogonalised; for matrices only.

    lr: about the spectral norm of one step, for a matrix that has no more rows than columns.
    """

    def __init__(self, matrices: Iterable[torch.Tensor], lr: float) -> None:
        super().__init__(matrices, {"lr": lr})

    @torch.no_grad()
    def step(self) -> None:  # type: ignore[override]  # without torch's optional closure
        """Take one step along the gradient of every matrix."""
        for group in self.param_groups:
            for matrix in group["params"]:
                state = self.state[matrix]
                mean = state.setdefault("momentum_buffer", torch.zeros_like(matrix)).lerp_(
                    matrix.grad, 1 - MOMENTUM
                )
                rows, columns = matrix.shape
                direction = orthogonal(matrix.grad.lerp(mean, MOMENTUM))
                matrix.add_(direction, alpha=-group["lr"] * math.sqrt(max(1, rows / columns)))


def orthogonal(matrix: torch.Tensor) -> torch.Tensor:
    """A matrix with the same singular vectors and values near one (0.7 to 1.2).

    By Newton-Schulz iterations.
    """
    wide = matrix.T if matrix.shape[0] > matrix.shape[1] else matrix
    wide = wide / wide.norm().clamp(min=1e-7)
    for _ in range(ITERATIONS):
        gram = wide @ wide.T
        wide = torch.addmm(wide, torch.addmm(gram, gram, gram, beta=B, alpha=C), wide, beta=A)
    return wide.T if matrix.shape[0] > matrix.shape[1] else wide
