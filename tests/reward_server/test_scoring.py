"""The reward's parts against hand values and an oracle written from the formulas; and the published
code's faults, by name.
"""

from math import log2, sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_engine.ndcg import ndcg
from reward_server.scoring import (
    PROFILES,
    Parts,
    combine,
    condition_alignment,
    digest,
    penalised,
    preference_alignment,
    query_alignment,
)
from reward_server.wire import Weights

EDGES = {
    "a": frozenset({("r", "1"), ("r", "2")}),
    "b": frozenset({("r", "2"), ("s", "3")}),
    "c": frozenset({("s", "3")}),
}


def edges_of(item):
    return EDGES.get(item, frozenset())


UNIT = {"a": np.array([1.0, 0.0]), "b": np.array([0.6, 0.8]), "c": np.array([0.0, -1.0])}


def cosine(item, other):
    return float(UNIT[item] @ UNIT[other]) if item in UNIT and other in UNIT else None


def test_ndcg_by_hand():
    assert ndcg(["a"], frozenset("a"), 1) == 1
    assert ndcg(["b", "a"], frozenset("a"), 10) == pytest.approx(1 / log2(3))
    assert ndcg(["a", "x", "b"], frozenset("ab"), 10) == pytest.approx(
        (1 + 1 / 2) / (1 + 1 / log2(3))
    )
    assert ndcg(["b", "a"], frozenset("a"), 1) == 0
    with pytest.raises(ValueError, match="relevant"):
        ndcg(["a"], frozenset(), 1)


@settings(max_examples=1000)
@given(
    st.permutations(list("abcdefgh")),
    st.sets(st.sampled_from("abcdefgh"), min_size=1),
    st.integers(1, 10),
)
def test_ndcg_agrees_with_scikit_learn(ranked, gold, k):
    from sklearn.metrics import ndcg_score

    truth = [[float(item in gold) for item in ranked]]
    assert ndcg(ranked, frozenset(gold), k) == pytest.approx(
        ndcg_score(truth, [[-n for n in range(8)]], k=k)
    )


def test_alignment_by_hand():
    assert query_alignment(["b"], frozenset("a"), edges_of, 1) == 0.5
    assert query_alignment(["b", "a"], frozenset("a"), edges_of, 2) == 0.75
    assert query_alignment(["b"], frozenset("ac"), edges_of, 1) == 1.0  # the best gold counts
    assert preference_alignment(["b"], frozenset("a"), cosine, 1) == pytest.approx(0.6)
    assert preference_alignment(["c", "b"], frozenset("a"), cosine, 2) == pytest.approx(0.3)


def test_alignment_with_the_querys_own_conditions():
    asked = (("r", "2"), ("s", "3"), ("t", "9"))

    def meets(item, need):
        return need in edges_of(item) or (None if need[0] == "t" else False)

    assert condition_alignment(["b"], asked, meets, 1) == pytest.approx(2 / 3)
    assert condition_alignment(["b", "x"], asked, meets, 2) == pytest.approx(1 / 3)
    assert condition_alignment(["b"], (), meets, 1) is None


def test_other_weights_have_another_digest():
    assert digest(Weights()) == digest(PROFILES["ndcg"]) != digest(Weights(k=2))
    assert len({digest(weights) for weights in PROFILES.values()}) == len(PROFILES)


def test_an_absent_part_is_null_and_its_weight_goes_to_the_others():
    assert query_alignment(["a"], frozenset("x"), edges_of, 1) is None
    assert preference_alignment(["x"], frozenset("a"), cosine, 1) is None
    profile = Weights(1, 0.3, 0.2, 0.5)
    assert combine(Parts(1.0, 0.5, 0.6), profile) == pytest.approx(1 + 0.15 + 0.12)
    assert combine(Parts(1.0, 0.5, None), profile) == pytest.approx(1 + 0.5 * 0.5)
    assert combine(Parts(0.0, None, -0.4), profile) == pytest.approx(0.5 * -0.4)
    assert combine(Parts(1.0, None, None), profile) == 1.0


@given(st.floats(-1, 2), st.floats(0, 1))
def test_a_penalty_always_lowers(reward, weight):
    assert penalised(reward, Weights(1, 0, 0, weight)) <= reward


@given(
    st.lists(st.sampled_from("abcdef"), min_size=1, max_size=6, unique=True),
    st.sets(st.sampled_from("abcdef"), min_size=1, max_size=3),
    st.integers(1, 6),
    st.dictionaries(
        st.sampled_from("abcdef"), st.sets(st.tuples(st.sampled_from("rs"), st.sampled_from("123")))
    ),
    st.dictionaries(st.sampled_from("abcdef"), st.tuples(st.floats(-1, 1), st.floats(0.1, 1))),
)
def test_the_whole_score_agrees_with_an_oracle(ranked, gold, k, edges, vectors):
    """Straight from the formulas, with loops and dictionaries, no shared code."""
    profile = Weights(k, 0.3, 0.2, 0.5)
    top = ranked[:k]
    dcg = idcg = 0.0
    for n in range(len(top)):
        dcg += (top[n] in gold) / log2(n + 2)
    for n in range(min(k, len(gold))):
        idcg += 1 / log2(n + 2)
    expected = dcg / idcg
    parts = []
    targets = [edges[g] for g in gold if edges.get(g)]
    if targets:
        parts.append(
            (
                0.3,
                sum(max(len(edges.get(p, set()) & t) / len(t) for t in targets) for p in top)
                / len(top),
            )
        )
    length = {i: sqrt(x * x + y * y) for i, (x, y) in vectors.items()}
    pairs = [
        [
            (vectors[p][0] * vectors[g][0] + vectors[p][1] * vectors[g][1]) / length[p] / length[g]
            for g in gold
            if g in vectors
        ]
        for p in top
        if p in vectors
    ]
    if pairs and pairs[0]:
        parts.append((0.2, sum(map(max, pairs)) / len(pairs)))
    if parts:
        expected += 0.5 / sum(w for w, _ in parts) * sum(w * v for w, v in parts)
    unit = {i: np.array(v) / length[i] for i, v in vectors.items()}
    sets = {i: frozenset(e) for i, e in edges.items()}
    got = Parts(
        ndcg(ranked, frozenset(gold), k),
        query_alignment(ranked, frozenset(gold), lambda i: sets.get(i, frozenset()), k),
        preference_alignment(
            ranked,
            frozenset(gold),
            lambda a, b: float(unit[a] @ unit[b]) if a in unit and b in unit else None,
            k,
        ),
    )
    assert combine(got, profile) == pytest.approx(expected, abs=1e-9)


def test_the_plain_profile_never_penalises_a_segment():
    """verl's grpo sums token rewards: with NDCG alone there must be nothing to add to the score."""
    assert penalised(1.0, PROFILES["ndcg"]) == 1.0
