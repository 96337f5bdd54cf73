"""RAAE by hand, against verl's GRPO where they must agree, and its safety where groups are flat."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from train.algorithms.advantage import group_advantages


def test_raae_by_hand():
    """Two responses of one query, r = 1 and 0.4; the second has one token penalised by 0.2."""
    rewards = torch.tensor([[0.0, 0.0, 1.0], [-0.2, 0.4, 0.0]])
    mask = torch.tensor([[1, 1, 1], [1, 1, 0]])
    std = torch.tensor([1.0, 0.4]).std()
    expected = torch.tensor([[0.3, 0.3, 0.3], [-0.5, -0.3, 0.0]]) / std
    assert torch.allclose(group_advantages(rewards, mask, ["q", "q"]), expected)


def test_a_flat_group_keeps_its_penalties_unnormalised():
    rewards = torch.tensor([[-0.05, 0.1], [0.0, 0.1]])
    assert torch.allclose(
        group_advantages(rewards, torch.ones(2, 2), ["q", "q"]),
        torch.tensor([[-0.05, 0.0], [0.0, 0.0]]),
    )


@pytest.mark.parametrize("gap", [0.0005, 0.004, 0.02, 0.1])
def test_a_penalty_does_not_explode_where_rewards_are_nearly_equal(gap):
    """The outcome part of two responses is ±0.71 at most.

    The published quotient would add −0.1 / std, down to −35 here.
    """
    rewards = torch.tensor([[-0.1, 0.1], [0.0, 0.1 + gap]])
    assert group_advantages(rewards, torch.ones(2, 2), ["q", "q"]).min() >= -0.72 - 0.1


def test_a_lone_response_has_no_outcome_part():
    assert group_advantages(torch.tensor([[0.0, 1.0]]), torch.ones(1, 2), ["q"]).abs().max() == 0


@given(st.integers(2, 5), st.integers(2, 4), st.integers(0, 2**16))
def test_without_penalties_it_is_verls_grpo(groups, size, seed):
    core = pytest.importorskip("verl.trainer.ppo.core_algos")
    import numpy as np

    generator = torch.Generator().manual_seed(seed)
    rows = groups * size
    lengths = torch.randint(1, 7, (rows,), generator=generator)
    mask = (torch.arange(6)[None] < lengths[:, None]).float()
    rewards = torch.zeros(rows, 6).scatter(
        1, lengths[:, None] - 1, torch.rand(rows, 1, generator=generator)
    )
    index = np.repeat(np.arange(groups), size)
    theirs, _ = core.compute_grpo_outcome_advantage(rewards, mask, index)
    ours = group_advantages(rewards, mask, list(index))
    wide = (
        torch.stack([rewards.sum(1)[index == g].std() for g in range(groups)])[torch.tensor(index)]
        > 1e-2
    )
    assert torch.allclose(ours[wide], theirs[wide], atol=1e-3, rtol=1e-3)


@given(st.integers(0, 2**16))
def test_a_penalty_lowers_its_own_token_and_no_other(seed):
    generator = torch.Generator().manual_seed(seed)
    rewards = torch.zeros(4, 5)
    rewards[:, -1] = torch.rand(4, generator=generator)
    before = group_advantages(rewards, torch.ones(4, 5), ["q"] * 4)
    rewards[1, 2] = -0.3
    after = group_advantages(rewards, torch.ones(4, 5), ["q"] * 4)
    changed = (before - after).abs() > 1e-6
    assert changed.nonzero().tolist() == [[1, 2]] and after[1, 2] < before[1, 2]
