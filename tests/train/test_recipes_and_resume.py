"""What a recipe resolves to, and when a run directory may be gone on with."""

import os
from unittest.mock import patch

import pytest
from omegaconf import OmegaConf

from data_engine.errors import ConfigChanged, Interrupted, RunExists
from tests.test_cli import ROOT
from tests.train.test_selection import validated
from train.errors import BadRecipe
from train.rft.checkpoints import LATEST
from train.rft.compose import RFTConfig, compose, dry_run, on_cpu, plain
from train.rft.export import export_model
from train.rft.queries import affordable_queries
from train.rft.recipes import recipes
from train.rft.resume import check_resume, metrics_files
from train.rft.run import command, run_verl


def composed(tmp_path, recipe="tiny-rerec", **changes):
    config = RFTConfig(
        recipe=recipe,
        run=tmp_path,
        model=str(tmp_path),
        server="http://127.0.0.1:1",
        seed=7,
        **changes,
    )
    return compose(config, "digest")


def test_the_arms_differ_in_reward_estimator_and_order_only(tmp_path):
    grpo, rerec = (
        OmegaConf.to_container(composed(tmp_path, f"tiny-{arm}"), resolve=True)
        for arm in ("grpo", "rerec")
    )
    for section, key in (("algorithm", "adv_estimator"), ("rerec", "algorithm")):
        assert (grpo[section].pop(key), rerec[section].pop(key)) == ("grpo", "raae")
    assert rerec["rerec"].pop("weights") == {
        "k": 1,
        "qas": 0.3,
        "pas": 0.2,
        "penalty": 0.5,
        "qas_over": "ground_truth",
        "right": "gold",
    }
    assert grpo["rerec"].pop("weights") == {
        "k": 1,
        "qas": 0,
        "pas": 0,
        "penalty": 0,
        "qas_over": "ground_truth",
        "right": "gold",
    }
    assert grpo["rerec"].pop("curriculum") is None and rerec["rerec"].pop("curriculum") == {
        "tau": 0.05,
        "recheck": 3,
        "passes": 3,
        "seed": 7,
    }
    assert grpo == rerec


@pytest.mark.parametrize("recipe", ["qwen2.5-3b-rerec", "smollm2-135m-rerec-graph-vllm"])
def test_an_adapter_learns_at_ten_times_the_rate_and_all_else_stays(tmp_path, recipe):
    whole, adapter = (composed(tmp_path, recipe, lora_rank=rank) for rank in (0, 64))
    model, rate = adapter.actor_rollout_ref.model, adapter.actor_rollout_ref.actor.optim.lr
    assert (model.lora_rank, model.lora_alpha, model.target_modules) == (64, 32, "all-linear")
    assert rate == pytest.approx(10 * whole.actor_rollout_ref.actor.optim.lr)
    assert adapter.actor_rollout_ref.rollout.load_format == "safetensors"
    for key in ("model.lora_rank", "model.lora_alpha", "actor.optim.lr", "rollout.load_format"):
        value = OmegaConf.select(whole, f"actor_rollout_ref.{key}")
        OmegaConf.update(adapter, f"actor_rollout_ref.{key}", value)
    assert plain(adapter) == plain(whole)


def test_what_a_user_sets_goes_before_what_an_adapter_brings(tmp_path):
    lower = ("actor_rollout_ref.actor.optim.lr=3e-6",)
    config = composed(tmp_path, "qwen3-0.6b-grpo", lora_rank=16, overrides=lower)
    assert config.actor_rollout_ref.actor.optim.lr == 3e-6
    words = command(tmp_path, RFTConfig(recipe="tiny-grpo", run=tmp_path, model="m", lora_rank=16))
    assert "--lora-rank 16" in words


def leaves(config, prefix=""):
    """Dotted keys of a composed config with their values."""
    for key, value in plain(config).items():
        if isinstance(value, dict) and value:
            yield from leaves(OmegaConf.create(value), f"{prefix}{key}.")
        else:
            yield prefix + key, value


