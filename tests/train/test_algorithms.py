"""The registry of algorithms: what each puts on tokens, and what it takes to import it."""

import re
import subprocess
import sys

import pytest
import torch
from msgspec.structs import replace
from omegaconf import OmegaConf

from reward_server.wire import Claim, Score, Segment
from train.algorithms import ALGORITHMS
from train.errors import BadRecipe
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


def test_a_token_of_two_segments_carries_the_lower_reward():
    spans = [(0, 4), (4, 11), (11, 20)]
    raae = ALGORITHMS["raae"]
    assert raae.response_rewards(SCORE, spans) == pytest.approx([-0.5, -0.5, 0.0])


def test_claims_are_rewarded_against_the_group_by_raae_graph_alone():
    group = [ALGORITHMS["raae_graph"].claims(SCORE, SPANS), []]
    assert ALGORITHMS["raae_graph"].group_rewards(group, 3.0) == [{0: 0.0, 1: 0.0}, {}]
    assert ALGORITHMS["grpo"].group_rewards(group, 3.0) == [{}, {}]


@pytest.mark.parametrize("wrong", [0.0, 0.5])
def test_claims_of_a_wrong_answer_neither_earn_nor_count(wrong):
    """Of two right answers one errs: ±3 · ½, whatever a third, wrong one claims."""
    raae_graph = ALGORITHMS["raae_graph"]
    sound = replace(WRONG, verdict="supported")
    careful, careless, lost = [
        replace(SCORE, ndcg=ndcg, segments=[Segment(0, 20, [], "ok", 0.8, [claim])])
        for ndcg, claim in ((1.0, sound), (1.0, WRONG), (wrong, WRONG))
    ]
    group = [raae_graph.claims(score, SPANS) for score in (careful, careless, lost)]
    rewards = raae_graph.group_rewards(group, 3.0)
    assert rewards == [{0: 1.5, 1: 1.5}, {0: -1.5, 1: -1.5}, {}]


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


def test_only_raae_scales_what_it_puts_on_tokens_by_the_outcomes_spread():
    """Outcomes 1 and 0.4 spread by 0.4243; each response's last token carries its outcome."""
    rewards, mask = torch.tensor([[-0.5, 1.0], [0.5, 0.4]]), torch.ones(2, 2)
    spread = 0.6 / 2**0.5
    outcome = torch.tensor([[0.3], [-0.3]]) / spread
    process = torch.tensor([[-0.5, 0.0], [0.5, 0.0]])
    found = {
        name: ALGORITHMS[name].advantages(rewards, mask, ["q", "q"])
        for name in ("raae", "raae_graph")
    }
    assert torch.allclose(found["raae"], outcome + process / spread)
    assert torch.allclose(found["raae_graph"], outcome + process)


def recipe(task="examples", rollouts=2, kl=False, by_std=True):
    """The part of a composed recipe that RAAE looks at."""
    return OmegaConf.create(
        {
            "rerec": {"task": task},
            "actor_rollout_ref": {"rollout": {"n": rollouts}},
            "algorithm": {"use_kl_in_reward": kl, "norm_adv_by_std_in_grpo": by_std},
        }
    )


@pytest.mark.parametrize("name", ["raae", "raae_graph"])
def test_raae_takes_recipes_that_its_rewards_fit(name):
    ALGORITHMS[name].check_settings(recipe())
    ALGORITHMS[name].check_settings(recipe(rollouts=8))


@pytest.mark.parametrize(
    ("wrong", "remedy"),
    [
        ({"task": "next_item"}, "set rerec.algorithm=grpo"),
        ({"rollouts": 1}, "set actor_rollout_ref.rollout.n to 2 or more"),
        ({"kl": True}, "algorithm.use_kl_in_reward=false"),
        ({"by_std": False}, "algorithm.norm_adv_by_std_in_grpo=false is GRPO's alone"),
    ],
)
def test_raae_refuses_other_recipes_and_says_what_to_set(wrong, remedy):
    with pytest.raises(BadRecipe, match="^rerec.algorithm=raae .*" + re.escape(remedy)):
        ALGORITHMS["raae"].check_settings(recipe(**wrong))
