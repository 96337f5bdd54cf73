"""What has no figure is never taken for 0.

Answers that could not be scored, and parts of the reward that the graphs cannot give.
"""

import asyncio
from math import isnan, nan
from types import SimpleNamespace

import pytest

from reward_server.errors import ServerUnreachable
from reward_server.wire import MOST_CHARACTERS
from train.algorithms import ALGORITHMS
from train.verl_plugin.reward import NEXT_UNSCORED, UNSCORED, reward
from train.verl_plugin.trainer import RerecTrainer

pytestmark = pytest.mark.unit


def updated(unscored: list[bool], tmp_path, **parts: list[float]) -> dict[str, float]:
    """What is logged of validation answers with scores .1, .2, …, some of them lost, and `parts`
    of them.
    """
    trainer = RerecTrainer.__new__(RerecTrainer)
    trainer.config = SimpleNamespace(
        rerec=SimpleNamespace(most_unscored=0.1),
        trainer=SimpleNamespace(default_local_dir=tmp_path),
    )
    trainer.global_steps = 15
    trainer._save_checkpoint = lambda: (tmp_path / "saved").touch()
    infos = {"reward": [], "ndcg": [], "unscored": [], "reason": [], **parts}
    for k, lost in enumerate(unscored):
        figures = (
            NEXT_UNSCORED | {"reason": "gone"}
            if lost
            else {"ndcg": 0.1 * (k + 1), "unscored": 0.0, "reason": ""}
        )
        infos["reward"].append(0.0 if lost else figures["ndcg"])  # verl sums the rewards of tokens
        for name in ("ndcg", "unscored", "reason"):
            infos[name].append(figures[name])
    n = len(unscored)
    return trainer._val_metrics_update(
        ["films"] * n, [f"q{k}" for k in range(n)], infos, [1] * n, expected_acc_counts=None
    )


def test_what_could_not_be_scored_is_left_out_of_the_mean(tmp_path):
    found = updated([True] + [False] * 9, tmp_path)
    assert found["val-core/films/reward/mean@1"] == pytest.approx(
        sum(0.1 * k for k in range(2, 11)) / 9
    )
    assert found["val-aux/films/ndcg/mean@1"] == pytest.approx(0.6) and not any(tmp_path.iterdir())


@pytest.mark.parametrize(("latest", "saves"), [(None, True), (12, True), (15, False)])
def test_a_run_ends_with_a_checkpoint_where_too_many_could_not_be_scored(tmp_path, latest, saves):
    (
        tmp_path / "global_step_15"
    ).mkdir()  # it may be what a kill left of a save: the tracker, written last, decides
    if latest:
        (tmp_path / "latest_checkpointed_iteration.txt").write_text(str(latest))
    with pytest.raises(
        ServerUnreachable, match="2 of 10 validation answers at step 15 could not be scored: gone"
    ):
        updated([True] * 2 + [False] * 8, tmp_path)
    assert (tmp_path / "saved").exists() == saves


@pytest.mark.parametrize("lost", [UNSCORED, NEXT_UNSCORED])
def test_no_figure_of_what_could_not_be_scored_is_a_number(lost):
    assert (
        all(
            value is nan
            for name, value in lost.items()
            if isinstance(value, float) and name != "unscored"
        )
        and lost["unscored"] == 1.0
    )


def test_a_part_is_the_mean_of_the_answers_that_have_it(tmp_path):
    found = updated([False] * 4, tmp_path, qas=[0.25, nan, 0.75, nan], pas=[nan] * 4)
    assert found["val-aux/films/qas/mean@1"] == pytest.approx(0.5) and found[
        "val-aux/films/ndcg/mean@1"
    ] == pytest.approx(0.25)
    assert not [name for name in found if "pas" in name]


def test_a_part_the_graphs_cannot_give_is_no_number_and_who_names_no_item_earns_nothing(scored):
    """In a world without embeddings, so that there is no preference to align with."""

    class Scores:
        async def score(self, response):
            assert len(response.response) <= MOST_CHARACTERS  # or the server would refuse it
            return scored(response.response)

    def figures(text: str) -> dict:
        return asyncio.run(
            reward(
                Scores(),
                "e",
                list(map(ord, text)),
                lambda part: "".join(map(chr, part)),
                ALGORITHMS["raae"],
            )
        )[0]

    named, silent = figures("<answer>Film A (1981)</answer>"), figures("I do not know.")
    assert figures("<answer>Film A (1981)</answer>" + "and on" * 10_000)["score"] == named["score"]
    assert (
        named["qas"] == 1.0 and isnan(named["pas"]) and named["score"] == pytest.approx(1.5)
    )  # .3 + .2 go to the part that there is
    assert (silent["qas"], silent["pas"], silent["score"], silent["answered"]) == (
        0.0,
        0.0,
        0.0,
        0.0,
    )
