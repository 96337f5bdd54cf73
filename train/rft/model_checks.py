"""Whether a recipe fits its model, this machine and its prompts, before Ray starts."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from omegaconf import DictConfig, OmegaConf

from train.errors import TrainError
from train.models.checks import (
    check_chat,
    check_context,
    check_lengths,
    check_round_trip,
    check_weights,
    load_tokenizer,
)
from train.models.folder import Shape, read_shape
from train.models.memory import GB, available_memory, rft_memory, sft_memory
from train.models.template import prompt_ids
from train.tasks.base import Chat


class Check(NamedTuple):
    """The outcome of a check; `passed` is None for one that could not be made from here."""

    name: str
    passed: bool | None
    message: str


@dataclass(frozen=True)
class _Policy:
    """What the checks of one recipe are about."""

    recipe: DictConfig
    folder: Path
    shape: Shape
    tokenizer: Any


def model_name(recipe: DictConfig) -> str:
    """The model that a composed recipe starts from, a folder or a name on the hub.

    Raises TrainError for a recipe without one.
    """
    if OmegaConf.is_missing(recipe.actor_rollout_ref.model, "path"):
        raise TrainError(
            "the recipe names no model to start from: make one with `rerec train sft` and give "
            "its model/ as --model"
        )
    return str(recipe.actor_rollout_ref.model.path)


def model_checks(recipe: DictConfig, folder: Path, prompts: Sequence[Chat]) -> list[Check]:
    """Every check of a composed recipe with the model in `folder`, in order.

    Where the model is none that can learn at all, that one alone.
    """
    try:
        check_weights(folder)
        policy = _Policy(recipe, folder, read_shape(folder), load_tokenizer(folder))
        check_chat(folder, policy.tokenizer)
        check_round_trip(folder, policy.tokenizer)
    except TrainError as error:
        return [Check("model", False, str(error))]
    size = f"{folder}, {policy.shape.parameters / 1e6:,.1f} M parameters"
    return [
        Check("model", True, size),
        _outcome("prompts", lambda: _prompts(policy, prompts)),
        _outcome("context", lambda: _context(policy)),
        memory_check(recipe, policy.shape),
    ]


def _outcome(name: str, check: Callable[[], str]) -> Check:
    """Of a check that returns what it found, or raises TrainError."""
    try:
        return Check(name, True, check())
    except TrainError as error:
        return Check(name, False, str(error))


def refuse(checks: Sequence[Check]) -> None:
    """Raises TrainError with the first that failed."""
    for check in checks:
        if check.passed is False:
            raise TrainError(check.message)


def _prompts(policy: _Policy, prompts: Sequence[Chat]) -> str:
    """As the model's own tokenizer and chat template make them."""
    if not prompts:
        return "none to measure"
    data = policy.recipe.data
    longest = max(map(len, prompt_ids(policy.tokenizer, prompts)))
    with_response = longest + data.max_response_length
    check_context(policy.folder, policy.shape, policy.tokenizer, with_response)
    found = f"the longest of {len(prompts)} has {longest} tokens of {data.max_prompt_length}"
    if longest > data.max_prompt_length:
        raise TrainError(f"{found}: raise data.max_prompt_length")
    return found


def _context(policy: _Policy) -> str:
    data = policy.recipe.data
    lengths = data.max_prompt_length, data.max_response_length
    check_lengths(policy.folder, policy.shape, policy.tokenizer, *lengths)
    return f"{sum(lengths)} tokens of prompt and response fit"


def memory_check(recipe: DictConfig, shape: Shape) -> Check:
    """The estimate of what a step takes on this machine, or on one GPU, against what is free."""
    model, trainer = recipe.actor_rollout_ref.model, recipe.trainer
    tokens = recipe.actor_rollout_ref.actor.ppo_max_token_len_per_gpu
    lora, checkpointing = model.lora_rank > 0, model.enable_gradient_checkpointing
    if trainer.device == "cpu":
        ranks, machines = trainer.n_gpus_per_node, trainer.nnodes
        need = rft_memory(
            shape, tokens, lora=lora, checkpointing=checkpointing, ranks=ranks, machines=machines
        )
        return _held_against(need, available_memory(gpu=False), "of this machine")
    import torch

    shares = trainer.n_gpus_per_node * trainer.nnodes
    need = sft_memory(shape, tokens, lora=lora, checkpointing=checkpointing, shares=shares)
    if not torch.cuda.is_available():
        return Check("memory", None, f"about {need / GB:.1f} GB per GPU; there is none here")
    return _held_against(need, available_memory(gpu=True), "of each GPU")


def _held_against(need: float, room: float, where: str) -> Check:
    found = f"training needs about {need / GB:.1f} GB {where}, and {room / GB:.1f} GB are free"
    if need <= room:
        return Check("memory", True, found)
    advice = (
        "take a smaller model, give --lora-rank 16, "
        "or lower actor_rollout_ref.actor.ppo_max_token_len_per_gpu"
    )
    return Check("memory", False, f"{found}: {advice}")
