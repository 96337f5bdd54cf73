"""The responses of a model folder, for evaluation."""

from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from train.cores import threads
from train.evaluation.sampling import SamplingRequest, generate
from train.models.folder import model_folder

BATCH = 200


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
    texts: list[str] = []
    for start in range(0, len(prompts), BATCH):
        requests = [
            SamplingRequest(tuple(prompt), temperature, max_tokens, seed + start + k)
            for k, prompt in enumerate(prompts[start : start + BATCH])
        ]
        responses = generate(model, requests, tokenizer.eos_token_id, tokenizer.pad_token_id)
        texts += tokenizer.batch_decode([ids for ids, _ in responses], skip_special_tokens=True)
        progress(len(texts), len(prompts))
    return texts
