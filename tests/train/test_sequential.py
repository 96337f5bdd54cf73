"""Next-item recommendation: cuts, windows, loss and ranks by hand, a planted order, a resume."""

import json

import numpy as np
import pytest
import torch

from data_engine.datasets.sequences import TEST, VALIDATION, Sequences
from data_engine.errors import DataError
from data_engine.graphs.interactions import InteractionGraph
from data_engine.ndcg import mean_ndcg
from reward_server.rechead.model import HeadConfig
from tests.test_cli import rerec
from train.sequential.baselines import popularity
from train.sequential.config import TrainingConfig
from train.sequential.encoders import ENCODERS
from train.sequential.loss import sampled_loss, windows
from train.sequential.ranking import hits, ranks
from train.sequential.training import fit


def graph(user, item, time):
    user, item, time = map(np.array, (user, item, time))
    names = [f"u{k}" for k in range(user.max() + 1)], [f"i{k}" for k in range(item.max() + 1)]
    return InteractionGraph(
        *names, user, item, np.full(len(user), np.nan), time, np.ones(len(user), bool)
    )


def test_the_last_two_are_left_out_and_all_that_went_before_is_the_history():
    found = Sequences.of(graph([0, 0, 0, 0, 1, 1], [3, 1, 2, 0, 1, 2], range(6)), "last")
    assert [row.tolist() for row in found.train()] == [[3, 1], [1, 2]] and found.ordered
    assert [(n.user, n.history.tolist(), n.target) for n in found.nexts(VALIDATION)] == [
        (0, [3, 1], 2)
    ]
    assert [(n.user, n.history.tolist(), n.target) for n in found.nexts(TEST)] == [
        (0, [3, 1, 2], 0)
    ]


def test_a_cut_by_time_teaches_nothing_of_later_and_asks_nobody_without_a_history():
    found = Sequences.of(graph([0] * 8 + [1] * 2, [*range(8), 4, 5], [*range(8), 20, 21]), "time")
    assert [row.tolist() for row in found.train()] == [list(range(8))]
    asked = [
        (n.user, n.history.tolist(), n.target)
        for part in (VALIDATION, TEST)
        for n in found.nexts(part)
    ]
    assert asked == [(1, [4], 5)]  # user 1 is new: the first of theirs has no history
    with pytest.raises(DataError, match="no times to be cut by: use --cut last"):
        Sequences.of(graph([0, 0], [0, 1], [-1, -1]), "time")
    assert not Sequences.of(graph([0, 0], [0, 1], [-1, -1]), "last").ordered


def test_windows_share_one_item_and_hold_every_step_once():
    found = windows([np.array([10, 11, 12, 13, 14]), np.array([7, 8])], 3)
    assert found.tolist() == [[12, 13, 14, 15], [11, 12, 0, 0], [8, 9, 0, 0]]


