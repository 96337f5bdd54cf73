"""Our section of a recipe: what is wrong with it is said before anything starts."""

import pytest
from omegaconf import OmegaConf

from train.cores import MOST, threads
from train.errors import BadRecipe
from train.rft.compose import RFTConfig, compose
from train.rft.recipes import recipes


def section(recipe, *overrides):
    config = RFTConfig(
        recipe=recipe, run="r", model=None, server="http://127.0.0.1:1", overrides=overrides
    )
    return OmegaConf.to_container(compose(config, "digest").rerec, resolve=True)


@pytest.mark.parametrize("recipe", recipes())
def test_every_recipe_is_whole(recipe):
    assert section(recipe)["task"] == ("next_item" if "rporec" in recipe else "examples")


@pytest.mark.parametrize(
    ("recipe", "override", "words"),
    [
        ("tiny-rerec", "rerec.curriculum.tau=2", "rerec.curriculum.tau: Input should be less"),
        ("tiny-rerec", "rerec.weights.qas=x", "rerec.weights: Expected `float`"),
        ("tiny-rerec", "rerec.algorithm=grpo", "set rerec.weights.penalty=0, or take raae"),
        (
            "tiny-conversation",
            "rerec.weights.penalty=0.5",
            "set rerec.weights.penalty=0, or take raae",
        ),
        ("tiny-rerec", "rerec.weights.k=0", "rerec.weights: Expected `int` >= 1"),
        ("tiny-grpo", "rerec.algorithm=ppo", "no algorithm 'ppo': choose from grpo, reinforce"),
        ("tiny-grpo", "rerec.style=rhyme", "no style 'rhyme': choose from open-book"),
        ("tiny-grpo", "rerec.style=open-catalogue", "set rerec.weights.right=conditions"),
        ("tiny-grpo", "rerec.task=poem", "rerec.task: Input should be 'examples' or 'next_item'"),
        ("tiny-grpo", "rerec.task=next_item", "needs rerec.head"),
        ("tiny-grpo", "+rerec.wieghts=1", "rerec.wieghts: Extra inputs are not permitted"),
        ("tiny-rporec", "rerec.head.k=0", "rerec.head.k: Input should be greater"),
        ("tiny-rporec", "rerec.judged=1", "are for Examples, not for next_item"),
        ("tiny-tools", "rerec.judged=1", "rerec.judged is for single turns, not for tools"),
        ("tiny-rporec", "rerec.cut=random", "rerec.cut: Input should be 'time' or 'last'"),
    ],
)
def test_what_is_wrong_is_named(recipe, override, words):
    with pytest.raises(BadRecipe, match=words):
        section(recipe, override)


def test_threads_are_the_cores_this_process_may_use(monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {3}, raising=False)
    assert threads() == 1
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(64)), raising=False)
    assert threads() == MOST
    for told, meant in (("2", 2), ("99", MOST), ("0", 1), ("4,2", MOST)):
        monkeypatch.setenv("OMP_NUM_THREADS", told)
        assert threads() == meant
