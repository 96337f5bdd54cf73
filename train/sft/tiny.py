"""A policy made from scratch: a Qwen2 architecture with about a million parameters."""

import json
import shutil
from pathlib import Path

import torch
from pydantic import Field
from transformers import (
    PreTrainedModel,
    PreTrainedTokenizerBase,
    Qwen2Config,
    Qwen2ForCausalLM,
    Qwen2Tokenizer,
)

from data_engine.runtime.atomic import draft
from data_engine.runtime.config import Config
from train.sft.config import ENTITIES


class TinyConfig(Config):
    """Shape and seed of the model; two layers of 128 were measured to learn best in the time."""

    dims: int = Field(128, ge=16)
    layers: int = Field(2, ge=1)
    heads: int = Field(4, ge=1)
    seed: int = 0


def build_model(tokenizer: Qwen2Tokenizer, config: TinyConfig) -> Qwen2ForCausalLM:
    """A model with random weights, fp32, tied embeddings and room for 512 tokens."""
    torch.manual_seed(config.seed)
    return Qwen2ForCausalLM(
        Qwen2Config(
            vocab_size=len(tokenizer),
            hidden_size=config.dims,
            intermediate_size=2 * config.dims,
            num_hidden_layers=config.layers,
            num_attention_heads=config.heads,
            num_key_value_heads=config.heads,
            max_position_embeddings=512,
            tie_word_embeddings=True,
            rope_theta=10000.0,  # type: ignore[call-arg]  # transformers takes and stores it
            bos_token_id=None,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
    )


def save(
    folder: Path,
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    entities: dict[str, list[int]],
) -> None:
    """Write a model folder that `from_pretrained` reads, with the names by group beside it."""
    with draft(folder) as part:
        model.save_pretrained(part)
        tokenizer.save_pretrained(part)
        (part / ENTITIES).write_text(json.dumps(entities))
        shutil.rmtree(folder, ignore_errors=True)
