"""Splits of interactions by time, and of queries by link."""

import numpy as np

from data_engine.datasets.splits import ORDER, interaction_split, link_fold, query_split
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
