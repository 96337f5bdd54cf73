"""Preference models: LightGCN's propagation by hand, every method's use of the signal, one judge
for all, exact resume.
"""

import numpy as np
import pytest
import torch
from sklearn.metrics import ndcg_score

from data_engine.errors import DataError
from data_engine.graphs.interactions import InteractionGraph
from data_engine.importers.world import WorldConfig, make_world
from data_engine.preference import Likes, embed, lightgcn, make_model, ranking
from data_engine.preference.lightgcn import (
    LightGCN,
    LightGCNConfig,
    _normalised_adjacency,
    _propagate,
)
from data_engine.preference.ranking import ndcg10
from data_engine.store.database import Store


def likes(train, held=(), users=None, items=None) -> Likes:
    """Likes from (user, item) pairs."""
    (user, item), (held_user, held_item) = (
        np.array(pairs, np.int64).reshape(-1, 2).T for pairs in (train, held)
    )
    users = users or int(user.max()) + 1
    items = items or int(max(item.max(), held_item.max(initial=0))) + 1
    return Likes(
        [f"u{k}" for k in range(users)],
        [f"i{k}" for k in range(items)],
        user,
        item,
        held_user,
        held_item,
    )


def two_tastes(seed=1) -> Likes:
    """Forty users who watch seven of one half of twenty items, one of them held out."""
    rng = np.random.default_rng(seed)
    drawn = [(u, i + 10 * (u % 2)) for u in range(40) for i in rng.choice(10, 7, replace=False)]
    return likes(
        [pair for n, pair in enumerate(drawn) if n % 7],
        [pair for n, pair in enumerate(drawn) if not n % 7],
        items=20,
    )


def model(method, **changes):
    return make_model(
        method, **{"dims": 8, "layers": 3, "epochs": 40, "seed": 0, "checkpoint": None} | changes
    )


def test_propagation_by_hand():
    """One user, two items: Â has 1/√2 between them; E' = mean of the layers."""
    adjacency = _normalised_adjacency(torch.tensor([[0, 0], [1, 2]]), 3)
    table = torch.tensor([[2.0], [1.0], [3.0]])
    h = 2**-0.5
    layer1 = [h * 1 + h * 3, h * 2, h * 2]
    assert torch.allclose(
        _propagate(adjacency, table, 1), (table + torch.tensor(layer1)[:, None]) / 2
    )


def test_batches_grow_where_an_epoch_would_have_too_many_steps():
    """Two epochs of 240 likes: five steps of 48, or, without the limit, 24 of ten."""
    world = two_tastes()
    assert len(world.user) == 240
    for most, steps in ((5, 10), (1000, 48)):
        found = LightGCN(LightGCNConfig(dims=8, epochs=2, batch=10, most_steps=most))
        found.fit(world, lambda done, ndcg: None)
        assert found.optimiser.state[found.table]["step"] == steps


