"""Process rewards from judged claims.

What counts as bad, like compared with like, credited on the claim's own tokens.
"""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from reward_server.wire import Claim, Score, Segment
from train.algorithms.advantage import group_advantages
from train.algorithms.claims import JudgedClaim, claim_rewards, judged_claims

SPANS = [(0, 4), (4, 9), (9, 12), (12, 20)]


def score(*claims):
    return Score(
        "e", "ok", 1.0, 1.0, None, None, ["i1"], 0, 0, [Segment(0, 20, [], "ok", 1.0, list(claims))]
    )


@pytest.mark.parametrize(
    ("verdict", "relevant", "bad"),
    [
        ("supported", True, 0),
        ("supported", None, 0),
        ("contradicted", True, 1),
        ("supported", False, 1),
        ("contradicted", False, 1),
    ],
)
def test_false_and_irrelevant_claims_are_bad_on_what_leads_to_them(verdict, relevant, bad):
    """From the end of the claim before, or from where the line begins.

    To name a relation is to choose a claim.
    """
    before = Claim("fact", 2, 4, "i2", "director", "d1", "unknown", True)
    (found,) = judged_claims(
        score(before, Claim("fact", 9, 11, "i1", "director", "d1", verdict, relevant)), SPANS
    )
    assert found == JudgedClaim("fact|i1", bad, [1, 2])
    (found,) = judged_claims(
        score(Claim("fact", 9, 11, "i1", "director", "d1", verdict, relevant)), SPANS
    )
    assert found == JudgedClaim("fact|i1", bad, [0, 1, 2])


def test_where_nothing_needed_is_left_out_all_that_follows_the_first_need_gains():
    """ "Need X and Y." as claims X, Y and all of it."""
    claims = [
        Claim("need", 0, 4, "", "", "X", "supported", True),
        Claim("need", 9, 12, "", "", "Y", "supported", True),
    ]
    found = judged_claims(
        score(*claims, Claim("needs", 4, 20, "", "", "", "supported", True)), SPANS
    )
    assert [(j.key, j.tokens) for j in found] == [
        ("need|", [0]),
        ("need|", [1, 2]),
        ("needs|", [1, 2, 3]),
    ]
    short = [JudgedClaim("need|", 0.0, [0]), JudgedClaim("needs|", 1.0, [1])]
    assert claim_rewards([found, short], 1.0) == [
        {0: 0.0, 1: 0.5, 2: 0.5, 3: 0.5},
        {0: 0.0, 1: -0.5},
    ]


def test_what_the_graph_cannot_say_is_left_out():
    assert (
        judged_claims(score(Claim("fact", 0, 4, "i1", "director", "d1", "unknown", True)), SPANS)
        == []
    )


def test_what_follows_from_a_bad_claim_is_not_judged():
    """A line goes astray with its first mistake.

    A response, where what is needed is wrong or not all.
    """
    line = [
        Claim("fact", 0, 4, "i1", "", "", "supported", False),
        Claim("match", 4, 9, "i1", "", "no", "contradicted", True),
    ]
    other = Claim("decision", 12, 20, "i2", "", "skip", "contradicted", True)
    assert [(j.key, j.bad) for j in judged_claims(score(*line, other), SPANS)] == [
        ("fact|i1", 1),
        ("decision|i2", 1),
    ]
    half = Claim("needs", 0, 4, "", "genre", "Drama", "contradicted", True)
    assert [(j.key, j.bad) for j in judged_claims(score(half, other), SPANS)] == [("needs|", 1)]
    right = Claim("needs", 0, 4, "", "", "", "supported", True)
    assert [(j.key, j.bad) for j in judged_claims(score(right, other), SPANS)] == [
        ("needs|", 0),
        ("decision|i2", 1),
    ]
    unknown = Claim("fact", 0, 4, "i2", "", "", "unknown", False)
    assert [(j.key, j.bad) for j in judged_claims(score(unknown, other), SPANS)] == [
        ("decision|i2", 1)
    ]


def test_what_leads_to_the_need_is_compared_whatever_item_it_is_about():
    hop, need = (
        Claim("fact", 0, 4, "i1", "", "", "supported", False),
        Claim("need", 4, 9, "", "", "", "supported", True),
    )
    after = Claim("fact", 12, 20, "i2", "", "", "supported", True)
    assert [j.key for j in judged_claims(score(hop, need, after), SPANS)] == [
        "fact|",
        "need|",
        "fact|i2",
    ]
    assert [j.key for j in judged_claims(score(hop, after), SPANS)] == ["fact|i1", "fact|i2"]


def test_by_hand_like_with_like():
    """Two of three rollouts wrong about i1.

    Mean badness 2/3. All wrong about i2: nothing to learn from. Nobody else speaks of i3.
    """
    group = [
        [JudgedClaim("fact|i1", 1, [0]), JudgedClaim("fact|i2", 1, [3])],
        [JudgedClaim("fact|i1", 1, [1]), JudgedClaim("fact|i2", 1, [4])],
        [JudgedClaim("fact|i1", 0, [2, 5]), JudgedClaim("match|i1", 1, [6])],
    ]
    found = claim_rewards(group, 0.6)
    assert found[0] == pytest.approx({0: -0.2, 3: 0.0}) and found[1] == pytest.approx(
        {1: -0.2, 4: 0.0}
    )
    assert found[2] == pytest.approx({2: 0.4, 5: 0.4, 6: 0.0})


@given(
    st.lists(
        st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from([0.0, 1.0])), max_size=6),
        min_size=1,
        max_size=8,
    ),
    st.floats(0, 2),
)
def test_the_rewards_of_each_key_sum_to_nothing_and_stay_within_the_weight(drawn, weight):
    group = [
        [JudgedClaim(key, bad, [n]) for n, (key, bad) in enumerate(response)] for response in drawn
    ]
    found = claim_rewards(group, weight)
    for key in "abc":
        assert sum(
            found[r][n]
            for r, response in enumerate(drawn)
            for n, (k, _) in enumerate(response)
            if k == key
        ) == pytest.approx(0, abs=1e-9)
    assert all(abs(value) <= weight + 1e-12 for response in found for value in response.values())


def test_the_process_part_is_never_divided_by_the_outcomes_spread():
    """Rewards .0 and .2 spread by .141: published, a −.5 becomes −3.5; here it stays −.5."""
    rewards = torch.tensor([[-0.5, 0.0, 0.0], [0.5, 0.0, 0.2]])
    mask = torch.ones(2, 3)
    plain, scaled = (group_advantages(rewards, mask, ["q", "q"], scaled=s) for s in (False, True))
    outcome = 0.1 / torch.tensor([0.0, 0.2]).std()
    assert torch.allclose(
        plain, torch.tensor([[-0.5, 0, 0], [0.5, 0, 0]]) + torch.tensor([[-outcome], [outcome]])
    )
    assert scaled[0, 0] < plain[0, 0] - 2


def test_a_token_that_leads_to_two_claims_carries_the_sum_of_both():
    """One token spans the end of one claim and the begin of the next: −½·(1 − ½) twice."""
    both = [JudgedClaim("fact|i1", 1, [0, 1]), JudgedClaim("match|i1", 1, [1, 2])]
    neither = [JudgedClaim("fact|i1", 0, [0]), JudgedClaim("match|i1", 0, [1])]
    found = claim_rewards([both, neither], 0.5)
    assert found[0] == pytest.approx({0: -0.25, 1: -0.5, 2: -0.25})
    assert found[1] == pytest.approx({0: 0.25, 1: 0.25})
