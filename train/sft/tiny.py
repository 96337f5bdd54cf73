"""A policy made from scratch: a Qwen2-architecture model of about a million parameters and a tokenizer that knows the catalogue.

Every item and every fact shown on a card is one token, with the space before it, and so is every word of the SFT texts; the
rest falls back to bytes, so any text can be read. transformers loads any `model_type=qwen2` folder as byte-level-BPE
`Qwen2Tokenizer`, so that class is what we build.
"""

import json
import re
import shutil
from collections.abc import Iterable
from pathlib import Path

import torch
from pydantic import Field
from tokenizers import AddedToken
from tokenizers.pre_tokenizers import ByteLevel
from transformers import Qwen2Config, Qwen2ForCausalLM, Qwen2Tokenizer

from data_engine.graphs.evidence import Evidence
from data_engine.runtime.atomic import draft
from data_engine.runtime.config import Config

PAD, TURN, END = "<pad>", "<|im_start|>", "<|im_end|>"
CHAT = (
    "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\n' + m['content'] + '<|im_end|>' + '\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
_PIECE = re.compile(r" ?[\w'-]+| ?</?\w+>|\n+| ?[^\w\s]")
ENTITIES = "entities.json"


class TinyConfig(Config):
    """The model's shape (TINY.md: two layers of 128 learn best in the time)."""

    dims: int = Field(128, ge=16)
    layers: int = Field(2, ge=1)
    heads: int = Field(4, ge=1)
    seed: int = 0


def build_tokenizer(
    evidence: Evidence, texts: Iterable[str], *others: Evidence
) -> tuple[Qwen2Tokenizer, dict[str, list[int]]]:
    """The tokenizer, and the token ids of its entities in three groups that may be renamed among themselves: items, category, others. It knows the
    names of the `others` too: swapped in, they are read as any name."""
    groups = names(evidence, *others)
    entities = dict.fromkeys(surface for group in groups.values() for surface in group)
    known = _tokenizer(list(entities))
    words = {
        piece
        for text in texts
        for rest in _outside(known, text, len(entities))
        for piece in _PIECE.findall(rest)
    }
    words |= {"user", "assistant", "system", "\n", "\n\n", " <answer>", " </answer>"}
    tokenizer = _tokenizer([*sorted(words - set(entities)), *entities])
    ids = {
        name: sorted({tokenizer.convert_tokens_to_ids(surface) for surface in group})
        for name, group in groups.items()
    }
    return tokenizer, ids


def names(*catalogues: Evidence) -> dict[str, dict[str, None]]:
    """The surfaces of items, category and others, in order, each with the space before it."""
    groups: dict[str, dict[str, None]] = {"items": {}, "category": {}, "others": {}}
    for cards, graph in ((one.cards, one.attributes) for one in catalogues):
        for item in sorted(cards.rows):
            groups["items"][f" {graph.titles[item]}"] = None
        for relation, value in sorted(cards.holders):
            groups["category" if relation == cards.category else "others"][
                f" {graph.names[value]}"
            ] = None
    return groups


def build_model(tokenizer: Qwen2Tokenizer, config: TinyConfig) -> Qwen2ForCausalLM:
    """Random weights, fp32, tied embeddings, room for 512 tokens."""
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
            rope_theta=10000.0,
            bos_token_id=None,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
    )


def save(
    folder: Path, model: Qwen2ForCausalLM, tokenizer: Qwen2Tokenizer, entities: dict[str, list[int]]
) -> None:
    """Write a model folder that `from_pretrained` reads, with the entity groups beside it."""
    with draft(folder) as part:
        model.save_pretrained(part)
        tokenizer.save_pretrained(part)
        (part / ENTITIES).write_text(json.dumps(entities))
        shutil.rmtree(folder, ignore_errors=True)


def _tokenizer(surfaces: list[str]) -> Qwen2Tokenizer:
    """Byte alphabet without merges, then one added token a surface; longest match first."""
    alphabet = {c: i for i, c in enumerate(sorted(ByteLevel.alphabet()))}
    tokenizer = Qwen2Tokenizer(
        vocab=alphabet, merges=[], unk_token=None, bos_token=None, eos_token=END, pad_token=PAD
    )
    tokenizer.add_tokens([AddedToken(s, normalized=False, special=True) for s in (PAD, TURN, END)])
    tokenizer.add_tokens([AddedToken(s, normalized=False, special=False) for s in surfaces])
    tokenizer.chat_template = CHAT
    return tokenizer


def _outside(tokenizer: Qwen2Tokenizer, text: str, entities: int) -> list[str]:
    """The stretches of `text` between entity tokens (the last `entities` ids)."""
    first, rest, runs = len(tokenizer) - entities, [], []
    for token in [*tokenizer(text)["input_ids"], first]:
        if token < first:
            rest.append(token)
        elif rest:
            runs.append(tokenizer.decode(rest))
            rest = []
    return runs