@pytest.mark.parametrize("method", ["lightgcn", "als"])
def test_items_of_one_taste_lie_together_and_a_seed_repeats(method):
    world = two_tastes()
    found = embed(world, model(method))
    unit = found.vectors / np.linalg.norm(found.vectors, axis=1, keepdims=True)
    half = np.array([int(i[1:]) // 10 for i in found.items])
    cosine = unit @ unit.T
    same = half[:, None] == half[None]
    assert cosine[same].mean() > cosine[~same].mean() + 0.3
    assert np.array_equal(found.vectors, embed(world, model(method)).vectors)
    assert found.validation_ndcg10 > embed(world, model("popularity")).validation_ndcg10


def test_popularity_counts():
    found = model("popularity")
    found.fit(likes([(0, 0), (1, 0), (2, 0), (0, 1)], items=3), lambda done, ndcg: None)
    assert found.scores(np.array([0, 2])).tolist() == [[3, 1, 0], [3, 1, 0]]
    near, far = (found.vectors()[[0, k]] for k in (1, 2))
    assert near[0] @ near[1] > far[0] @ far[1]  # three and one like are nearer than three and none


def test_an_item_nobody_liked_in_training_has_no_vector():
    assert embed(likes([(0, 0), (1, 2)], [(0, 1)], items=4), model("popularity")).items == [
        "i0",
        "i2",
    ]


def test_nothing_liked_says_so_and_an_unknown_method_lists_the_known():
    with pytest.raises(DataError, match="nothing to embed"):
        embed(likes([], users=1, items=1), model("popularity"))
    with pytest.raises(DataError, match="lightgcn, als, popularity"):
        model("magic")


def test_ndcg_by_hand():
    """User 0 likes i0 in training, i1 and i3 later; the ranking of the rest is i2, i1, i3: (1/log2
    3 + 1/log2 4) / (1 + 1/log2 3).
    """
    world = likes([(0, 0)], [(0, 1), (0, 3)], items=4)
    found = ndcg10(lambda users: np.array([[9.0, 2.0, 3.0, 1.0]])[users], world)
    assert found == pytest.approx((1 / np.log2(3) + 1 / 2) / (1 + 1 / np.log2(3)))


def test_ndcg_leaves_out_users_without_train_likes_and_likes_seen_before():
    rows = np.array([[0.0, 1.0, 2.0], [9.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    world = likes([(0, 0), (2, 0)], [(0, 2), (1, 0), (2, 0)], users=3, items=3)
    assert ndcg10(rows.__getitem__, world) == 1.0  # user 1 has no past; user 2 only repeats it
    assert ndcg10(rows.__getitem__, likes([(0, 0)], [(1, 1)], users=2)) == 0.0


def test_of_many_users_every_nth_is_asked(monkeypatch):
    """Of users 0 to 4, two at most: 0 and 3, whose wishes come first and second."""
    monkeypatch.setattr(ranking, "MOST_USERS", 2)
    rows = np.array([[0.0, 2.0, 1.0]] * 5)
    world = likes([(u, 0) for u in range(5)], [(u, 2 if u == 3 else 1) for u in range(5)])
    assert ndcg10(rows.__getitem__, world) == pytest.approx((1 + 1 / np.log2(3)) / 2)


def test_ndcg_agrees_with_scikit_learn():
    rng = np.random.default_rng(5)
    table = rng.permuted(np.tile(np.arange(30.0), (50, 1)), axis=1)
    train, held = (
        [(u, 29) for u in range(50)],
        [(u, i) for u in range(50) for i in rng.choice(29, 1 + u % 4, replace=False)],
    )
    truth = np.zeros((50, 29))
    truth[tuple(np.array(held).T)] = 1
    assert ndcg10(lambda users: table[users], likes(train, held)) == pytest.approx(
        ndcg_score(truth, table[:, :29], k=10)
    )


def test_a_cut_off_run_goes_on_to_the_same_bytes(tmp_path, monkeypatch):
    monkeypatch.setattr(lightgcn, "SAVE_SECONDS", -1.0)  # keep every epoch
    world, config = two_tastes(), LightGCNConfig(dims=8, epochs=9, patience=9)
    whole = embed(world, LightGCN(config)).vectors

    def cut(done, ndcg):
        if done == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        embed(world, LightGCN(config, tmp_path / "c.pt"), cut)
    heard = []
    found = embed(world, LightGCN(config, tmp_path / "c.pt"), lambda done, ndcg: heard.append(done))
    assert heard == [5, 6, 7, 8, 9]
    assert np.array_equal(found.vectors, whole)


def test_a_checkpoint_of_other_likes_is_passed_over(tmp_path, monkeypatch):
    monkeypatch.setattr(lightgcn, "SAVE_SECONDS", -1.0)
    config = LightGCNConfig(dims=8, epochs=3)
    embed(two_tastes(1), LightGCN(config, tmp_path / "c.pt"))
    assert np.array_equal(
        embed(two_tastes(2), LightGCN(config, tmp_path / "c.pt")).vectors,
        embed(two_tastes(2), LightGCN(config)).vectors,
    )


def test_training_learns_the_worlds_planted_tastes(tmp_path):
    with Store.open(tmp_path / "w.duckdb", create=True) as store:
        store.replace_catalogue(make_world(WorldConfig(items=300, users=200, seed=2)))
        world = Likes.of(InteractionGraph.from_store(store))
    untrained = embed(world, LightGCN(LightGCNConfig(dims=16, epochs=1, lr=1e-6)))
    assert (
        embed(world, LightGCN(LightGCNConfig(dims=16, epochs=15))).validation_ndcg10
        > 1.5 * untrained.validation_ndcg10
    )
