"""Which models a recipe is refused with, before Ray starts."""

import shutil

import pytest
from omegaconf import OmegaConf

from tests.test_cli import rerec
from tests.train.chat_model import (
    make_chat_model,
    of_a_base_model,
    that_drops_spaces,
    too_short,
    unknown,
    without_template,
)
from train.errors import TrainError
from train.models.folder import Shape
from train.models.memory import rft_memory
from train.rft import model_checks
from train.rft.compose import RFTConfig, compose

CHATS = [[{"role": "user", "content": text}] for text in ("A film, please.", "Why? " * 30)]
SMOLLM2 = Shape("LlamaForCausalLM", 134_515_008, 30, 576, 1536, 49152, 8192)
GB = 1e9


@pytest.fixture(scope="module")
def composed(tmp_path_factory):
    run = tmp_path_factory.mktemp("checks") / "run"
    return compose(RFTConfig(recipe="smollm2-135m-grpo", run=run, model="unused"), "digest")


@pytest.fixture
def recipe(composed):
    """recipe("a.b=1") → the composed recipe, changed."""

    def changed(*changes):
        return OmegaConf.merge(composed, OmegaConf.from_dotlist(list(changes)))

    return changed


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return make_chat_model(tmp_path_factory.mktemp("checks") / "model", ["A film, please. Why?"])


@pytest.fixture
def copy(model, tmp_path):
    return shutil.copytree(model, tmp_path / "model")


@pytest.fixture
def roomy(monkeypatch):
    """A machine with 64 GB free and no GPU."""
    monkeypatch.setattr(model_checks, "available_memory", lambda gpu: 64 * GB)


def outcome(recipe, folder, chats=CHATS):
    return {check.name: check for check in model_checks.model_checks(recipe, folder, chats)}


def test_a_sound_model_passes_every_check(recipe, model, roomy):
    found = outcome(recipe(), model)
    assert list(found) == ["model", "prompts", "context", "memory"]
    assert all(check.passed for check in found.values())
    assert "992 tokens of prompt and response fit" in found["context"].message
    model_checks.refuse(list(found.values()))


def without_weights(folder):
    (folder / "model.safetensors").unlink()


@pytest.mark.parametrize(
    ("spoil", "name", "line"),
    [
        (without_template, "model", "has no chat template"),
        (of_a_base_model, "model", "it is a base model; take the model's instruct version"),
        (that_drops_spaces, "model", "drops white space"),
        (too_short, "prompts", "takes 128: synthesise with fewer --candidates"),
        (unknown, "model", r"\(hasty\) is no causal language model"),
        (without_weights, "model", "holds no weights as safetensors"),
    ],
)
def test_a_model_that_cannot_learn_is_refused_in_one_line(recipe, copy, roomy, spoil, name, line):
    spoil(copy)
    checks = list(outcome(recipe(), copy).values())
    with pytest.raises(TrainError, match=line) as refused:
        model_checks.refuse(checks)
    (first, *_) = [check for check in checks if check.passed is False]
    assert first.name == name and "\n" not in str(refused.value)


def test_lengths_that_a_model_or_a_prompt_has_no_room_for_are_refused(recipe, model, roomy):
    longest = len("<|im_start|>user\n<|im_end|>\n<|im_start|>assistant\n" + "Why? " * 30)
    short = outcome(recipe("data.max_prompt_length=16"), model)["prompts"]
    assert short.passed is False and "tokens of 16: raise data.max_prompt_length" in short.message
    assert 16 < int(short.message.split(" has ")[1].split()[0]) < longest
    wide = outcome(recipe("data.max_prompt_length=4000"), model)["context"]
    assert wide.passed is False
    assert "data.max_prompt_length=4000 and data.max_response_length=352 make 4352" in wide.message
    assert "takes 4096: lower them" in wide.message


def test_less_memory_than_a_step_takes_is_refused_with_both_figures(recipe, monkeypatch):
    def at(free, *changes):
        monkeypatch.setattr(model_checks, "available_memory", lambda gpu: free * GB)
        return model_checks.memory_check(recipe(*changes), SMOLLM2)

    need = rft_memory(SMOLLM2, 2048, checkpointing=True) / GB
    assert at(need + 0.01).passed is True
    refused = at(need - 0.1)
    assert refused.passed is False
    assert f"needs about {need:.1f} GB of this machine, and {need - 0.1:.1f} GB are free" in (
        refused.message
    )
    assert at(need - 0.1, "actor_rollout_ref.model.lora_rank=8").passed is True
    assert at(need - 0.1, "actor_rollout_ref.actor.ppo_max_token_len_per_gpu=1024").passed is True
    assert at(need + 0.01, "trainer.n_gpus_per_node=2").passed is False  # twice the activations


def test_a_recipe_without_a_model_says_how_to_get_one(recipe):
    nameless = recipe()
    nameless.actor_rollout_ref.model.path = "???"
    with pytest.raises(TrainError, match="make one with `rerec train sft`"):
        model_checks.model_name(nameless)


@pytest.mark.journey
def test_the_command_refuses_a_base_model_before_ray_starts(film_store, copy, tmp_path):
    of_a_base_model(copy)
    places = ["--store", film_store, "--model", copy, "--run", tmp_path / "run"]
    done = rerec("train", "rft", "smollm2-135m-grpo", *places)
    assert done.returncode == 1 and not (tmp_path / "run").exists()
    (line,) = done.stderr.strip().splitlines()
    assert "it is a base model" in line
