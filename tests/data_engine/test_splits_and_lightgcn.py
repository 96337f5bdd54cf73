"""Splits by time and by link; LightGCN's propagation by hand and its use of the signal."""

import numpy as np
import torch

from data_engine.graphs import InteractionGraph
from data_engine.importers.world import WorldConfig, make_world
from data_engine.lightgcn import LightGCNConfig, _normalised_adjacency, _propagate, train
from data_engine.schema import Condition
from data_engine.splits import ORDER, interaction_split, link_fold, query_split
from data_engine.store import Store


def graph(user, item, time):
    user, item, time = map(np.array, (user, item, time))
    users, items = [f"u{k}" for k in range(user.max() + 1)], [f"i{k}" for k in range(item.max() + 1)]
    return InteractionGraph(users, items, user, item, np.full(len(user), np.nan), time, np.ones(len(user), bool))


def test_with_times_nothing_in_train_is_later_than_anything_held_out():
    rng = np.random.default_rng(0)
    g = graph(np.sort(rng.integers(0, 20, 400)), rng.integers(0, 30, 400), rng.integers(0, 10_000, 400))
    parts = interaction_split(g)
    assert g.time[parts == 0].max() < g.time[parts == 1].min() <= g.time[parts == 1].max() < g.time[parts == 2].min()
    assert abs((parts == 0).mean() - 0.8) < 0.02


def test_without_times_each_user_leaves_the_last_out():
    parts = interaction_split(graph([0, 0, 0, 0, 1, 1, 2, 2, 2], [0, 1, 2, 3, 0, 1, 1, 2, 3], [-1] * 9))
    assert parts.tolist() == [0, 0, 1, 2, 0, 0, 0, 1, 2]


def test_a_query_takes_the_highest_fold_of_its_links():
    links = {fold: next(f"v{n}" for n in range(999) if link_fold("x", f"v{n}") == fold) for fold in ORDER}
    conditions = {fold: Condition(relation="r", value=value, name="") for fold, value in links.items()}
    assert query_split("x", (conditions["sft"], conditions["rl"])) == "rl"
    assert query_split("x", (conditions["test"], conditions["validation"])) == "test"


def test_propagation_by_hand():
    """One user, two items: Â has 1/√2 between them; E' = mean of the layers."""
    adjacency = _normalised_adjacency(torch.tensor([0, 0]), torch.tensor([0, 1]), 1, 2)
    table = torch.tensor([[2.0], [1.0], [3.0]])
    h = 2**-0.5
    layer1 = [h * 1 + h * 3, h * 2, h * 2]
    assert torch.allclose(_propagate(adjacency, table, 1), (table + torch.tensor(layer1)[:, None]) / 2)


def test_embeddings_put_items_of_one_taste_together_and_a_seed_repeats():
    """Two groups of users who watch disjoint halves of the items."""
    rng = np.random.default_rng(1)
    user = np.repeat(np.arange(40), 8)
    item = np.concatenate([rng.choice(10, 8, replace=False) + 10 * (u % 2) for u in range(40)])
    g = graph(user, item, [-1] * 320)
    config = LightGCNConfig(dims=8, epochs=40, patience=40)
    found = train(g, config)
    unit = found.vectors / np.linalg.norm(found.vectors, axis=1, keepdims=True)
    half = np.array([int(i[1:]) // 10 for i in found.items])
    cosine = unit @ unit.T
    same = half[:, None] == half[None]
    assert cosine[same].mean() > cosine[~same].mean() + 0.3
    assert np.array_equal(found.vectors, train(g, config).vectors)


def test_training_learns_the_worlds_planted_tastes(tmp_path):
    with Store.open(tmp_path / "w.duckdb", create=True) as store:
        store.replace_catalogue(make_world(WorldConfig(items=300, users=200, seed=2)))
        likes = InteractionGraph.from_store(store)
    untrained = train(likes, LightGCNConfig(dims=16, epochs=1, lr=1e-6))
    assert train(likes, LightGCNConfig(dims=16, epochs=15)).validation_ndcg10 > 1.5 * untrained.validation_ndcg10
