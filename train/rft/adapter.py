"""The weights of a run that trained an adapter (LoRA): verl saves what it trained, the adapter beside the layers it wraps, under names that no
model loader knows."""

from pathlib import Path

import torch
from omegaconf import DictConfig, OmegaConf
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file
from transformers import AutoConfig, AutoModelForCausalLM

from train.errors import TrainError

CHOICE = (
    "target_modules",
    "target_parameters",
    "exclude_modules",
)  # of the layers that are adapted
TIED = "base_model.model.lm_head.weight"  # not saved where it is the embeddings


def merge_adapter(folder: Path, settings: DictConfig) -> None:
    """Make of verl's Hugging Face folder a plain model, W + α/r · B A (Hu et al. 2021, equation 3) in every adapted layer, in the precision in which
    it was trained. `settings` is verl's `actor_rollout_ref.model`. Raises TrainError where the weights are not of such a model."""
    files = sorted(folder.glob("*.safetensors"))
    state = {name: weight for file in files for name, weight in load_file(file).items()}
    given = {
        name: value for name, value in OmegaConf.to_container(settings).items() if name in CHOICE
    }
    config = AutoConfig.from_pretrained(folder)
    with torch.device("meta"):
        adapted = get_peft_model(
            AutoModelForCausalLM.from_config(config),
            LoraConfig(r=settings.lora_rank, lora_alpha=settings.lora_alpha, **given),
        )
    wanted, tied = adapted.state_dict(), {TIED} if config.tie_word_embeddings else set()
    if wrong := [
        n
        for n in {*wanted, *state} - tied
        if n not in wanted or n not in state or wanted[n].shape != state[n].shape
    ]:
        raise TrainError(
            f"the weights in {folder} are not of an adapter of rank {settings.lora_rank}: {', '.join(sorted(wrong)[:3])}"
        )
    adapted.load_state_dict(state, strict=False, assign=True)
    adapted.base_model.model.tie_weights()
    plain = adapted.merge_and_unload()
    for file in [*files, *folder.glob("*.safetensors.index.json")]:
        file.unlink()
    plain.save_pretrained(folder)
