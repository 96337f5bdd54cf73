"""The registry of algorithms: what each puts on tokens, and what it takes to import it."""

import subprocess
import sys

import pytest
import torch

from reward_server.wire import Claim, Score, Segment
from train.algorithms import ALGORITHMS
from train.rft.resume import upgraded

SPANS = [(0, 4), (4, 9), (9, 12), (12, 20)]
WRONG = Claim("fact", 4, 9, "i1", "director", "d1", "contradicted", True)
SCORE = Score(
    "e",
    "ok",
    0.8,
    1.0,
    None,
    None,
    ["i1"],
    0,
    0,
    [Segment(0, 9, ["i1"], "wrong_item", 0.3, [WRONG]), Segment(9, 20, [], "ok", 0.8, [])],
)


@pytest.mark.parametrize(
    ("name", "rewards", "claims"),
    [
        ("grpo", [0.0] * 4, 0),
        ("reinforce_plus_plus", [0.0] * 4, 0),
        ("raae", [-0.5, -0.5, 0.0, 0.0], 0),
        ("raae_graph", [0.0] * 4, 1),
    ],
)
def test_process_rewards_of_one_response(name, rewards, claims):
    algorithm = ALGORITHMS[name]
    assert algorithm.response_rewards(SCORE, SPANS) == pytest.approx(rewards)
    assert len(algorithm.claims(SCORE, SPANS)) == claims
    assert algorithm.compares_claims == bool(claims)


def test_claims_are_rewarded_against_the_group_by_raae_graph_alone():
    group = [ALGORITHMS["raae_graph"].claims(SCORE, SPANS), []]
    assert ALGORITHMS["raae_graph"].group_rewards(group, 3.0) == [{0: 0.0, 1: 0.0}, {}]
    assert ALGORITHMS["grpo"].group_rewards(group, 3.0) == [{}, {}]


def test_only_an_algorithm_without_verls_estimator_has_its_own():
    rewards, mask = torch.tensor([[-0.5, 1.0], [0.0, 0.0]]), torch.ones(2, 2)
    for name, algorithm in ALGORITHMS.items():
        assert algorithm.name == name
        if algorithm.own_estimator:
            assert algorithm.advantages(rewards, mask, ["q", "q"]).shape == (2, 2)
        else:
            with pytest.raises(NotImplementedError, match=f"verl has an estimator .* {name}"):
                algorithm.advantages(rewards, mask, ["q", "q"])


def test_recipes_are_checked_without_torch_or_verl():
    program = (
        "import sys, train.algorithms, train.tasks, train.rft.settings\n"
        "print([name for name in ('torch', 'verl', 'ray') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr


@pytest.mark.parametrize("estimator", ["grpo", "reinforce_plus_plus", "raae", "raae_graph"])
def test_a_config_from_before_tells_its_algorithm_by_the_estimator(estimator):
    ours = {"task": "examples", "weights": {"penalty": 0.5}, "judged": 0.0}
    before = {"algorithm": {"adv_estimator": estimator, "gamma": 1.0}, "rerec": ours}
    assert upgraded(before) == before | {"rerec": {"algorithm": estimator} | ours}
    named = before | {"rerec": ours | {"algorithm": "raae"}}
    assert upgraded(named) == named
