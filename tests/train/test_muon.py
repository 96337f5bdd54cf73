"""Muon in fp32 against torch's own in bfloat16 and the singular value decomposition."""

import pytest
import torch

from train.sft.muon import Muon, orthogonal


@pytest.mark.parametrize("shape", [(8, 8), (24, 8), (8, 24)])
def test_steps_are_torchs_up_to_its_rounding(shape):
    torch.manual_seed(0)
    mine, theirs = (torch.nn.Parameter(torch.zeros(shape)) for _ in range(2))
    ours, torchs = Muon([mine], lr=0.5), torch.optim.Muon([theirs], lr=0.5, weight_decay=0.0)
    for _ in range(5):
        mine.grad = torch.randn(shape)
        theirs.grad = mine.grad.clone()
        ours.step()
        torchs.step()
    assert (mine - theirs).norm() < 0.02 * mine.norm()


@pytest.mark.parametrize("shape", [(12, 12), (30, 12), (12, 30)])
def test_singular_vectors_are_kept_and_values_brought_near_one(shape):
    torch.manual_seed(1)
    matrix = torch.randn(shape)
    left, values, right = torch.linalg.svd(matrix, full_matrices=False)
    found = left.T @ orthogonal(matrix) @ right.T
    assert (found - torch.diag(found.diag())).abs().max() < 1e-4
    assert 0.6 < found.diag()[values > 0.1 * values.max()].min() and found.diag().max() < 1.3
