"""The responses of a model folder, for evaluation."""

from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    PretrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from train.cores import threads
from train.evaluation.sampling import SamplingRequest, generate
from train.models.folder import model_folder

MOST_ROWS = 200  # of a batch
CACHE_BYTES = 2 * 2**30  # of a batch on the CPU; on a GPU a third of what is free


def placement() -> tuple[str, torch.dtype]:
    """Where and how precisely a model is evaluated: on a GPU in bfloat16 where there is one."""
    return ("cuda", torch.bfloat16) if torch.cuda.is_available() else ("cpu", torch.float32)


def load(folder: Path) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """The model of a folder, or of that name on the hub, ready to sample from, and its tokenizer.

    Raises TrainError where there is no model.
    """
    folder = model_folder(str(folder))
    torch.set_num_threads(threads())
    device, dtype = placement()
    model: PreTrainedModel = AutoModelForCausalLM.from_pretrained(folder, dtype=dtype)
    model.to(device)  # type: ignore[arg-type]  # transformers wraps torch's `to` untyped
    return model.eval(), AutoTokenizer.from_pretrained(folder)


def rows_per_batch(config: PretrainedConfig, tokens: int, itemsize: int, room: int) -> int:
    """How many responses to sample at once, 1 to MOST_ROWS, so that their key-value cache fits.

    tokens: of the longest prompt and its response. itemsize: bytes per number. room: bytes.
    """
    heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
    width = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    row = 2 * config.num_hidden_layers * heads * width * tokens * itemsize
    return max(1, min(MOST_ROWS, room // row))


def _room(model: PreTrainedModel) -> int:
    """Bytes for the key-value cache of a batch."""
    if model.device.type != "cuda":
        return CACHE_BYTES
    return int(torch.cuda.mem_get_info(model.device)[0] // 3)


def respond(
    folder: Path,
    prompts: Sequence[str],
    temperature: float,
    max_tokens: int,
    seed: int,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[str]:
    """One response per prompt, in order. Raises TrainError when the folder holds no model."""
    model, tokenizer = load(folder)
    chats = [[{"role": "user", "content": prompt}] for prompt in prompts]
    return continue_chats(model, tokenizer, chats, temperature, max_tokens, seed, progress)


def continue_chats(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    chats: Sequence[list[dict[str, str]]],
    temperature: float,
    max_tokens: int,
    seed: int,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[str]:
    """The next message of each chat, of at most `max_tokens` tokens, in order.

    The seed of chat k is `seed` + k.
    """
    prompts = tokenizer(
        tokenizer.apply_chat_template(list(chats), add_generation_prompt=True, tokenize=False),
        add_special_tokens=False,
    )["input_ids"]
    longest = max(map(len, prompts), default=0) + max_tokens
    rows = rows_per_batch(model.config, longest, model.dtype.itemsize, _room(model))
    texts: list[str] = []
    for start in range(0, len(prompts), rows):
        requests = [
            SamplingRequest(tuple(prompt), temperature, max_tokens, seed + start + k)
            for k, prompt in enumerate(prompts[start : start + rows])
        ]
        responses = generate(model, requests, tokenizer.eos_token_id, tokenizer.pad_token_id)
        texts += tokenizer.batch_decode([ids for ids, _ in responses], skip_special_tokens=True)
        progress(len(texts), len(prompts))
    return texts