def changed(one, other):
    """The keys whose values differ, without those that follow others or go unused."""
    one, other = dict(leaves(one)), dict(leaves(other))
    keys = {key for key in one.keys() | other.keys() if one.get(key) != other.get(key)}
    sections = ("critic.", "distillation.", "ray_kwargs.")
    following = (".rollout_n", ".prompt_length", ".response_length")
    return {key for key in keys if not key.startswith(sections) and not key.endswith(following)}


@pytest.mark.parametrize("arm", ["grpo", "rerec", "rerec-graph"])
def test_smollm2_with_vllm_differs_in_the_rollout_alone(tmp_path, arm):
    names = (f"smollm2-135m-{arm}", f"smollm2-135m-{arm}-vllm")
    keys = changed(*(composed(tmp_path, name) for name in names))
    assert "actor_rollout_ref.rollout.name" in keys
    keys.remove("actor_rollout_ref.model.lora.merge")  # how an adapter reaches the rollout
    assert all(key.startswith("actor_rollout_ref.rollout.") for key in keys)


@pytest.mark.parametrize("recipe", ["qwen3-0.6b-rerec-graph", "qwen2.5-3b-rerec"])
def test_what_differs_on_gpus_from_what_ran_on_cpu_is_documented(tmp_path, recipe):
    ran = recipe.replace("qwen3-0.6b", "smollm2-135m").replace("qwen2.5-3b", "smollm2-135m")
    keys = changed(composed(tmp_path, f"{ran}-vllm"), composed(tmp_path, recipe))
    page = (ROOT / "docs/how-to/train-on-gpus.md").read_text(encoding="utf-8")
    assert {key for key in keys if f"`{key.rpartition('.')[2]}`" not in page} == set()


def test_seeds_paths_and_server_are_filled_in(tmp_path):
    config = composed(tmp_path, overrides=("trainer.total_training_steps=9",))
    assert (
        config.data.seed == config.actor_rollout_ref.rollout.seed == 7
        and config.trainer.total_training_steps == 9
    )
    assert config.rerec.server == "http://127.0.0.1:1" and config.rerec.graph_digest == "digest"
    assert config.trainer.default_local_dir == str(tmp_path / "checkpoints")


@pytest.mark.parametrize(("steps", "queries"), [(45, 240), (3, 16), (2, 16)])
def test_a_curriculum_takes_no_more_queries_than_the_run_can_ask_three_times_but_a_batch(
    tmp_path, steps, queries
):
    shorter = (f"trainer.total_training_steps={steps}",)
    assert affordable_queries(composed(tmp_path, overrides=shorter)) == queries
    assert affordable_queries(composed(tmp_path, "tiny-grpo", overrides=shorter)) is None


@pytest.mark.journey
@pytest.mark.parametrize("rank", [0, 64])
@patch.dict(os.environ)  # dry_run sets what verl reads
def test_verl_accepts_the_recipes_for_vllm(tmp_path, rank):
    named = [name for name in recipes() if name.startswith(("qwen", "llama")) or "vllm" in name]
    assert len(named) == 9
    for name in named:
        config = RFTConfig(recipe=name, run=tmp_path, model=str(tmp_path), lora_rank=rank)
        assert dry_run(config).actor_rollout_ref.rollout.name == "vllm"


def test_bad_recipes_and_overrides_are_named(tmp_path):
    assert {"qwen2.5-3b-rerec", "tiny-grpo", "tiny-rerec"} <= set(
        recipes()
    ) and "gpu_3b" not in recipes()
    assert on_cpu("tiny-grpo") and not on_cpu("qwen2.5-3b-rerec")
    with pytest.raises(BadRecipe, match="no recipe 'x': choose from"):
        on_cpu("x")
    with pytest.raises(BadRecipe, match="does not compose"):
        composed(tmp_path, overrides=("no.such.key=1",))