def test_the_loss_by_hand():
    """One state (1, 0); items 1 (2, 0), 2 (0, 1), 3 (1, 1); target 1, drawn 2, 3 and 1.

    The target among the negatives does not count.
    """
    table = torch.tensor([[0.0, 0.0], [2.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    log_share = torch.log(torch.tensor([1.0, 0.5, 2.0, 0.25]))
    found = sampled_loss(
        torch.tensor([[1.0, 0.0]]), torch.tensor([1]), table, torch.tensor([2, 3, 1]), log_share
    )
    logits = np.array([2 - np.log(0.5), 0 - np.log(2.0), 1 - np.log(0.25)])
    assert float(found) == pytest.approx(-logits[0] + np.log(np.exp(logits).sum()), rel=1e-6)


def test_ranks_by_hand():
    from data_engine.datasets.sequences import Next

    rows = [[0.9, 0.8, 0.7, 0.1], [0.5, 0.5, 0.5, 0.5], [0.1, 0.9, 0.3, 0.2]]
    asked = [Next(0, np.array([0]), 2), Next(1, np.array([3]), 1), Next(2, np.array([1, 2]), 1)]
    places = ranks(lambda histories: np.array(rows), asked)
    assert places.tolist() == [
        2,
        2,
        1,
    ]  # 0 is out; the middle of three equals; a target that was had before still counts
    assert hits(places, 1) == pytest.approx(1 / 3) and mean_ndcg(places, 2) == pytest.approx(
        (2 / np.log2(3) + 1) / 3
    )
    assert hits(np.array([]), 10) == 0.0


def rings(length=9, users=80, items=20):
    """After item k comes k + 1, in a ring: only who reads the order can tell."""
    rng = np.random.default_rng(0)
    starts = rng.integers(0, items, users)
    user = np.repeat(np.arange(users), length)
    item = (starts[:, None] + np.arange(length)).ravel() % items
    return Sequences.of(graph(user, item, np.tile(np.arange(length), users)), "last")


def fresh(name, sequences):
    torch.manual_seed(0)
    return ENCODERS[name](len(sequences.items), SMALL.encoder)


SMALL = TrainingConfig(
    encoder=HeadConfig(dims=16, length=8, dropout=0.0),
    epochs=40,
    lr=1e-2,
    negatives=64,
    patience=40,
)


@pytest.mark.journey
@pytest.mark.parametrize("name", ["sasrec", "gru4rec"])
def test_a_planted_order_is_found_and_popularity_cannot_find_it(name):
    sequences = rings()
    asked = list(sequences.nexts(TEST))
    assert (
        mean_ndcg(ranks(fit(fresh(name, sequences), sequences, SMALL, lambda *_: None), asked), 10)
        > 0.9
    )
    assert mean_ndcg(ranks(popularity(sequences), asked), 10) < 0.6


def test_a_run_cut_short_goes_on_to_the_same_end(tmp_path):
    sequences, told = rings(users=30), []
    asked = list(sequences.nexts(TEST))
    config = SMALL.model_copy(update={"epochs": 6})
    whole = fit(fresh("sasrec", sequences), sequences, config, lambda *_: None)(asked)
    fit(
        fresh("sasrec", sequences),
        sequences,
        config.model_copy(update={"epochs": 2}),
        lambda *_: None,
        tmp_path / "c.pt",
    )
    again = fit(
        fresh("sasrec", sequences),
        sequences,
        config,
        lambda epoch, _: told.append(epoch),
        tmp_path / "c.pt",
    )(asked)
    assert told == [3, 4, 5, 6] and np.array_equal(whole, again)


@pytest.mark.journey
def test_the_command_compares_and_goes_on(film_store, tmp_path):
    words = [
        "train",
        "sequential",
        "--store",
        film_store,
        "--run",
        tmp_path / "r",
        "--epochs",
        "1",
        "--cut",
        "last",
        "--json",
    ]
    first = json.loads(
        rerec(*words, "--methods", "popularity,gru4rec", "--seeds", "0").stdout.splitlines()[-1]
    )
    assert (
        set(first["table"]) == {"popularity", "gru4rec"}
        and first["table"]["gru4rec"]["H@10"]["n"] == 1
    )
    made = (tmp_path / "r/gru4rec-0.json").stat().st_mtime_ns
    second = json.loads(
        rerec(*words, "--methods", "popularity,gru4rec", "--seeds", "0,1").stdout.splitlines()[-1]
    )
    assert (
        second["table"]["gru4rec"]["H@10"]["n"] == 2
        and (tmp_path / "r/gru4rec-0.json").stat().st_mtime_ns == made
    )
    assert (
        second["table"]["gru4rec"]["H@10"]["against"]["n"] == 2
        and 0 < second["table"]["popularity"]["NDCG@10"]["mean"] < 1
    )
    changed = rerec(*words[:-1], "--epochs", "2", "--methods", "popularity", "--seeds", "0")
    assert changed.returncode == 1 and "started with another configuration" in changed.stderr
    for command in ("sequential", "rechead", "rporec"):
        wrong = rerec(
            "train", command, "--store", film_store, "--run", tmp_path / "w", "--cut", "sideways"
        )
        assert (
            wrong.returncode == 1
            and "no --cut 'sideways': choose time or last" in wrong.stderr
            and not (tmp_path / "w").exists()
        )
    assert "no method 'magic': choose from popularity" in rerec(*words, "--methods", "magic").stderr
