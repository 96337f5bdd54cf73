"""Splits of interactions by time, and of queries by link."""

import hashlib
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_engine.datasets.splits import (
    ORDER,
    global_time,
    interaction_split,
    leave_last_out,
    link_fold,
    query_split,
)
from data_engine.graphs.interactions import InteractionGraph
from data_engine.schema import Condition


def graph(user, item, time):
    user, item, time = map(np.array, (user, item, time))
    users, items = (
        [f"u{k}" for k in range(user.max() + 1)],
        [f"i{k}" for k in range(item.max() + 1)],
    )
    return InteractionGraph(
        users, items, user, item, np.full(len(user), np.nan), time, np.ones(len(user), bool)
    )


def test_with_times_nothing_in_train_is_later_than_anything_held_out():
    rng = np.random.default_rng(0)
    g = graph(
        np.sort(rng.integers(0, 20, 400)), rng.integers(0, 30, 400), rng.integers(0, 10_000, 400)
    )
    parts = interaction_split(g)
    assert (
        g.time[parts == 0].max()
        < g.time[parts == 1].min()
        <= g.time[parts == 1].max()
        < g.time[parts == 2].min()
    )
    assert abs((parts == 0).mean() - 0.8) < 0.02


def test_without_times_each_user_leaves_the_last_out():
    parts = interaction_split(
        graph([0, 0, 0, 0, 1, 1, 2, 2, 2], [0, 1, 2, 3, 0, 1, 1, 2, 3], [-1] * 9)
    )
    assert parts.tolist() == [0, 0, 1, 2, 0, 0, 0, 1, 2]


def test_a_query_takes_the_highest_fold_of_its_links():
    links = {
        fold: next(f"v{n}" for n in range(999) if link_fold("x", f"v{n}") == fold) for fold in ORDER
    }
    conditions = {
        fold: Condition(relation="r", value=value, name="") for fold, value in links.items()
    }
    assert query_split("x", (conditions["sft"], conditions["rl"])) == "rl"
    assert query_split("x", (conditions["test"], conditions["validation"])) == "test"


@pytest.mark.parametrize(
    ("shares", "expected"),
    [((0.8, 0.1), [0] * 9 + [1, 2]), ((0.5, 0.3), [0] * 6 + [1] * 3 + [2] * 2)],
)
def test_what_happened_at_the_moment_of_a_cut_still_comes_before_it(shares, expected):
    """Times 0..10, in whatever order: the cuts are at 8 and 9, or at 5 and 8."""
    order = np.random.default_rng(1).permutation(11)
    found = global_time(graph(np.zeros(11, int), np.zeros(11, int), order), shares)
    assert found[np.argsort(order)].tolist() == expected


def test_the_usual_shares_are_eight_to_one_to_one():
    parts = global_time(graph([0] * 11, [0] * 11, list(range(11))))
    assert parts.tolist() == [0] * 9 + [1, 2] and parts.dtype == np.int8


def test_users_of_three_interactions_are_the_shortest_that_leave_any_out():
    parts = leave_last_out(graph([0, 1, 1, 2, 2, 2, 3], [0] * 7, [-1] * 7))
    assert parts.tolist() == [0, 0, 0, 0, 1, 2, 0] and parts.dtype == np.int8


@given(st.text(max_size=8), st.text(max_size=8))
def test_a_link_has_the_split_of_its_hash(item, value):
    """By the first byte of SHA-256 of "item|value": below 40 test, 60 validation, 116 RL."""
    byte = int(hashlib.sha256(f"{item}|{value}".encode()).hexdigest()[:2], 16)
    below = [
        split for bound, split in ((40, "test"), (60, "validation"), (116, "rl")) if byte < bound
    ]
    assert link_fold(item, value) == [*below, "sft"][0]


def test_the_shares_of_links():
    found = Counter(link_fold(f"i{n}", "v") for n in range(20_000))
    for split, share in (("test", 40), ("validation", 20), ("rl", 56), ("sft", 140)):
        assert found[split] / 20_000 == pytest.approx(share / 256, abs=0.01)