def test_a_resume_wants_the_same_config_but_for_the_server(tmp_path):
    config = composed(tmp_path)
    check_resume(tmp_path, config, resume=False)
    OmegaConf.save(config, tmp_path / "config.yaml", resolve=True)
    with pytest.raises(RunExists, match="add --resume"):
        check_resume(tmp_path, config, resume=False)
    moved = config.copy()
    moved.rerec.server = "http://127.0.0.1:2"
    moved.actor_rollout_ref.rollout.agent.agent_loop_config_path = "/elsewhere/agent_loops.yaml"
    check_resume(tmp_path, moved, resume=True)
    with pytest.raises(ConfigChanged, match="actor_rollout_ref.actor.optim.lr: 0.00025 → 1"):
        check_resume(
            tmp_path,
            composed(tmp_path, overrides=("actor_rollout_ref.actor.optim.lr=1",)),
            resume=True,
        )


@pytest.mark.parametrize("recipe", [name for name in recipes() if name.startswith("tiny")])
def test_a_run_from_before_recipes_named_an_algorithm_goes_on(tmp_path, recipe):
    """verl's estimator told the algorithm then; another algorithm is refused as ever."""
    config = composed(tmp_path, recipe)
    before = OmegaConf.to_container(config, resolve=True)
    del before["rerec"]["algorithm"]
    OmegaConf.save(before, tmp_path / "config.yaml")
    check_resume(tmp_path, config, resume=True)
    other = "raae_graph" if recipe == "tiny-rerec" else "raae"
    config.rerec.algorithm = other
    with pytest.raises(ConfigChanged, match=f"rerec.algorithm: [a-z_]+ → {other}"):
        check_resume(tmp_path, config, resume=True)


def test_a_folder_of_something_else_is_not_resumed(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(RunExists, match="no run to resume"):
        check_resume(tmp_path, composed(tmp_path), resume=True)


def test_metrics_of_all_attempts_are_read_in_order(tmp_path):
    folder = tmp_path / "log/rerec"
    folder.mkdir(parents=True)
    for name in ("rft.jsonl", "rft-002.jsonl", "rft-001.jsonl"):
        (folder / name).write_text("")
    assert [p.name for p in metrics_files(tmp_path)] == [
        "rft-001.jsonl",
        "rft-002.jsonl",
        "rft.jsonl",
    ]


@pytest.mark.parametrize("by, kept", [(None, "2"), ("ndcg", "1")])
def test_the_model_of_a_run_is_the_last_or_chosen_by_validation(tmp_path, by, kept):
    places = {
        "1": "checkpoints/global_step_1/actor/huggingface",
        "2": "checkpoints/global_step_2/actor/huggingface",
        "beginner": "beginner",
    }
    for name, place in places.items():
        (tmp_path / place).mkdir(parents=True)
        (tmp_path / place / "config.json").write_text(name)
    (tmp_path / "checkpoints" / LATEST).write_text("2")
    validated(
        tmp_path / "samples", {0: [0.1, 0.2], 1: [0.5, 0.6], 2: [0.4, 0.5], 3: [0.9, 0.9]}
    )  # of step 3 there are no weights
    config = OmegaConf.create(
        {
            "rerec": {"best_by": by},
            "actor_rollout_ref": {"model": {"path": str(tmp_path / "beginner"), "lora_rank": 0}},
        }
    )
    assert (export_model(tmp_path, config) / "config.json").read_text() == kept


@pytest.mark.journey
def test_sigterm_before_the_first_checkpoint_is_heeded(tmp_path, monkeypatch):
    from train.verl_plugin import main

    monkeypatch.setattr(
        main, "run", lambda composed, stop: stop.touch()
    )  # what SIGTERM does, in the first step
    with pytest.raises(
        Interrupted, match="stopped by SIGTERM after a checkpoint; resume with: rerec again"
    ):
        run_verl(composed(tmp_path / "new"), "rerec again")
    assert not (tmp_path / "new/checkpoints/stop").exists()


@pytest.mark.parametrize(
    "recipe, change",
    [("tiny-grpo", "rerec.style=tools"), ("tiny-conversation", "rerec.style=open-book")],
)
def test_a_dialogue_needs_its_loop(tmp_path, recipe, change):
    with pytest.raises(BadRecipe, match="do not fit"):
        composed(tmp_path, recipe=recipe, overrides=(change,))


def test_to_choose_by_validation_there_must_be_one(tmp_path):
    with pytest.raises(BadRecipe, match="set trainer.test_freq"):
        composed(tmp_path, overrides=("rerec.best_by=score",))
