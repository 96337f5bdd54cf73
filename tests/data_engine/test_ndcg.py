"""NDCG in its three forms, by hand and against each other."""

from math import log2

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_engine.ndcg import discounts, mean_ndcg, ndcg, ndcg_of_rank

RANKS = st.lists(st.integers(1, 12), max_size=8)


@pytest.mark.parametrize(
    ("rank", "k", "expected"),
    [(1, 1, 1), (2, 1, 0), (2, 2, 1 / log2(3)), (3, 10, 0.5), (11, 10, 0)],
)
def test_of_one_relevant_item(rank, k, expected):
    assert ndcg_of_rank(rank, k) == pytest.approx(expected)
    ranked = [f"x{n}" for n in range(1, rank)] + ["it"]
    assert ndcg(ranked, {"it"}, k) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("ranked", "k", "expected"),
    [
        ("a", 1, 1),  # a perfect first place, though a second relevant item exists
        ("a", 2, 1 / (1 + 1 / log2(3))),
        ("xa", 2, 1 / log2(3) / (1 + 1 / log2(3))),
        ("xxab", 4, (1 / 2 + 1 / log2(5)) / (1 + 1 / log2(3))),
        ("xxab", 3, 1 / 2 / (1 + 1 / log2(3))),
        ("x", 5, 0),
        ("", 5, 0),
    ],
)
def test_of_two_relevant_items(ranked, k, expected):
    assert ndcg(list(ranked), frozenset("ab"), k) == pytest.approx(expected)


def test_without_a_relevant_item_there_is_none():
    with pytest.raises(ValueError, match="NDCG needs at least one relevant item"):
        ndcg(["a"], [], 1)


@given(RANKS, st.integers(1, 10))
def test_the_mean_over_queries_is_that_of_the_single_ones(ranks, k):
    single = [ndcg_of_rank(rank, k) for rank in ranks]
    expected = sum(single) / len(single) if single else 0.0
    assert mean_ndcg(np.array(ranks), k) == pytest.approx(expected)


def test_an_item_tied_with_another_stands_between_two_ranks():
    assert mean_ndcg(np.array([1.5, 2.5]), 2) == pytest.approx(1 / log2(2.5) / 2)


def test_a_place_is_worth_its_discount():
    assert discounts(4) == pytest.approx([1, 1 / log2(3), 1 / 2, 1 / log2(5)])
    assert discounts(1).tolist() == [1.0]
