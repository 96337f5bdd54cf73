"""The weights of a run that trained an adapter (LoRA).

verl saves what it trained: the adapter beside the layers it wraps, under names that no model loader
knows.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from omegaconf import DictConfig, OmegaConf
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file
from transformers import AutoConfig, AutoModelForCausalLM, PretrainedConfig

from train.errors import TrainError

CHOICE = (
    "target_modules",
    "target_parameters",
    "exclude_modules",
)  # of the layers that are adapted
TIED = "base_model.model.lm_head.weight"  # not saved where it is the embeddings


def merge_adapter(folder: Path, settings: DictConfig) -> None:
    """Make of verl's Hugging Face folder a plain model, in the precision in which it was trained.

    W + α/r · B A (Hu et al. 2021, equation 3) in every adapted layer. `settings` is verl's
    `actor_rollout_ref.model`. Raises TrainError where the weights are not of such a model.
    """
    files = sorted(folder.glob("*.safetensors"))
    state: dict[str, torch.Tensor] = {}
    for file in files:
        state |= load_file(file)
    config = AutoConfig.from_pretrained(folder)
    adapted = _adapted_model(config, settings)
    _check_weights(folder, state, adapted.state_dict(), config, settings.lora_rank)
    adapted.load_state_dict(state, strict=False, assign=True)
    adapted.base_model.model.tie_weights()
    plain = adapted.merge_and_unload()
    for file in [*files, *folder.glob("*.safetensors.index.json")]:
        file.unlink()
    plain.save_pretrained(folder)


def _adapted_model(config: PretrainedConfig, settings: DictConfig) -> Any:
    """The model with its adapter, without weights."""
    given: Any = OmegaConf.to_container(settings)
    chosen = {name: given[name] for name in CHOICE if name in given}
    with torch.device("meta"):
        return get_peft_model(
            AutoModelForCausalLM.from_config(config),
            LoraConfig(r=settings.lora_rank, lora_alpha=settings.lora_alpha, **chosen),
        )


def _check_weights(
    folder: Path,
    state: Mapping[str, torch.Tensor],
    wanted: Mapping[str, torch.Tensor],
    config: PretrainedConfig,
    rank: int,
) -> None:
    """Raises TrainError where names or shapes differ."""
    wrong = [
        name
        for name in wanted.keys() | state.keys()
        if name not in wanted or name not in state or wanted[name].shape != state[name].shape
    ]
    if config.tie_word_embeddings:
        wrong = [name for name in wrong if name != TIED]
    if wrong:
        raise TrainError(
            f"the weights in {folder} are not of an adapter of rank {rank}: "
            + ", ".join(sorted(wrong)[:3])
        )
